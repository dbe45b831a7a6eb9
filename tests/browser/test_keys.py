"""By keyboard: the chat's menu, the shortcuts, and settings that the browser remembers."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Room, say, wait_for_chat
from tests.support.model_server import Gate

pytestmark = pytest.mark.browser

COLOR = "getComputedStyle(document.body).backgroundColor"
DARK, LIGHT = "rgb(26, 25, 23)", "rgb(253, 252, 250)"


def expect_focus(page: Page, text: str) -> None:
    expect(page.locator(":focus")).to_have_text(text)


def test_the_chat_menu_works_by_keyboard(room: Room) -> None:
    page = room.page()
    menu = page.get_by_role("link", name="Actions for this chat")
    expect(menu).to_be_hidden()  # there is no chat yet
    room.models.title = "Ants"
    say(page, "Hi")
    expect(page.locator("h1")).to_have_text("Ants")
    menu.press("Enter")
    expect_focus(page, "Rename")
    names = ["Pin", "Archive", "Download as Markdown", "Download as JSON", "Delete", "Rename"]
    for name in names:
        page.keyboard.press("ArrowDown")
        expect_focus(page, name)
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()

    page.keyboard.press("Enter")
    expect_focus(page, "Rename")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Rename this chat")).to_be_visible()
    page.keyboard.type("x" * 200 + "y")  # longer than a title may be
    expect(page.get_by_label("Title", exact=True)).to_have_value("x" * 200)
    page.keyboard.press("Control+a")
    page.keyboard.type("Bees")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("h1")).to_have_text("Bees")
    expect(page).to_have_title("Bees · Talos")
    expect(menu).to_be_focused()

    page.keyboard.press("Enter")
    expect_focus(page, "Rename")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#tags")).to_have_text("Pinned")
    expect(page.locator("#sidebar h2")).to_have_text(["Pinned"])


def test_a_conversation_can_be_downloaded(room: Room) -> None:
    page = room.page()
    room.models.title = "Ants"
    say(page, "Hi")
    expect(page.locator("h1")).to_have_text("Ants")
    for name, file in (("Markdown", "ants.md"), ("JSON", "ants.json")):
        page.get_by_role("link", name="Actions for this chat").click()
        with page.expect_download() as download:
            page.get_by_role("link", name=f"Download as {name}").click()
        assert download.value.suggested_filename.lower() == file
        expect(page.locator("#actions")).to_be_hidden()


def test_shortcuts_do_not_fire_while_typing(room: Room) -> None:
    page = room.page()
    text = page.locator("#text")
    expect(text).to_be_focused()
    page.keyboard.type("Why? /x k o s")
    expect(text).to_have_value("Why? /x k o s")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("link", name="New chat").focus()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_be_visible()
    page.keyboard.press("Control+k")  # no second dialog opens above the first
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="New chat")).to_be_focused()
    page.keyboard.press("Shift+Escape")
    expect(text).to_be_focused()
    page.keyboard.press("Control+/")
    expect(sheet).to_be_visible()


def test_escape_closes_a_dialog_before_it_stops_the_answer(room: Room) -> None:
    page = room.page()
    room.reply("Half", Gate())
    say(page, "Hi")
    expect(page.locator(".body")).to_contain_text("Half")
    wait_for_chat(page)
    page.keyboard.press("Control+k")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#stop")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".note.cancelled")).to_be_visible()
    page.keyboard.press("Control+Shift+O")
    expect(page).to_have_url(re.compile(r":\d+/$"))


def test_the_sidebar_stays_hidden_after_a_reload(room: Room) -> None:
    page = room.page()
    sidebar = page.get_by_role("navigation", name="Chats")
    page.keyboard.press("Control+Shift+S")
    expect(sidebar).to_be_hidden()
    page.reload()
    expect(sidebar).to_be_hidden()
    page.get_by_role("button", name="Show chats").press("Enter")
    expect(sidebar).to_be_visible()
    hide = page.get_by_role("button", name="Hide the chat list")
    expect(hide).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Show chats")).to_be_focused()
    page.keyboard.press("Enter")
    page.reload()
    expect(sidebar).to_be_visible()


def test_a_theme_applies_at_once_and_on_other_pages(room: Room) -> None:
    page = room.page(context=room.context(color_scheme="light"))
    assert page.evaluate(COLOR) == LIGHT
    page.locator("#settings").click()
    page.get_by_role("radio", name="System").press("ArrowRight")
    page.get_by_role("radio", name="Light").press("ArrowRight")
    expect(page.locator("html[data-theme=dark]")).to_have_count(1)
    assert page.evaluate(COLOR) == DARK
    plain = room.context(java_script_enabled=False, storage_state=page.context.storage_state())
    other = plain.new_page()
    other.goto(f"{room.talos.address}/settings/")
    assert other.evaluate(COLOR) == DARK
    other.get_by_role("radio", name="Light").check()
    other.locator(".theme").get_by_role("button", name="Save").click()
    expect(other.locator("body")).to_have_css("background-color", LIGHT)
