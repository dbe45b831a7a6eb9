"""The model menu: by mouse, by keyboard, in a new chat and in a used one."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Room, say, wait_for_answer, wait_for_chat

pytestmark = pytest.mark.browser

MODELS = ["scripted", *(f"ant-{number}" for number in range(1, 9))]


@pytest.fixture
def many(empty_room: Room) -> Room:
    """Ten models, including the demo: more than the menu shows without a filter."""
    empty_room.serve_models(MODELS)
    return empty_room


def badge(page: Page) -> str:
    return page.locator("#model .name").inner_text()


def test_a_new_chat_uses_the_chosen_model(many: Room) -> None:
    page = many.page()
    assert badge(page) == "scripted"
    page.get_by_role("button", name="Model: scripted").click()
    expect(page.get_by_role("option", selected=True)).to_have_text("scripted")
    page.get_by_role("option", name="ant-3").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Model: ant-3")).to_be_focused()
    many.models.script("ant-3", "I am three.")
    say(page, "Who are you?")
    expect(page.locator(".prose")).to_have_text("I am three.")
    wait_for_answer(page)
    many.models.script("ant-3", "Still three.")
    page.reload()
    assert badge(page) == "ant-3"
    say(page, "And now?")
    expect(page.locator(".prose").nth(1)).to_have_text("Still three.")
    page.get_by_role("link", name="New chat").click()
    expect(page.locator("#model .name")).to_have_text("ant-3")  # the last choice
    page.wait_for_load_state()
    page.locator("#model").click()
    expect(page.get_by_role("option", selected=True)).to_have_text("ant-3")
    page.get_by_role("option", name="ant-4").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    many.models.script("ant-4", "I am four.")
    say(page, "Who are you?")
    expect(page.locator(".prose")).to_have_text("I am four.")
    wait_for_answer(page)
    page.locator("#model").click()
    page.get_by_role("option", name="ant-5").click()
    expect(page.locator("#model .name")).to_have_text("ant-5")
    expect(page.get_by_role("dialog")).to_be_hidden()
    many.models.script("ant-5", "And I am five.")
    say(page, "And you?")
    expect(page.locator(".prose").nth(1)).to_have_text("And I am five.")


def test_a_conversation_can_change_its_model(many: Room) -> None:
    many.reply("Hello.")
    page = many.page()
    say(page, "Hi")
    wait_for_answer(page)
    page.locator("#model").click()
    page.get_by_role("option", name="ant-5").click()
    expect(page.locator("#model .name")).to_have_text("ant-5")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#model")).to_be_focused()
    many.models.script("ant-5", "Five here.")
    say(page, "Who are you?")
    expect(page.locator(".prose").nth(1)).to_have_text("Five here.")
    assert [request.body["model"] for request in many.models.requests] == ["scripted", "ant-5"]


def test_a_model_can_be_chosen_by_keyboard(many: Room) -> None:
    page = many.page()
    keys = page.keyboard
    page.locator("#model").focus()
    keys.press("Enter")
    expect(page.get_by_role("option", name="scripted", exact=True)).to_be_focused()
    keys.press("ArrowDown")
    expect(page.get_by_role("option", name="ant-1")).to_be_focused()
    keys.press("End")
    expect(page.get_by_role("option", name="demo")).to_be_focused()
    keys.press("Home")
    keys.press("ArrowUp")
    expect(page.get_by_label("Filter models")).to_be_focused()
    keys.press("ArrowDown")
    keys.type("NT-4")  # typing goes to the filter from anywhere
    expect(page.get_by_label("Filter models")).to_have_value("NT-4")
    expect(page.get_by_role("option")).to_have_text(["ant-4"])
    expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("1 model")
    keys.press("Enter")
    expect(page.locator("#model .name")).to_have_text("ant-4")
    expect(page.locator("#model")).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_role("option", name="ant-4")).to_be_focused()
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#model")).to_be_focused()
    assert badge(page) == "ant-4"


def test_one_of_thousands_of_models_is_found_by_typing(empty_room: Room) -> None:
    empty_room.serve_models(["scripted", *(f"bee-{number}" for number in range(4000))])
    page = empty_room.page()
    page.locator("#model").click()
    said = page.get_by_role("dialog").get_by_role("status")
    expect(said).to_contain_text("more: type to find them")
    page.get_by_label("Filter models").fill("bee-3999")
    expect(page.get_by_role("option")).to_have_text(["bee-3999"])
    expect(said).to_have_text("1 model")
    expect(page.get_by_label("Filter models")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert badge(page) == "bee-3999"


@pytest.mark.parametrize("is_begun", [False, True], ids=["empty", "begun"])
def test_the_model_command_updates_the_badge(many: Room, is_begun: bool) -> None:
    page = many.page()
    if is_begun:
        many.reply("Hello.")
        say(page, "Hi")
        wait_for_answer(page)
        wait_for_chat(page)
    say(page, "/model nobody")
    expect(page.locator(".notice").first).to_contain_text("There is no model")
    expect(page.locator("[data-command='/model']")).to_have_count(1)  # it is answered
    assert badge(page) == "scripted"
    say(page, "/model ant-2")
    expect(page.locator("#model .name")).to_have_text("ant-2")
    many.models.script("ant-2", "Two here.")
    say(page, "Who are you?")
    expect(page.locator(".prose").last).to_have_text("Two here.")
    wait_for_answer(page)
    page.reload()
    assert badge(page) == "ant-2"
