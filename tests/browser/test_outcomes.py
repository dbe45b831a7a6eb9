"""Notes on an answer: error details, waits, remarks, and the context gauge."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.accessibility import OVERFLOW, assert_accessible
from tests.browser.conftest import (
    SOCKET,
    Room,
    say,
    wait_for_answer,
    wait_for_chat,
    wait_for_connection,
    wait_until,
)
from tests.browser.stored import amend
from tests.support.model_server import Cut, Gate, Status, Think, Tokens

pytestmark = pytest.mark.browser

HOSTILE = (
    "400\n<script>window.owned = 1</script><img src=x onerror=owned=1>\n"
    "\u202egnp.exe " + "long" * 400 + "\n\ttabs"
)
PHONE = {"width": 390, "height": 844}
TELL = """(frame) => socket.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(frame) }))"""
"""Dispatch a frame on the page as if the server had sent it."""
FAIL = """(frame) => {
  const data = JSON.stringify({ type: "error", code: "model_error", seq: window.seq + 1, ...frame })
  socket.dispatchEvent(new MessageEvent("message", { data }))
}"""
"""Dispatch a failure, and ignore the server's own one that follows."""
AGO = "(seconds) => new Date(Date.now() - seconds * 1000).toISOString()"


def fail(room: Room, page: Page) -> Locator:
    """Make an answer fail."""
    room.reply(Status(400))
    say(page, "Go")
    wait_for_answer(page)
    return page.locator(".outcome")


def open_page(room: Room, **options: Any) -> Page:
    """Open a page whose connection the test can send frames through."""
    context = room.context(**options)
    context.add_init_script(SOCKET)
    page = room.page(context=context)
    wait_for_connection(page)
    return page


def wait_note(page: Page, note: str | None = None, seconds: int = 0) -> None:
    """Send a status, with a wait that began so many seconds ago if there is a note."""
    data = {
        "status": "thinking",
        "message_id": page.locator(".assistant").last.get_attribute("data-id"),
    }
    if note is not None:
        data |= {"note": note, "since": page.evaluate(AGO, seconds)}
    page.evaluate(TELL, {"type": "event", "event": "status", "data": data})


# --- details of an error ------------------------------------------------------------------------


@pytest.mark.parametrize("has_script", [True, False])
def test_error_details_are_shown_as_text(room: Room, has_script: bool) -> None:
    page = room.page()
    fail(room, page)
    wait_for_chat(page)
    amend(room, error_details=HOSTILE)
    context = room.context(java_script_enabled=has_script, viewport=PHONE)
    page = room.page(page.url.removeprefix(room.talos.address), context)
    details = page.locator(".cause pre")
    expect(details).to_be_hidden()
    page.locator(".cause summary").press("Enter")
    expect(details).to_be_visible()
    expect(details).to_have_text(HOSTILE.replace("\u202e", "\\u202e"), use_inner_text=False)
    expect(page.locator(".cause :is(script, img)")).to_have_count(0)
    if has_script:
        assert page.evaluate("'owned' in window") is False
        assert page.evaluate(OVERFLOW) <= 0
        assert_accessible(page)


def test_live_error_details_look_the_same_after_a_reload(room: Room) -> None:
    page = open_page(room)
    gate = Gate()
    room.reply("Well", gate, Cut())
    say(page, "Go")
    expect(page.locator(".plain")).to_have_text("Well")
    said = "It <i>failed</i>."
    page.evaluate(FAIL, {"content": said, "details": HOSTILE})
    outcome = page.locator(".outcome")
    expect(outcome.locator(".note")).to_have_text("It <i>failed</i>.")
    outcome.locator("summary").click()
    expect(outcome.locator("pre")).to_contain_text("<script>")
    live = shape(outcome)
    gate.open()
    wait_for_answer(page)
    amend(
        room,
        status="failed",
        error=said,
        error_code="model_error",
        error_details=HOSTILE,
    )
    page.reload()
    outcome.locator("summary").click()
    assert shape(outcome) == live
    assert page.evaluate("'owned' in window") is False


def shape(outcome: Locator) -> tuple[str, dict[str, float]]:
    """An element's structure and size."""
    html = re.sub(r"\s*\n\s*(?=<)", "", outcome.inner_html()).strip()
    box = outcome.bounding_box()
    assert box is not None
    return html, {name: box[name] for name in ("x", "width", "height")}


def test_expanded_error_details_stay_open_when_the_answer_ends(room: Room) -> None:
    page = open_page(room)
    gate = Gate()
    room.reply("Well", gate, Cut())
    say(page, "Go")
    expect(page.locator(".plain")).to_have_text("Well")
    page.evaluate(FAIL, {"content": "No.", "details": "400"})
    summary = page.locator(".cause summary")
    summary.press("Enter")
    expect(page.locator(".cause pre")).to_be_visible()

    def rendered(route: Route) -> None:
        amend(room, error_details="400")
        route.continue_()

    page.route("**/messages/**", rendered)
    gate.open()
    wait_for_answer(page)
    expect(page.locator(".cause pre")).to_be_visible()
    expect(summary).to_be_focused()


