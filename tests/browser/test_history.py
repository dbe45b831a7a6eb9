"""The list of all chats: searched, opened and organised by mouse and keyboard, in every tab."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import (
    SOCKET,
    Room,
    say,
    wait_for_answer,
    wait_for_connection,
    wait_until,
)
from tests.browser.stored import store
from tests.support.hostile_texts import HOST, RUN, TEXTS
from tests.support.model_server import Gate

pytestmark = pytest.mark.browser

CHATS = (
    ("Weekend in Lisbon", "Plan a weekend that costs next to nothing"),
    ("Sourdough", f"{'Flour and water. ' * 60} How warm should it be? {'Feed it. ' * 60}"),
    ("Bees", "Do bees like **Lisbon**?"),
)


def open_list(room: Room) -> Page:
    """Open a page with the list of all chats and some chats in it."""
    page = room.page()
    store(room, CHATS)
    page.keyboard.press("Control+k")
    expect(page.locator("#find")).to_be_focused()
    return page


def search(page: Page, words: str) -> None:
    """Type words and wait for their results: the first letters have results too."""
    page.keyboard.type(words)
    expect(page.locator("#list")).to_have_attribute("data-query", words)


def test_a_chat_is_found_and_opened_by_keyboard(room: Room) -> None:
    page = open_list(room)
    expect(page.locator("#results .title")).to_have_text([title for title, _ in CHATS])
    search(page, "warm")
    expect(page.locator("#results .title")).to_have_text(["Sourdough"])
    expect(page.locator("#results .excerpt mark")).to_have_text("warm")
    expect(page.locator("#results .excerpt")).to_contain_text("How warm should it be?")
    expect(page.locator("#found")).to_have_text("1 chat found")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Sourdough")
    expect(page.locator(".message.user")).to_be_in_viewport()


def test_a_result_opens_at_its_message(room: Room) -> None:
    page = room.page()
    room.reply("And so on.\n\n" * 60)
    say(page, "Where is the needle?")
    wait_for_answer(page)
    expect(page.locator(".message.user")).not_to_be_in_viewport()
    page.keyboard.press("Control+k")
    expect(page.locator("#find")).to_be_focused()
    search(page, "needle")
    expect(page.locator(".excerpt mark")).to_have_text("needle")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("at="))
    wait_for_connection(page)
    expect(page.locator(".message.user")).to_be_in_viewport()


def test_an_answer_that_ended_unseen_is_marked_in_another_tab(room: Room) -> None:
    stays, goes = room.page(), room.page()
    wait_for_connection(stays)
    gate = Gate()
    room.models.title = "Ants"
    room.reply("Half", gate, " and whole.")
    say(goes, "Hi")
    expect(goes.locator(".body")).to_contain_text("Half")
    goes.goto(f"{room.talos.address}/shortcuts/")
    goes.reload()  # answered by a server that knows it left
    gate.open()
    expect(stays.locator("#sidebar .unread")).to_have_count(1)
    stays.get_by_role("link", name="Ants").first.click()
    expect(stays.locator(".prose")).to_have_text("Half and whole.")
    stays.get_by_role("link", name="New chat").click()
    expect(stays.locator("#sidebar .title")).to_have_text(["Ants"])
    expect(stays.locator("#sidebar .unread")).to_have_count(0)


def test_arrows_move_through_the_list_and_letters_go_to_the_field(room: Room) -> None:
    page = open_list(room)
    for key, title in (("ArrowDown", "Weekend"), ("ArrowDown", "Sourdough"), ("End", "Bees")):
        page.keyboard.press(key)
        expect(page.locator(":focus")).to_contain_text(title)
    page.keyboard.press("ArrowRight")
    expect(page.locator(":focus")).to_have_attribute("aria-label", "Actions for Bees")
    page.keyboard.press("ArrowUp")
    expect(page.locator(":focus")).to_have_attribute("aria-label", "Actions for Sourdough")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Home")
    expect(page.locator(":focus")).to_contain_text("Weekend")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.press("ArrowDown")
    search(page, "lis")
    expect(page.locator("#find")).to_have_value("lis")
    expect(page.locator("#results .title")).to_have_text(["Weekend in Lisbon", "Bees"])
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#text")).to_be_focused()  # which had the focus before


def test_a_chat_can_be_renamed_in_its_row(room: Room) -> None:
    page = open_list(room)
    row = page.locator(".chat-row", has_text="Sourdough")
    row.get_by_role("link", name="Actions for").press("Enter")
    page.get_by_role("link", name="Rename").press("Enter")
    field = page.get_by_label("Title", exact=True)
    expect(field).to_be_focused()
    field.press("Escape")  # unchanged, and the dialog stays open
    expect(field).to_have_count(0)
    expect(row.get_by_role("link", name="Actions for")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Rename")).to_be_focused()
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    page.keyboard.type("Bread")  # replaces the old title
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Actions for Bread")).to_be_focused()
    expect(page.locator("#sidebar .title", has_text="Bread")).to_have_count(1)


def test_a_chat_can_be_pinned_and_archived(room: Room) -> None:
    page = open_list(room)

    def choose(title: str, action: str) -> None:
        page.get_by_role("link", name=f"Actions for {title}").click()
        page.get_by_role("button", name=action, exact=True).click()
        expect(page.get_by_role("link", name=f"Actions for {title}")).to_be_focused()

    choose("Bees", "Pin")
    expect(page.locator(".chat-row", has_text="Bees").locator(".tag")).to_have_text("Pinned")
    expect(page.locator("#sidebar h2")).to_have_text(["Pinned", "Recent"])
    choose("Sourdough", "Archive")
    expect(page.locator(".chat-row", has_text="Sourdough").locator(".tag")).to_have_text("Archived")
    expect(page.locator("#sidebar .title", has_text="Sourdough")).to_have_count(0)
    page.get_by_role("link", name="Archived chats").click()
    expect(page.locator("#results .title")).to_have_text(["Sourdough"])
    choose("Sourdough", "Unarchive")
    page.get_by_role("link", name="All chats", exact=True).click()
    expect(page.locator("#results .title")).to_have_count(3)


def test_deleting_a_chat_keeps_the_list_open(room: Room) -> None:
    page = open_list(room)
    page.get_by_role("link", name="Actions for Sourdough").click()
    page.get_by_role("link", name="Delete", exact=True).click()
    question = page.get_by_role("dialog", name="Delete this chat?")
    expect(question).to_contain_text("“Sourdough” and all its messages")
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(page.get_by_role("link", name="Actions for Sourdough")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Rename")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(question).to_be_visible()
    for _ in range(2):  # past "Archive instead"
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#results .title")).to_have_text(["Weekend in Lisbon", "Bees"])
    expect(page.get_by_role("dialog", name="All chats")).to_be_visible()
    expect(page.locator("#find")).to_be_focused()


def test_deletion_offers_to_archive_instead(room: Room) -> None:
    page = open_list(room)
    page.get_by_role("link", name="Actions for Sourdough").click()
    page.get_by_role("link", name="Delete", exact=True).click()
    question = page.get_by_role("dialog", name="Delete this chat?")
    question.get_by_role("button", name="Archive instead").click()
    expect(question).to_be_hidden()
    expect(page.locator("#results .title")).to_have_text(["Weekend in Lisbon", "Bees"])
    page.get_by_role("link", name="Archived chats").click()
    expect(page.locator("#results .title")).to_have_text(["Sourdough"])


def test_scrolling_loads_more_chats(room: Room) -> None:
    page = room.page()
    store(room, ((f"Chat {number:03}", "Hi") for number in range(70)))
    page.locator("#search-chats").click()
    expect(page.locator("#results .chat-row")).to_have_count(30)
    page.locator("#more-chats").scroll_into_view_if_needed()
    expect(page.locator("#results .chat-row")).to_have_count(60)
    page.locator("#more-chats").scroll_into_view_if_needed()
    expect(page.locator("#results .chat-row")).to_have_count(70)
    expect(page.locator("#results .title")).to_have_text([f"Chat {at:03}" for at in range(70)])


def test_enter_before_the_results_arrive_opens_the_first(room: Room) -> None:
    store(room, [("Ants", "About ants"), ("Bees", "About bees")])
    page = room.page()
    page.keyboard.press("Control+k")
    find = page.locator("#find")
    expect(find).to_be_focused()
    find.fill("bees")
    find.press("Enter")
    expect(page.locator(".bubble")).to_have_text("About bees")


def test_a_drag_that_ends_outside_does_not_close_the_dialog(room: Room) -> None:
    page = room.page()
    page.keyboard.press("Control+k")
    find = page.locator("#find")
    find.fill("words")
    find.hover()
    page.mouse.down()
    page.mouse.move(5, 300)
    page.mouse.up()
    expect(find).to_have_value("words")
    page.mouse.click(5, 300)
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_changes_reach_the_other_tabs(room: Room) -> None:
    one, other = room.page(), room.page()
    lists = room.page("/chats/")
    lists.add_init_script(SOCKET)
    listening = "socket.readyState === WebSocket.OPEN"
    lists.reload()
    wait_until(lists, listening)
    wait_for_connection(other)
    room.models.title = "Ants"
    say(one, "Hi")
    for page in (other, lists):
        expect(page.locator("#sidebar .title")).to_have_text(["Ants"])
    lists.reload()
    wait_until(lists, listening)
    one.locator("#chat-menu").click()
    one.get_by_role("link", name="Rename").click()
    one.get_by_label("Title", exact=True).fill("Bees")
    one.keyboard.press("Enter")
    expect(one.locator("h1")).to_have_text("Bees")
    expect(other.locator("#sidebar .title")).to_have_text(["Bees"])
    expect(lists.locator("#results .title")).to_have_text(["Bees"])
    one.locator("#chat-menu").click()
    one.get_by_role("button", name="Pin").click()
    expect(other.locator("#sidebar h2")).to_have_text(["Pinned"])
    other.get_by_role("link", name="Delete Bees").click()
    other.get_by_role("button", name="Delete").click()
    expect(one.locator("#banner")).to_contain_text("This chat was deleted.")
    for page in (one, other, lists):
        expect(page.locator("#sidebar .title")).to_have_count(0)
    expect(lists.locator("#results .title")).to_have_count(0)


def test_the_list_works_without_javascript(room: Room) -> None:
    room.page()
    store(room, CHATS)
    page = room.context(java_script_enabled=False).new_page()
    page.goto(room.talos.address)
    page.get_by_role("link", name="Search chats").click()
    page.get_by_label("Search titles").fill("lisbon")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#results .title")).to_have_text(["Weekend in Lisbon", "Bees"])
    page.get_by_role("link", name="Actions for Bees").click()
    page.get_by_role("link", name="Rename").click()
    page.get_by_label("Title", exact=True).fill("Wasps")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Wasps")
    page.get_by_role("link", name="Actions for this chat").click()
    page.get_by_role("button", name="Archive").click()
    expect(page.locator("#tags")).to_have_text("Archived")
    page.goto(f"{room.talos.address}/chats/?archived=1")
    expect(page.locator("#results .title")).to_have_text(["Wasps"])


def test_hostile_texts_are_harmless_in_the_lists(room: Room) -> None:
    requests: list[str] = []
    page = room.page()
    page.on("request", lambda request: requests.append(request.url))
    page.add_init_script(f"window.{RUN.removesuffix('()')} = () => (document.title = 'owned')")
    store(room, ((" ".join(f"needle {text}".split())[:200], f"needle {text}") for text in TEXTS))
    page.goto(room.talos.address)
    page.keyboard.press("Control+k")
    expect(page.locator("#find")).to_be_focused()
    search(page, "needle")
    rows = page.locator("#results .chat-row:has(mark)")
    expect(rows).to_have_count(30)
    for count in range(60, len(TEXTS) + 30, 30):
        page.locator("#more-chats").scroll_into_view_if_needed()
        expect(rows).to_have_count(min(count, len(TEXTS)))
    expect(page.locator("#more-chats")).to_have_count(0)
    page.get_by_role("link", name=re.compile("^Actions for")).first.click()
    page.get_by_role("link", name="Delete", exact=True).click()
    expect(page.get_by_role("dialog", name="Delete this chat?")).to_be_visible()
    assert page.title() != "owned"
    assert not [url for url in requests if HOST in url]
