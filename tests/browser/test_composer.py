"""The composer: commands, keys, input methods, and editing the last message."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Room, say, wait_for_answer, wait_for_connection
from tests.support.model_server import Gate

pytestmark = pytest.mark.browser
ENTER = """working => document.activeElement.dispatchEvent(
    new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...working })
)"""


def field(page: Page) -> Locator:
    return page.get_by_label("Message", exact=True)


def suggestions(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Commands").get_by_role("option")


def test_a_slash_suggests_commands(room: Room) -> None:
    page = room.page()
    box, keys = field(page), page.keyboard
    box.press_sequentially("/")
    expect(suggestions(page).first).to_contain_text("/help Lists the commands.")
    box.press_sequentially("mod")
    expect(suggestions(page)).to_have_count(2)
    expect(box).to_have_attribute("aria-activedescendant", "command-models")
    keys.press("ArrowDown")
    expect(suggestions(page).nth(1)).to_have_attribute("aria-selected", "true")
    keys.press("ArrowDown")
    keys.press("ArrowUp")
    keys.press("Tab")
    expect(box).to_have_value("/model ")  # it takes an argument
    expect(suggestions(page)).to_have_count(0)
    expect(box).to_be_focused()
    box.fill("/stat")
    keys.press("Enter")  # no argument: it is sent
    expect(page.locator(".notice")).to_contain_text("No conversation yet.")
    expect(box).to_have_value("")
    box.fill("/help")  # typed in full: it is sent
    keys.press("Enter")
    expect(box).to_have_value("")
    expect(suggestions(page)).to_have_count(0)
    box.fill("/")
    keys.press("Escape")
    expect(suggestions(page)).to_have_count(0)
    box.press_sequentially("he")
    suggestions(page).click()
    expect(page.locator(".notice").last.locator("li").first).to_contain_text("/help")
    for text in ("/nothing like it", "a/", "/model x"):
        box.fill(text)
        expect(suggestions(page)).to_have_count(0)
    box.fill("/model")
    keys.press("Enter")  # sent as typed
    expect(page.locator(".notice").last).to_contain_text("Model: scripted")


def test_arrow_up_edits_the_last_message(room: Room) -> None:
    room.reply("First answer.")
    page = room.page()
    field(page).press("ArrowUp")  # no message yet
    say(page, "Frist")
    wait_for_answer(page)
    field(page).fill("x")
    field(page).press("ArrowUp")  # an answer is being written
    expect(field(page)).to_be_focused()
    field(page).fill("")
    field(page).press("ArrowUp")
    expect(page.get_by_label("Edit your message")).to_have_value("Frist")
    gate = Gate()
    room.reply("Second ", gate, "answer.")
    page.keyboard.press("Control+A")
    page.keyboard.type("First")
    page.keyboard.press("Enter")
    expect(page.locator(".plain")).to_have_text("Second ")
    expect(page.locator(".bubble")).to_have_text("First")
    say(page, "One more thing")
    expect(page.locator("[data-queued]")).to_be_visible()
    field(page).press("ArrowUp")  # the queued message returns
    expect(field(page)).to_have_value("One more thing")
    expect(page.locator(".bubble")).to_have_count(1)
    gate.open()
    expect(page.locator(".prose")).to_have_text("Second answer.")


def test_enter_is_left_to_the_input_method(room: Room) -> None:
    """Simulate an input method in Chromium: composition, then keys that it still handles."""
    page = room.page()
    field(page).focus()
    method = page.context.new_cdp_session(page)
    method.send("Input.imeSetComposition", {"text": "に", "selectionStart": 1, "selectionEnd": 1})
    expect(field(page)).to_have_value("に")
    for working in ({"isComposing": True}, {"keyCode": 229}):
        page.evaluate(ENTER, working)
        expect(page.locator(".message")).to_have_count(0)
    method.send("Input.insertText", {"text": "日本"})
    expect(field(page)).to_have_value("日本")
    room.reply("はい。")
    page.keyboard.press("Enter")
    expect(page.locator(".bubble")).to_have_text("日本")
    expect(page.locator(".prose")).to_have_text("はい。")


def test_an_empty_field_cannot_be_sent(room: Room) -> None:
    page = room.page()
    send = page.get_by_role("button", name="Send")
    expect(send).to_have_attribute("aria-disabled", "true")
    expect(send).to_have_css("opacity", "0.5")
    field(page).fill(" \n")
    expect(send).to_be_disabled()
    field(page).fill("Hi")
    expect(send).to_be_enabled()
    expect(send).to_have_css("opacity", "1")
    field(page).fill("")
    field(page).press("Tab")
    expect(send).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".message")).to_have_count(0)
    room.reply("Hello.")
    field(page).fill("Hi")
    send.click()
    wait_for_answer(page)
    expect(send).to_be_disabled()


def test_the_field_grows_with_its_text_up_to_a_limit(room: Room) -> None:
    page = room.page()

    def height() -> float:
        box = field(page).bounding_box()
        assert box
        return box["height"]

    low = height()
    field(page).fill("one\ntwo\nthree")
    assert low * 1.5 < height() < low * 4
    field(page).fill("line\n" * 200)
    viewport = page.viewport_size
    assert viewport
    assert height() <= 0.4 * viewport["height"] + 1
    field(page).fill("")
    assert height() == low


def test_shift_enter_breaks_the_line_and_enter_sends(room: Room) -> None:
    room.reply("Two lines.")
    page = room.page()
    box = page.get_by_label("Message", exact=True)
    box.press_sequentially("one")
    box.press("Shift+Enter")
    box.press_sequentially("two")
    box.press("Enter")
    expect(page.locator(".bubble")).to_have_text("one\ntwo")
    expect(box).to_have_value("")
    wait_for_answer(page)
    assert room.models.requests[0].body["messages"][-1]["content"] == "one\ntwo"


def test_a_draft_survives_a_reload(room: Room) -> None:
    page = room.page()
    page.get_by_label("Message", exact=True).fill("Not finished")
    page.reload()
    expect(page.get_by_label("Message", exact=True)).to_have_value("Not finished")


def test_an_overlong_message_is_not_sent(room: Room) -> None:
    page = room.page()
    say(page, "🙂" * 65_537)
    expect(page.get_by_role("alert")).to_contain_text("at most 65,536 characters")
    expect(page.locator(".message")).to_have_count(0)
    room.reply("Long.")
    say(page, "🙂" * 65_536)
    expect(page.locator(".prose")).to_have_text("Long.")


def test_each_tab_keeps_its_own_draft(room: Room) -> None:
    context = room.context()
    one = room.page(context=context)
    wait_for_connection(one)
    one.get_by_label("Message", exact=True).fill("A long thought")
    other = room.page(context=context)
    wait_for_connection(other)
    other.get_by_label("Message", exact=True).fill("Something else")
    say(other, "Something else")
    wait_for_answer(other)
    one.reload()
    expect(one.get_by_label("Message", exact=True)).to_have_value("A long thought")
