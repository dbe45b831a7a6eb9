"""The parts of an answer besides its text: reasoning, details, versions; and commands."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Room, say, wait_for_answer, wait_for_chat, wait_for_connection
from tests.support.model_server import Gate, Think, Tokens

pytestmark = pytest.mark.browser


def test_reasoning_is_streamed_collapsed_and_stored(room: Room) -> None:
    thinks, writes = Gate(), Gate()
    room.reply(Think("Hm, "), Think("<b>ants</b>."), thinks, "Twenty.", writes)
    page = room.page()
    say(page, "How many?")
    summary = page.locator(".reasoning summary")
    expect(summary).to_have_text("Thinking…")
    expect(page.locator(".progress")).to_be_hidden()
    thoughts = page.locator(".reasoning div")
    expect(thoughts).to_be_hidden()
    expect(thoughts).to_have_text("Hm, <b>ants</b>.")
    summary.click()
    expect(thoughts).to_be_visible()
    page.reload()
    expect(thoughts).to_have_text("Hm, <b>ants</b>.")
    summary.focus()
    page.keyboard.press("Enter")
    thinks.open()
    expect(page.locator(".plain")).to_have_text("Twenty.")
    expect(summary).to_have_text("Reasoning")
    writes.open()
    wait_for_answer(page)
    expect(page.locator(".prose")).to_have_text("Twenty.")
    expect(thoughts).to_be_visible()  # still unfolded
    expect(summary).to_be_focused()
    expect(page.locator("#announcer")).to_have_text("Talos Twenty.")
    page.reload()
    expect(thoughts).to_be_hidden()
    expect(thoughts).to_have_text("Hm, <b>ants</b>.")


def test_an_answer_without_reasoning_shows_no_reasoning_box(room: Room) -> None:
    gate = Gate()
    room.reply("Twenty", gate, ".")
    page = room.page()
    say(page, "How many?")
    expect(page.locator(".plain")).to_have_text("Twenty")
    expect(page.locator(".reasoning")).to_be_hidden()
    gate.open()
    expect(page.locator(".prose")).to_have_count(1)
    expect(page.locator(".reasoning")).to_have_count(0)


def test_usage_details_open_on_demand(room: Room) -> None:
    room.reply("Twenty.", Tokens(1234, 56, 1000))
    page = room.page()
    say(page, "How many?")
    rows = page.locator(".about .rows")
    expect(rows).to_be_hidden()
    page.get_by_label("Details of this answer").press("Enter")
    expect(rows).to_contain_text("1,234 (1,000 cached)")
    expect(rows).to_contain_text("scripted")
    page.locator("#settings").click()
    totals = page.get_by_role("region", name="Usage in this chat")
    expect(totals).to_contain_text("1,234 (1,000 cached)")


def test_choosing_a_suggestion_sends_it(room: Room) -> None:
    room.reply("In three steps.")
    page = room.page()
    suggestion = page.locator("[data-suggestion]").first
    text = suggestion.inner_text()
    suggestion.press("Enter")
    expect(page.locator(".bubble")).to_have_text(text)
    expect(page.locator(".prose")).to_have_text("In three steps.")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    expect(page.locator("[data-suggestion]")).to_have_count(0)


def test_a_retry_replaces_the_answer_in_every_tab(room: Room) -> None:
    room.reply("First try.")
    context = room.context()
    one = room.page(context=context)
    say(one, "Hi")
    expect(one.locator(".prose")).to_have_text("First try.")
    wait_for_answer(one)
    wait_for_chat(one)
    two = room.page(one.url.removeprefix(room.talos.address), context)
    expect(two.locator(".prose")).to_have_text("First try.")
    wait_for_connection(two)
    two.get_by_label("Details of this answer").focus()
    gate = Gate()
    room.reply("Second ", gate, "try.")
    say(one, "/retry")
    for tab in (one, two):
        expect(tab.locator(".plain")).to_have_text("Second ")
        expect(tab.locator(".message")).to_have_count(2)
    expect(one.get_by_label("Message", exact=True)).to_be_focused()
    expect(two.locator("main")).to_be_focused()  # the focused element is gone
    gate.open()
    for tab in (one, two):
        expect(tab.locator(".prose")).to_have_text("Second try.")
        expect(tab.locator(".message")).to_have_count(2)
        expect(tab.locator(".notice")).to_have_count(0)
        wait_for_answer(tab)
    room.reply("Going on.")
    say(two, "Go on")
    expect(one.locator(".prose").nth(1)).to_have_text("Going on.")
    history = room.models.request(3).body["messages"]
    assert [message["content"] for message in history[1:]] == ["Hi", "Second try.", "Go on"]
    wait_for_answer(one)
    one.reload()
    expect(one.locator(".message")).to_have_count(4)


def test_a_refused_retry_is_explained(room: Room) -> None:
    page = room.page()
    say(page, "/retry")
    expect(page.locator(".notice")).to_contain_text("no conversation yet")


def test_the_new_command_leaves_the_conversation(room: Room) -> None:
    room.reply("Hello.")
    page = room.page()
    say(page, "Hi")
    wait_for_answer(page)
    wait_for_chat(page)
    say(page, "/new")
    expect(page).to_have_url(re.compile(r":\d+/$"))
    expect(page.get_by_role("heading", name="What's on your mind?")).to_be_visible()
    room.reply("Another.")
    say(page, "Hi again")
    expect(page.locator(".prose")).to_have_text("Another.")
    expect(page.locator(".chats .open")).to_have_count(2)


def test_the_sessions_command_lists_links(room: Room) -> None:
    room.models.title = "[Odd](javascript:alert(1)) *title* <b>"
    room.reply("Hello.")
    page = room.page()
    say(page, "Hi")
    expect(page.get_by_role("heading", level=1)).to_have_text(room.models.title)
    url = page.url
    page.get_by_role("link", name="New chat").click()
    expect(page).to_have_url(re.compile(r":\d+/$"))
    say(page, "/sessions")
    link = page.locator(".notice a")
    expect(link).to_have_text(room.models.title)
    link.click()
    expect(page).to_have_url(url)
