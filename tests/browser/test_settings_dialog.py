"""The settings: saved, applied to requests, and confirmed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.conftest import Room, say, wait_for_answer, wait_for_chat

pytestmark = pytest.mark.browser


def begin_chat(room: Room) -> Page:
    room.reply("Hello.")
    page = room.page()
    say(page, "Hi")
    wait_for_answer(page)
    wait_for_chat(page)
    return page


def test_settings_reach_the_model(room: Room) -> None:
    page = begin_chat(room)
    page.get_by_role("button", name="Chat settings").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Settings", exact=True)).to_be_focused()
    dialog.get_by_label("Instructions").fill("Answer in rhyme.")
    dialog.get_by_label("Temperature").fill("0.25")
    dialog.get_by_label("Maximum answer length (tokens)").fill("77")
    dialog.locator("#save-asked").click()
    expect(dialog.locator("#asked-said")).to_contain_text("Saved.")
    expect(dialog.locator("#save-asked")).to_be_focused()
    dialog.get_by_label("System prompt").fill("You are an ant.")
    dialog.locator("#save-preferred").click()
    expect(dialog.locator("#preferred-said")).to_contain_text("Saved.")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#settings")).to_be_focused()
    room.reply("So be it.")
    say(page, "Go on")
    expect(page.locator(".prose").nth(1)).to_have_text("So be it.")
    body = room.models.request(2).body
    assert body["messages"][0]["content"] == "You are an ant.\n\nAnswer in rhyme."
    assert body["temperature"] == 0.25
    assert 77 in (body.get("max_tokens"), body.get("max_completion_tokens"))


def test_an_invalid_value_stays_and_is_explained_at_its_field(room: Room) -> None:
    page = begin_chat(room)
    page.locator("#settings").click()
    field = page.get_by_label("Temperature")
    field.fill("warm")
    field.press("Enter")
    expect(page.locator("#id_temperature_error")).to_contain_text("a number from 0 to 2")
    expect(field).to_have_accessible_description(re.compile("a number from 0 to 2"))
    expect(field).to_have_value("warm")
    page.get_by_label("Maximum answer length (tokens)").fill("many")
    page.locator("#save-asked").click()
    expect(field).to_be_focused()  # the first invalid field
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("1")
    page.get_by_label("Maximum answer length (tokens)").fill("")
    expect(page.locator("#asked-said")).to_be_empty()
    field.press("Enter")
    expect(page.locator("#asked-said")).to_contain_text("Saved.")
    expect(page.locator(".errorlist")).to_have_count(0)


def test_a_click_outside_keeps_unsaved_text(room: Room) -> None:
    page = begin_chat(room)
    page.locator("#settings").click()
    page.get_by_label("Instructions").fill("A long thought")
    page.mouse.click(5, 5)
    expect(page.get_by_label("Instructions")).to_have_value("A long thought")


@pytest.mark.parametrize("way", ["Escape", "Close"])
def test_closing_the_dialog_warns_of_unsaved_changes(room: Room, way: str) -> None:
    page = begin_chat(room)
    dialog = page.get_by_role("dialog")

    def close() -> None:
        if way == "Close":
            dialog.get_by_role("button", name="Close").click()
        else:
            page.keyboard.press("Escape")

    page.locator("#settings").click()
    expect(dialog).to_be_visible()
    close()  # nothing changed
    expect(dialog).to_be_hidden()
    page.locator("#settings").click()
    dialog.get_by_label("Instructions").fill("A long thought")
    close()
    expect(dialog.locator("#asked-said")).to_contain_text("Unsaved changes.")
    expect(dialog.get_by_label("Instructions")).to_have_value("A long thought")
    dialog.get_by_label("Instructions").press("End")
    page.keyboard.type(", and more")
    close()  # the text changed again: a new warning
    expect(dialog.locator("#asked-said")).to_contain_text("Unsaved changes.")
    close()
    expect(dialog).to_be_hidden()
    page.locator("#settings").click()
    dialog.get_by_label("Instructions").fill("A long thought")
    dialog.locator("#save-asked").click()
    expect(dialog.locator("#asked-said")).to_contain_text("Saved.")
    close()
    expect(dialog).to_be_hidden()


def test_leaving_the_page_warns_of_unsaved_changes(room: Room) -> None:
    page = room.page("/settings/")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    prompt = page.get_by_label("System prompt")
    prompt.click()
    page.keyboard.type("You are an ant.")
    with page.expect_event("dialog"):
        page.get_by_role("link", name="New chat").click(no_wait_after=True)
    expect(prompt).to_have_value("You are an ant.")
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    page.get_by_role("link", name="New chat").click()
    expect(page.get_by_role("heading", name="What's on your mind?")).to_be_visible()
    assert asked == ["beforeunload"]


def test_the_system_prompt_can_be_saved_and_reset(room: Room) -> None:
    page = room.page()
    page.get_by_role("link", name="Settings").click()
    prompt = page.get_by_label("System prompt")
    prompt.fill("You are an ant.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    page.reload()
    expect(prompt).to_have_value("You are an ant.")
    page.get_by_role("button", name="Reset to default").click()
    expect(prompt).to_have_value("")


def test_settings_work_without_javascript(room: Room) -> None:
    page = begin_chat(room)
    plain = room.context(java_script_enabled=False).new_page()
    plain.goto(page.url)
    plain.get_by_role("button", name="Chat settings").click()
    plain.get_by_label("Instructions").fill("Answer in rhyme.")
    plain.locator("#save-asked").click()
    expect(plain.locator("#asked-said")).to_contain_text("Saved.")
    plain.goto(page.url)
    plain.get_by_role("button", name="Model: scripted").click()
    plain.get_by_role("option", name="demo").click()
    expect(plain).to_have_url(page.url)
    expect(plain.locator("#model .name")).to_have_text("demo")


def test_tools_can_be_switched_off_for_a_chat_or_a_model(room: Room) -> None:
    page = begin_chat(room)
    assert "tools" in room.models.request(1).body
    page.locator("#settings").click()
    here = page.get_by_label("Offer tools in this chat")
    expect(here).to_be_checked()
    here.press("Space")
    said = page.locator("#tools-said")
    expect(said).to_have_text("Saved. Applies from your next message.")
    expect(here).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    room.reply("Without.")
    say(page, "Go on")
    wait_for_answer(page)
    assert "tools" not in room.models.request(2).body
    say(page, "/tools on")
    expect(page.locator(".notice")).to_have_text("Tools: on")
    page.locator("#settings").click()
    expect(here).to_be_checked()
    everywhere = page.get_by_label("Offer tools to scripted in all chats")
    everywhere.uncheck()
    expect(said).to_have_text("Saved. Applies from your next message.")
    page.keyboard.press("Escape")
    room.reply("Without, again.")
    say(page, "And on")
    expect(page.locator(".prose").last).to_have_text("Without, again.")
    assert "tools" not in room.models.request(3).body
    say(page, "/status")
    expect(page.locator(".notice").last).to_contain_text("Tools: off for scripted")


def test_tools_can_be_switched_off_without_javascript(room: Room) -> None:
    page = begin_chat(room)
    plain = room.context(java_script_enabled=False).new_page()
    plain.goto(page.url + "settings/")
    plain.get_by_label("Offer tools in this chat").uncheck()
    plain.locator("#save-tools").click()
    expect(plain.get_by_label("Offer tools in this chat")).not_to_be_checked()
    expect(plain.get_by_label("Offer tools to scripted in all chats")).to_be_checked()
