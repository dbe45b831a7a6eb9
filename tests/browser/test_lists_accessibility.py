"""Lists, menus and dialogs: checked by axe, on narrow screens, and with more contrast."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import Room
from tests.browser.stored import store

pytestmark = pytest.mark.browser

CHATS = (
    ("Weekend in Lisbon", "Plan a weekend"),
    ("عن النمل والنحل", "ما الفرق بين النمل والنحل في Lisbon؟"),
    ("A title " * 24, "Lisbon " + "y" * 200),
)


@pytest.mark.parametrize("width", [1200, 320])
def test_the_lists_pass_axe(room: Room, width: int) -> None:
    page = room.page(context=room.context(viewport={"width": width, "height": 700}))
    store(room, CHATS)
    page.reload()
    if width < 800:
        page.get_by_role("button", name="Show chats").click()
        assert_accessible(page)
    page.locator("#search-chats").click()
    expect(page.locator(".chat-row")).to_have_count(3)
    assert_accessible(page)
    page.locator("#find").fill("lisbon")
    expect(page.locator(".excerpt mark")).to_have_count(2)
    page.locator(".actions-of").first.click()
    expect(page.get_by_role("link", name="Rename")).to_be_focused()
    assert_accessible(page)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Title", exact=True)).to_be_focused()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(page.locator(".actions-of").first).to_be_focused()
    page.locator(".actions-of").last.click()
    page.get_by_role("link", name="Delete", exact=True).click()
    expect(page.get_by_role("dialog", name="Delete this chat?")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Delete this chat?")).to_be_hidden()
    page.locator("#find").fill("nowhere")
    expect(page.locator(".nothing")).to_be_visible()
    assert_accessible(page)


@pytest.mark.parametrize("path", ["/chats/?q=lisbon", "/chats/?archived=1", "/shortcuts/"])
def test_the_list_pages_pass_axe(room: Room, path: str) -> None:
    page = room.page(context=room.context(viewport={"width": 320, "height": 700}))
    store(room, CHATS)
    page.goto(room.talos.address + path)
    assert_accessible(page)


def test_high_contrast_and_print(room: Room) -> None:
    page = room.page()
    store(room, CHATS)
    page.emulate_media(contrast="more")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    page.goto(room.talos.address + "/chats/")
    page.locator(".chat-row .open").first.click()
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator(".bubble")).to_be_visible()
    for hidden in (".sidebar", ".dock", ".tools"):
        expect(page.locator(hidden)).to_be_hidden()
