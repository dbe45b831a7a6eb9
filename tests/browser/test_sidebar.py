"""The sidebar: short, live, and with a way to delete a chat."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Room, say, wait_for_answer
from tests.browser.stored import store

pytestmark = pytest.mark.browser


def begin(room: Room, page: Page, *titles: str) -> None:
    for title in titles:
        room.models.title = title
        page.goto(room.talos.address)
        say(page, f"Let us talk about {title}")
        expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_the_sidebar_lists_three_chats_and_links_to_all(room: Room) -> None:
    page = room.page()
    begin(room, page, "One", "Two", "Three")
    expect(page.locator(".chats .open")).to_have_text(["Three", "Two", "One"])
    expect(page.get_by_role("link", name="See all chats")).to_have_count(0)
    begin(room, page, "Four")
    expect(page.locator(".chats .open")).to_have_text(["Four", "Three", "Two"])
    page.get_by_role("link", name="See all chats").click()
    expect(page.locator("dialog .title")).to_have_text(["Four", "Three", "Two", "One"])
    page.get_by_role("dialog").get_by_role("link", name="One").first.click()
    expect(page.locator(".bubble")).to_have_text("Let us talk about One")
    expect(page.locator(".chats .open")).to_have_text(["Four", "Three", "Two", "One"])


def test_deleting_asks_for_confirmation(room: Room) -> None:
    page = room.page()
    begin(room, page, "Keep me", "Delete me")
    page.get_by_role("link", name="Delete Keep me").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("“Keep me” and all its messages")
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).to_be_hidden()
    expect(page.locator(".chats .open")).to_have_count(2)

    page.get_by_role("link", name="Delete Delete me").click()
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("link", name="Delete Delete me").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile(r":\d+/$"))  # the current chat was deleted
    expect(page.locator(".chats .open")).to_have_text(["Keep me"])


def test_deleting_another_chat_keeps_the_open_one(room: Room) -> None:
    page = room.page()
    begin(room, page, "Other", "Current")
    page.get_by_role("link", name="Delete Other").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".chats .open")).to_have_text(["Current"])
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator(".prose")).to_have_count(1)
    expect(page.get_by_label("Message", exact=True)).to_be_focused()


def test_a_list_update_during_a_click_does_not_lose_it(room: Room) -> None:
    page = room.page()
    begin(room, page, "Pressed", "Current")
    expect(page.locator(".chats .open")).to_have_text(["Current", "Pressed"])
    page.get_by_role("link", name="Delete Pressed").hover()
    page.mouse.down()
    with page.expect_response(re.compile("/sidebar/$")):
        store(room, [("News", "From elsewhere")])
        say(page, "Which make the list fetch itself again")
    wait_for_answer(page)
    page.mouse.up()
    expect(page.get_by_role("dialog")).to_contain_text("“Pressed” and all its messages")
    expect(page.locator(".chats .open")).to_have_text(["Current", "Pressed", "News"])


def test_reading_and_deleting_work_without_javascript(room: Room) -> None:
    page = room.page()
    begin(room, page, "Readable")
    plain = room.context(java_script_enabled=False).new_page()
    plain.goto(page.url)
    expect(plain.locator(".prose")).to_contain_text("You said: Let us talk about Readable")
    expect(plain.locator("noscript .banner")).to_be_visible()
    expect(plain.locator("#composer")).to_be_hidden()
    plain.get_by_role("link", name="Delete Readable").click()
    plain.get_by_role("button", name="Delete").click()
    expect(plain.locator(".chats .open")).to_have_count(0)


@pytest.mark.parametrize("path", ["/", "/chats/"])
def test_reconnecting_updates_the_sidebar(room: Room, path: str) -> None:
    page = room.page(path)
    room.talos.kill()
    store(room, [("Meanwhile", "Said while nobody heard it")])
    room.restart()
    expect(page.locator(".chats .open")).to_have_text(["Meanwhile"])
