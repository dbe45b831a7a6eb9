"""The page's state: progress, missed events, announcements to screen readers."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import (
    SOCKET,
    Room,
    say,
    wait_for_answer,
    wait_for_chat,
    wait_for_connection,
    wait_until,
)
from tests.support.model_server import Call, Gate, Think

pytestmark = pytest.mark.browser
HIDE = """isHidden => {
    Object.defineProperty(document, "visibilityState", {
        get: () => isHidden ? "hidden" : "visible", configurable: true,
    })
    document.dispatchEvent(new Event("visibilitychange"))
}"""
HEARD = """
window.heard = []
new MutationObserver(() => heard.push(document.querySelector("#announcer").textContent))
    .observe(document.querySelector("#announcer"), { childList: true })
"""


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    return {"TALOS_TOOLS": "tools,tests.support.effect_tools"}


def test_an_unseen_answer_marks_the_tab_title(room: Room) -> None:
    gate = Gate()
    room.models.title = "About ants"
    room.reply("Twenty", gate, ".")
    page = room.page()
    say(page, "How many?")
    expect(page.locator(".plain")).to_have_text("Twenty")
    page.evaluate(HIDE, True)
    gate.open()
    expect(page).to_have_title("✓ About ants · Talos")
    page.evaluate(HIDE, False)
    expect(page).to_have_title("About ants · Talos")
    room.reply("More.")
    say(page, "More")
    expect(page.locator(".prose")).to_have_count(2)
    wait_for_answer(page)
    expect(page).to_have_title("About ants · Talos")


def test_progress_is_shown_and_announced_once(room: Room) -> None:
    thinks, writes = Gate(), Gate()
    page = room.page()
    page.evaluate(HEARD)
    room.reply(
        Think("Hm."), thinks, "Let me see. ", writes, Call("calculate", '{"expression": "1+1"}')
    )
    last = Gate()
    room.reply("It is ", last, "*two*.")
    say(page, "1+1?")
    expect(page.locator(".reasoning summary")).to_have_text("Thinking…")
    expect(page.locator(".progress")).to_be_hidden()
    thinks.open()
    expect(page.locator(".progress")).to_have_text("Writing…")
    writes.open()
    expect(page.locator(".plain")).to_have_text(["It is "])
    last.open()
    expect(page.locator("#announcer")).to_contain_text("It is two.")
    said = page.evaluate("heard")
    assert len(said) == 1
    assert said[0].startswith("Talos")
    say(page, "/models")
    expect(page.locator("#announcer")).to_contain_text("Available models:")
    assert len(page.evaluate("heard")) == 2


def test_the_end_of_a_long_answer_is_announced(room: Room) -> None:
    room.reply("word " * 300, Gate())
    page = room.page()
    say(page, "Go on for ever")
    expect(page.locator(".plain")).to_contain_text("word")
    page.get_by_role("button", name="Stop the answer").click()
    expect(page.locator("#announcer")).to_contain_text("Talos Stopped word word")


def test_a_running_tool_is_named(room: Room) -> None:
    room.reply(Call("report", '{"file": "/nonexistent/of/this/test"}'))
    page = room.page()
    say(page, "go")
    expect(page.locator(".progress")).to_have_text("Using report…")
    page.get_by_role("button", name="Stop the answer").click()
    expect(page.locator(".note.cancelled")).to_have_text("Stopped")


def test_a_lost_connection_keeps_an_edit(room: Room) -> None:
    room.reply("First answer.")
    page = room.page()
    say(page, "First")
    wait_for_answer(page)
    wait_for_chat(page)
    page.locator(".user").get_by_role("button", name="Edit").click()
    field = page.get_by_label("Edit your message")
    field.fill("Changed")
    room.talos.kill()
    expect(page.locator("#banner")).to_contain_text("Trying again in 3 s")
    field.press("Enter")
    expect(page.locator(".editor .complaint")).to_contain_text("Not connected")
    page.get_by_role("button", name="Try again", exact=True).click()
    expect(page.locator("#complaint")).to_contain_text("Not connected")
    room.restart()
    wait_for_connection(page)
    expect(field).to_have_value("Changed")
    room.reply("Second answer.")
    field.press("Enter")
    expect(page.locator(".prose")).to_have_text(["Second answer."])
    expect(page.locator(".bubble")).to_have_text("Changed")


def test_two_answers_in_a_row_can_be_stopped(room: Room) -> None:
    room.reply("The first ", Gate())
    room.reply("The second ", Gate())
    page = room.page()
    say(page, "One")
    expect(page.locator(".plain")).to_have_text("The first ")
    say(page, "Two")
    expect(page.locator("[data-queued]")).to_be_visible()
    stop = page.get_by_role("button", name="Stop the answer")
    stop.click()
    expect(page.locator(".plain").last).to_have_text("The second ")
    stop.click()
    wait_for_answer(page)
    expect(page.locator(".note.cancelled")).to_have_count(2)


def test_a_stop_without_a_connection_is_refused(room: Room) -> None:
    room.reply("On and ", Gate())
    page = room.page()
    say(page, "Go on for ever")
    expect(page.locator(".plain")).to_have_text("On and ")
    room.talos.kill()
    expect(page.locator("#banner")).to_contain_text("Trying again in 3 s")
    stop = page.get_by_role("button", name="Stop the answer")
    stop.click()
    expect(page.locator("#complaint")).to_contain_text("Not connected")
    expect(stop).to_be_enabled()
    room.restart()
    wait_for_connection(page)
    expect(page.locator("#complaint")).to_be_empty()


def test_a_cancellation_without_a_connection_is_refused(room: Room) -> None:
    room.reply("On and ", Gate())
    page = room.page()
    say(page, "Go on for ever")
    expect(page.locator(".plain")).to_have_text("On and ")
    say(page, "And then this")
    take_back = page.get_by_role("button", name="Cancel")
    expect(take_back).to_be_visible()
    room.talos.kill()
    expect(page.locator("#banner")).to_contain_text("Trying again in 3 s")
    take_back.click()
    expect(page.locator("#complaint")).to_contain_text("Not connected")
    expect(page.locator(".bubble")).to_have_text(["Go on for ever", "And then this"])


RETRY = """() => new Promise((resolve) => {
    dispatchEvent(new Event("online"))
    socket.addEventListener("close", () => setTimeout(resolve))
})"""


def test_a_lost_connection_is_announced_once(room: Room) -> None:
    room.reply("On and ", Gate())
    page = room.page()
    page.add_init_script(SOCKET)
    page.reload()
    say(page, "Go on for ever")
    expect(page.locator(".plain")).to_have_text("On and ")
    expect(page.locator(".progress")).to_be_visible()
    page.evaluate("""() => {
        window.said = 0
        const count = (records) => { said += records.length }
        new MutationObserver(count).observe(document.querySelector("#banner"), { childList: true })
    }""")
    room.talos.kill()
    expect(page.locator("#banner")).to_contain_text("Trying again in 3 s")
    expect(page.locator(".progress")).to_be_hidden()
    said = page.evaluate("said")
    page.evaluate(RETRY)
    page.evaluate(RETRY)
    assert page.evaluate("said") == said
    room.restart()
    wait_for_connection(page)
    expect(page.locator(".note.interrupted")).to_be_visible()


BREAK = """() => {
    window.kept = document.querySelector(".prose li")
    window.broken = socket
    window.banners = []
    const banner = document.querySelector("#banner")
    new MutationObserver(() => banners.push(banner.textContent)).observe(banner, { childList: true })
    socket.addEventListener("close", () => setTimeout(() => dispatchEvent(new Event("online"))))
    socket.close()
}"""


def test_a_live_answer_continues_after_reconnecting(room: Room) -> None:
    """Existing blocks stay, missing ones arrive, none is duplicated."""
    gate = Gate()
    room.reply(Think("Hm."), "*Let* me see.", Call("calculate", '{"expression": "1+1"}'))
    room.reply("One *two*.\n\n- three\n- four\n\nFi", gate, "ve *six*.")
    page = room.page()
    page.add_init_script(SOCKET)
    page.reload()
    say(page, "Count")
    expect(page.locator(".plain")).to_have_text(["Fi"])
    expect(page.locator(".prose li")).to_have_count(2)
    page.evaluate(BREAK)
    wait_until(page, "socket !== broken")
    wait_for_connection(page)
    assert any("Trying again in 3 s" in banner for banner in page.evaluate("banners"))
    expect(page.locator(".plain")).to_have_text(["Fi"])
    expect(page.locator(".body > *")).to_have_count(3)
    gate.open()
    wait_for_answer(page)
    expect(page.locator(".prose p").last).to_have_text("Five six.")
    expect(page.locator(".body > *")).to_have_count(3)
    expect(page.locator(".prose > *")).to_have_count(4)
    assert page.evaluate("kept.isConnected")
