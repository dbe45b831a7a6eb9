"""Several tabs of one conversation, and queued messages."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Room, say, wait_for_answer, wait_for_chat, wait_for_connection
from tests.support.model_server import Gate

pytestmark = pytest.mark.browser


@pytest.mark.promise(2)
def test_two_tabs_show_the_same(room: Room) -> None:
    gate = Gate()
    room.reply("Seen ", gate, "by both.")
    context = room.context()
    one = room.page(context=context)
    say(one, "Hello, tabs")
    expect(one.locator(".plain")).to_have_text("Seen ")
    wait_for_chat(one)
    two = room.page(one.url.removeprefix(room.talos.address), context)
    expect(two.locator(".plain")).to_have_text("Seen ")
    gate.open()
    for tab in (one, two):
        expect(tab.locator(".prose")).to_have_text("Seen by both.")
    room.reply("Yes.")
    say(two, "Do you see this?")
    expect(one.locator(".bubble").nth(1)).to_have_text("Do you see this?")
    expect(one.locator(".prose").nth(1)).to_have_text("Yes.")
    expect(two.locator(".message")).to_have_count(4)
    expect(one.locator(".message")).to_have_count(4)


@pytest.mark.promise(7)
def test_a_second_message_is_queued(room: Room) -> None:
    gate = Gate()
    room.reply("First ", gate, "done.")
    room.reply("Second done.")
    page = room.page()
    say(page, "First")
    expect(page.locator(".plain")).to_have_text("First ")
    say(page, "Second")
    waiting = page.locator("[data-queued]")
    expect(waiting).to_contain_text("Queued")
    page.reload()
    expect(waiting).to_contain_text("Queued")
    gate.open()
    expect(page.locator(".prose").nth(1)).to_have_text("Second done.")
    expect(waiting).to_have_count(0)
    wait_for_answer(page)
    # the first answer's, once the server has rendered it
    expect(page.locator(".progress")).to_have_count(0)
    shown = page.locator(".message:visible").all_inner_texts()
    assert [text.splitlines()[-1] for text in shown] == [
        "First",
        "First done.",
        "Second",
        "Second done.",
    ]


@pytest.mark.parametrize("reload", [False, True], ids=["at once", "after a reload"])
def test_a_queued_message_can_be_cancelled(room: Room, reload: bool) -> None:
    gate = Gate()
    room.reply("First ", gate, "done.")
    page = room.page()
    say(page, "First")
    expect(page.locator(".plain")).to_have_text("First ")
    say(page, "Never mind")
    expect(page.locator("[data-queued]")).to_have_count(1)
    if reload:
        page.reload()
        wait_for_connection(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".user")).to_have_count(1)
    expect(page.get_by_label("Message", exact=True)).to_have_value("Never mind")
    gate.open()
    wait_for_answer(page)
    expect(page.locator(".prose")).to_have_text("First done.")
    assert len(room.models.requests) == 1


def test_a_chat_deleted_in_another_tab_becomes_read_only(room: Room) -> None:
    room.reply("Soon gone.")
    context = room.context()
    one = room.page(context=context)
    say(one, "Hi")
    expect(one.locator(".prose")).to_have_text("Soon gone.")
    wait_for_answer(one)
    room.reply("Half of ", Gate())
    say(one, "More")
    expect(one.locator(".plain")).to_have_text("Half of ")
    one.get_by_role("button", name="Stop the answer").click()
    wait_for_answer(one)
    draft = one.get_by_label("Message", exact=True)
    draft.fill("Not yet sent")
    expect(one.get_by_role("button", name="Continue")).to_be_visible()
    two = room.page(context=context)
    two.locator(".chats .trash").first.click()
    two.get_by_role("button", name="Delete").click()
    expect(one.get_by_text("This chat was deleted.")).to_be_visible()
    expect(draft).to_have_value("Not yet sent")
    expect(draft).not_to_be_editable()
    draft.press("Enter")
    expect(draft).to_be_focused()  # the draft can be copied
    for name in ("Continue", "Try again", "Copy", "Send"):
        expect(one.get_by_role("button", name=name)).to_have_count(0)
    expect(one.locator(".tools")).to_be_hidden()
    expect(one.locator(".chats .open")).to_have_count(0)