def test_error_details_can_be_copied(room: Room) -> None:
    page = room.page()
    fail(room, page)
    wait_for_chat(page)
    amend(room, error_details="400 Bad Request\nno such field")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.reload()
    wait_for_connection(page)
    page.locator(".cause summary").click()
    page.get_by_role("button", name="Copy code").click()
    expect(page.locator("#announcer")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "400 Bad Request\nno such field"


def test_error_details_are_printed(room: Room) -> None:
    page = room.page()
    fail(room, page)
    wait_for_chat(page)
    amend(room, error_details="400 Bad Request")
    page.reload()
    page.emulate_media(media="print")
    expect(page.get_by_text("400 Bad Request")).to_be_visible()


# --- waits --------------------------------------------------------------------------------------


def test_a_wait_shows_its_seconds_until_text_arrives(room: Room) -> None:
    page = open_page(room)
    gate, later = Gate(), Gate()
    room.reply(gate, "Well", later, ".")
    say(page, "Go")
    progress = page.locator(".progress")
    expect(progress).to_have_text("Thinking…")
    height = progress.bounding_box()
    wait_note(page, "Waiting for the model", 42)
    expect(progress).to_have_text("Waiting for the model · 0:42")
    expect(page.locator("#announcer")).to_have_text("Waiting for the model")
    wait_until(page, "document.querySelector('.progress').innerText.endsWith('0:44')")
    expect(page.locator("#announcer")).to_have_text("Waiting for the model")
    assert progress.bounding_box() == height
    wait_note(page, "Rate-limited, trying again in 12 s (2 of 3)")
    expect(progress).to_contain_text("Rate-limited, trying again in 12 s (2 of 3) · 0:0")
    expect(page.locator("#announcer")).to_contain_text("Rate-limited")
    gate.open()
    expect(progress).to_have_text("Writing…")
    expect(page.locator(".plain")).to_have_text("Well")
    wait_note(page, "Waiting for the model", 3700)
    expect(progress).to_contain_text("Waiting for the model · 61:4")
    later.open()
    wait_for_answer(page)
    expect(progress).to_have_count(0)


def test_a_wait_during_reasoning_is_shown_until_the_next_status(room: Room) -> None:
    page = open_page(room)
    gate = Gate()
    room.reply(Think("Hm."), gate, "Well.")
    say(page, "Go")
    expect(page.locator(".reasoning summary")).to_have_text("Thinking…")
    progress = page.locator(".progress")
    expect(progress).to_be_hidden()
    wait_note(page, "Waiting for the model")
    expect(progress).to_be_visible()
    wait_note(page)
    expect(progress).to_be_hidden()
    gate.open()
    wait_for_answer(page)


@pytest.fixture
def hasty_room(empty_room: Room) -> Room:
    """Waits are reported after a second."""
    empty_room.talos.command = ("-m", "tests.support.altered_server", "chat.turns.waiting:EVERY=1")
    empty_room.serve()
    return empty_room


def test_a_silent_model_is_reported_also_after_a_reload(hasty_room: Room) -> None:
    room = hasty_room
    page = room.page()
    gate = Gate()
    room.reply(gate, "Well", Gate())
    say(page, "Go")
    progress = page.locator(".progress")
    expect(progress).to_contain_text("Waiting for the model · 0:0")
    wait_for_chat(page)
    wait_until(page, "document.querySelector('.progress').innerText.endsWith('0:05')")
    page.reload()
    expect(progress).to_contain_text(re.compile(r"Waiting for the model · 0:(0[5-9]|1\d)"))
    assert_accessible(page)
    gate.open()
    expect(page.locator(".plain")).to_have_text("Well")
    expect(progress).to_contain_text(re.compile(r"Waiting for the model · 0:0[1-3]"))
    page.get_by_role("button", name="Stop the answer").click()
    wait_for_answer(page)


# --- remarks, and how full the context is -------------------------------------------------------


def test_a_remark_is_shown_under_its_answer(room: Room) -> None:
    page = room.page()
    room.reply("Well.")
    say(page, "Go")
    wait_for_answer(page)
    wait_for_chat(page)
    amend(room, note="This model's server does not take tools: <b>answered</b> without.")
    page.reload()
    expect(page.locator(".remark")).to_have_text(
        "This model's server does not take tools: <b>answered</b> without."
    )
    assert_accessible(page)


def test_a_nearly_full_context_is_measured_and_warned_about_once(room: Room) -> None:
    page = room.page()
    for text in ("One", "Two"):
        room.reply("Well.", Tokens(53_000, 1_000))
        say(page, text)
        expect(page.locator(".assistant .handles")).to_have_count(1 if text == "One" else 2)
        wait_for_chat(page)
        amend(room, context_tokens=112_000, context_window=128_000)
    page.reload()
    wall = page.locator(".wall")
    expect(wall).to_have_count(2)
    expect(wall.first).to_be_hidden()
    expect(wall.last).to_have_text(
        "This chat fills 87% of the model's context. Its oldest messages will soon be left out."
    )
    page.get_by_label("Details of this answer").last.press("Enter")
    gauge = page.locator(".gauge").last
    expect(gauge).to_contain_text("112k of 128k tokens (87%)")
    expect(gauge.get_by_role("meter", name="How full the model's context is")).to_be_visible()
    assert_accessible(page)
    say(page, "/status")
    expect(page.locator(".notice")).to_contain_text("Context: 112k of 128k tokens (87%)")
    page.locator("#settings").click()
    usage = page.get_by_role("region", name="Usage in this chat")
    expect(usage.locator(".gauge")).to_contain_text("112k of 128k")
    assert_accessible(page)


def test_a_context_with_room_left_causes_no_warning(room: Room) -> None:
    page = room.page()
    room.reply("Well.", Tokens(53_000, 1_000))
    say(page, "Go")
    wait_for_answer(page)
    wait_for_chat(page)
    amend(room, context_tokens=54_000, context_window=128_000)
    page.reload()
    page.get_by_label("Details of this answer").press("Enter")
    expect(page.locator(".gauge")).to_contain_text("54k of 128k tokens (42%)")
    expect(page.locator(".wall")).to_have_count(0)
