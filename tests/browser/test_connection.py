"""The page when the server goes away: nothing is lost or duplicated."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.browser.conftest import Room, say, wait_for_answer, wait_for_chat, wait_for_connection
from tests.support.model_server import Gate

pytestmark = pytest.mark.browser
PLACES = """
window.places = new Set()
function look() {
  const [said, banner] = ["#messages > :last-child", "#banner"].map((name) => document.querySelector(name))
  if (banner?.textContent) window.isSaid = true
  if (window.isSaid) places.add(Math.round(said.getBoundingClientRect().bottom))
  requestAnimationFrame(look)
}
look()
"""
"""Positions of the last message, per animation frame from the first banner on."""
APART = """new Promise((done) => {
  const [chat, banner] = ["#messages", "#banner"].map((name) => document.querySelector(name))
  const look = () => {
    const isApart = chat.getBoundingClientRect().bottom <= banner.getBoundingClientRect().top
    return isApart ? done() : requestAnimationFrame(look)
  }
  look()
})"""
"""Wait until the banner no longer overlays the conversation."""
LOST = "Connection lost. Trying again in 3 s…"


@pytest.mark.promise(4)
def test_the_page_recovers_from_a_killed_server(room: Room) -> None:
    room.reply("What was ", "shown", Gate())
    page = room.page()
    say(page, "Go")
    expect(page.locator(".plain")).to_have_text("What was shown")
    room.talos.kill()
    expect(page.get_by_text(LOST)).to_be_visible()
    room.restart()
    expect(page.get_by_text(LOST)).to_be_hidden()
    expect(page.locator(".note.interrupted")).to_be_visible()
    expect(page.locator(".prose")).to_have_text("What was shown")
    expect(page.locator(".message")).to_have_count(2)
    room.reply("Back again.")
    say(page, "Are you there?")
    expect(page.locator(".assistant").nth(1)).to_contain_text("Back again.")
    expect(page.locator(".message")).to_have_count(4)


def test_a_message_written_offline_is_sent_after_reconnecting(room: Room) -> None:
    room.reply("First answer.")
    page = room.page()
    say(page, "First")
    expect(page.locator(".prose")).to_have_text("First answer.")
    wait_for_answer(page)
    room.talos.kill()
    expect(page.get_by_text(LOST)).to_be_visible()
    room.reply("Second answer.")
    say(page, "Second")
    expect(page.locator("[data-sending]")).to_contain_text("Not sent yet…")
    room.restart()
    expect(page.locator(".assistant").nth(1)).to_contain_text("Second answer.")
    wait_for_answer(page)
    expect(page.locator(".user")).to_have_count(2)
    expect(page.locator("[data-sending]")).to_have_count(0)
    page.reload()
    expect(page.locator(".message")).to_have_count(4)


def test_an_unsent_message_survives_a_reload(room: Room) -> None:
    page = room.page()
    is_up: list[bool] = []

    def ignore(socket: WebSocketRoute) -> None:
        """Accept connections without answering until the server is up."""
        if is_up:
            socket.connect_to_server()

    page.route_web_socket("**/api/chat/ws", ignore)
    page.reload()
    say(page, "Do not lose this")
    expect(page.locator("[data-sending]")).to_contain_text("Do not lose this")
    room.reply("Got it.")
    is_up.append(True)
    page.reload()
    expect(page.locator(".prose")).to_have_text("Got it.")
    expect(page.locator(".user")).to_have_count(1)
    wait_for_chat(page)


def test_an_unsent_message_of_a_new_chat_does_not_go_into_another(room: Room) -> None:
    room.reply("Old.")
    page = room.page()
    say(page, "An old chat")
    wait_for_answer(page)
    wait_for_chat(page)
    old = page.url
    is_up: list[bool] = []
    page.route_web_socket(
        "**/api/chat/ws", lambda socket: socket.connect_to_server() if is_up else None
    )
    page.goto(room.talos.address)
    say(page, "A new chat")
    expect(page.locator("[data-sending]")).to_contain_text("A new chat")
    room.reply("New.")
    is_up.append(True)
    page.goto(old)
    wait_for_connection(page)
    page.goto(room.talos.address)
    expect(page.locator(".prose")).to_have_text("New.")
    expect(page.locator(".bubble")).to_have_text("A new chat")
    wait_for_chat(page)
    assert page.url != old


@pytest.mark.promise(2)
def test_a_gap_is_filled_from_a_snapshot(room: Room) -> None:
    gate = Gate()
    room.reply("one ", gate, "two ", "three ", "four")
    page = room.page()
    dropped: list[str] = []

    def lossy(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            if '"two ' in str(message) and not dropped:
                dropped.append(str(message))
            else:
                socket.send(message)

        server.on_message(pass_on)

    page.route_web_socket("**/api/chat/ws", lossy)
    page.reload()
    say(page, "Count")
    expect(page.locator(".plain")).to_have_text("one ")
    gate.open()
    expect(page.locator(".prose")).to_have_text("one two three four")
    assert dropped


def test_a_slow_connection_does_not_move_the_page(room: Room) -> None:
    page = room.page()
    room.reply("And so on.\n\n" * 40)
    say(page, "Tell me a lot")
    wait_for_answer(page)
    held: list[Callable[[], None]] = []
    is_held = True

    def hold(socket: WebSocketRoute) -> None:
        def told(message: str | bytes) -> None:
            if is_held:
                held.append(lambda: socket.send(message))
            else:
                socket.send(message)

        socket.connect_to_server().on_message(told)

    page.route_web_socket("**/api/chat/ws", hold)
    page.add_init_script(PLACES)
    page.reload()
    expect(page.locator("#banner")).to_have_text("Connecting…")
    expect(page.locator("#banner")).to_be_visible()
    is_held = False
    for tell in held:
        tell()
    wait_for_connection(page)
    page.evaluate("new Promise(requestAnimationFrame)")
    assert len(page.evaluate("[...places]")) == 1


def test_the_lost_connection_banner_moves_out_of_the_way(room: Room) -> None:
    page = room.page()
    room.reply("And so on.\n\n" * 40)
    say(page, "Tell me a lot")
    wait_for_answer(page)
    room.talos.kill()
    expect(page.locator("#banner")).to_contain_text("Connection lost")
    page.evaluate(APART)
    page.evaluate("scrollTo(0, 0)")
    jump = page.get_by_role("button", name="Jump to latest")
    jump.click()  # nothing covers it
    expect(jump).to_be_hidden()
