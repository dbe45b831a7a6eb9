"""A conversation in the browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import (
    Room,
    say,
    wait_for_answer,
    wait_for_chat,
    wait_for_connection,
    wait_until,
)
from tests.support.model_server import Call, Gate, Status
from tests.support.processes import manage

pytestmark = pytest.mark.browser


def test_a_long_question_is_collapsed(room: Room) -> None:
    page = room.page()
    room.reply("I see.")
    text = "\n".join(f"line {number}" for number in range(100))
    say(page, text)
    wait_for_answer(page)
    bubble = page.locator(".bubble")
    unfold = page.get_by_role("button", name="Show more")
    for _ in ("drawn by the page", "rendered by the server"):
        expect(unfold).to_be_visible()
        assert bubble.evaluate("bubble => bubble.clientHeight < bubble.scrollHeight / 4")
        unfold.press("Enter")
        assert bubble.evaluate("bubble => bubble.clientHeight === bubble.scrollHeight")
        page.get_by_role("button", name="Show less").press("Enter")
        expect(unfold).to_be_focused()
        assert_accessible(page)
        page.reload()
    say(page, "A short one")
    wait_for_answer(page)
    expect(page.locator(".unfold:visible")).to_have_count(1)
    expect(bubble.first).to_have_text(text)


def test_a_conversation_survives_a_reload(room: Room) -> None:
    room.reply("Hello, **you**.")
    room.reply("Still here.")
    page = room.page()
    say(page, "Hi <b>there</b>")
    expect(page.locator(".prose strong")).to_have_text("you")
    expect(page.locator(".bubble")).to_have_text("Hi <b>there</b>")
    wait_for_chat(page)
    say(page, "And now?")
    expect(page.locator(".assistant").nth(1)).to_contain_text("Still here.")
    expect(page.locator(".message")).to_have_count(4)
    wait_for_answer(page)
    page.reload()
    expect(page.locator(".message")).to_have_count(4)
    assert len(room.models.requests[1].body["messages"]) == 4  # with the system prompt


def test_text_appears_while_it_is_written(room: Room) -> None:
    gate = Gate()
    room.reply("First ", "**half**", gate, ", second half.")
    page = room.page()
    say(page, "Go")
    expect(page.locator(".plain")).to_have_text("First **half**")
    expect(page.locator(".progress")).to_have_text("Writing…")
    gate.open()
    expect(page.locator(".prose")).to_have_text("First half, second half.")
    expect(page.locator(".progress")).to_have_count(0)
    expect(page.locator("#announcer")).to_have_text("Talos First half, second half.")


def test_the_title_appears_without_a_reload(room: Room) -> None:
    room.models.title = "About greetings"
    room.reply("Hello.")
    page = room.page()
    say(page, "Hi")
    expect(page.get_by_role("heading", level=1)).to_have_text("About greetings")
    current = page.locator(".chats [aria-current=page]")
    expect(current).to_have_text("About greetings")
    expect(page).to_have_title("About greetings · Talos")


def test_the_opening_words_serve_as_the_first_title(room: Room) -> None:
    gate = Gate()
    room.models.title = "About ants"
    room.reply("Well, ", gate, "many.")
    page = room.page()
    say(page, "How many 🐜\n  are there, and  why " + "so many " * 9)
    expect(page.locator(".plain")).to_have_text("Well, ")
    opening = page.locator(".chats [aria-current=page]").inner_text()
    assert len(opening) == 60
    expect(page.locator("h1")).to_have_text(opening)
    expect(page).to_have_title(f"{opening} · Talos")
    page.get_by_label("Message", exact=True).fill("And bees?")
    page.keyboard.press("Enter")
    expect(page.locator("[data-queued]")).to_be_visible()
    expect(page.locator("h1")).to_have_text(opening)
    gate.open()
    expect(page.locator("h1")).to_have_text("About ants")


def test_stopping_an_answer_keeps_its_text(room: Room) -> None:
    room.reply("Some words", Gate())
    page = room.page()
    say(page, "Go on for ever")
    expect(page.locator(".plain")).to_have_text("Some words")
    page.get_by_role("button", name="Stop the answer").click()
    expect(page.locator(".note.cancelled")).to_have_text("Stopped")
    expect(page.locator(".prose")).to_have_text("Some words")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect(page.get_by_role("button", name="Stop the answer")).to_be_hidden()


@pytest.mark.promise(2)
def test_a_reload_does_not_interrupt_an_answer(room: Room) -> None:
    gate = Gate()
    room.reply("one ", "two ", gate, "three")
    page = room.page()
    say(page, "Count")
    expect(page.locator(".plain")).to_have_text("one two ")
    page.reload()
    expect(page.locator(".plain")).to_have_text("one two ")
    expect(page.get_by_role("button", name="Stop the answer")).to_be_visible()
    gate.open()
    expect(page.locator(".prose")).to_have_text("one two three")
    expect(page.locator(".message")).to_have_count(2)


def test_a_model_failure_is_shown(room: Room) -> None:
    room.reply(Status(401))
    page = room.page()
    say(page, "Hi")
    expect(page.locator(".note.failed")).to_contain_text("key")
    expect(page.get_by_role("button", name="Send")).to_be_visible()


def test_a_tool_call_appears_at_its_place_in_the_answer(room: Room) -> None:
    room.reply("Let me see. ", Call("no_such_tool", '{"expression": "12*7"}'))
    room.reply("It is 84.")
    page = room.page()
    say(page, "What is 12*7?")
    body = page.locator(".assistant .body")
    wait_for_answer(page)
    expect(body).to_contain_text("It is 84.")
    expect(body.locator(".call summary .name")).to_have_text("no_such_tool")
    expect(body.locator("> *")).to_have_count(3)


def test_a_slash_command_is_answered_but_not_stored(room: Room) -> None:
    page = room.page()
    say(page, "/models")
    expect(page.locator(".notice")).to_contain_text("Available models:")
    assert page.url.endswith(":" + room.talos.address.rpartition(":")[2] + "/")
    page.reload()
    expect(page.locator(".message")).to_have_count(0)


def test_a_refused_message_can_be_edited_again(empty_room: Room) -> None:
    empty_room.serve(TALOS_DEFAULT_MODEL="demo", TALOS_SENDS_PER_MINUTE="1")
    page = empty_room.page()
    say(page, "First")
    expect(page.locator(".prose")).to_have_count(1)
    say(page, "Second")
    refused = page.locator("[data-refused]")
    expect(refused).to_contain_text("At most 1 messages a minute")
    expect(page.locator("#announcer")).to_contain_text("At most 1 messages a minute")
    page.reload()  # the draft survives
    wait_for_connection(page)
    expect(refused).to_contain_text("At most 1 messages a minute")
    refused.get_by_role("button", name="Edit").click()
    expect(page.get_by_label("Message", exact=True)).to_have_value("Second")
    expect(refused).to_have_count(0)
    page.reload()
    wait_for_connection(page)
    expect(page.get_by_label("Message", exact=True)).to_have_value("Second")
    expect(refused).to_have_count(0)
    expect(page.locator(".user")).to_have_count(1)


def test_new_chat_opens_an_empty_page(room: Room) -> None:
    room.reply("One.")
    page = room.page()
    say(page, "Hi")
    expect(page.locator(".prose")).to_have_text("One.")
    wait_for_answer(page)
    page.get_by_role("link", name="New chat").click()
    expect(page.get_by_role("heading", level=2, name="What's on your mind?")).to_be_visible()
    expect(page.locator(".message")).to_have_count(0)
    page.go_back()
    expect(page.locator(".prose")).to_have_text("One.")
    page.go_back()  # the conversation began on the page of a new one
    expect(page).to_have_url(re.compile(r":\d+/$"))
    expect(page.locator(".message")).to_have_count(0)


def test_scrolling_up_slightly_stops_following(room: Room) -> None:
    gates = [Gate() for _ in range(3)]
    grow = "- line\n" * 20
    room.reply("- line\n" * 200, gates[0], grow, gates[1], grow, gates[2], "the end")
    page = room.page()
    say(page, "Write much")
    expect(page.locator(".plain").first).to_contain_text("line")
    rest = "document.scrollingElement.scrollHeight - scrollY - innerHeight"
    wait_until(page, f"{rest} <= 1")
    page.mouse.move(600, 300)
    page.mouse.wheel(0, -20)
    wait_until(page, f"Math.abs({rest} - 20) <= 1")
    place = page.evaluate("scrollY")
    height = page.evaluate("document.scrollingElement.scrollHeight")
    for gate in gates[:2]:
        gate.open()
        wait_until(page, "height => document.scrollingElement.scrollHeight > height", height)
        height = page.evaluate("document.scrollingElement.scrollHeight")
        assert page.evaluate("scrollY") == place
    page.get_by_role("button", name="Jump to latest").click()
    gates[2].open()
    wait_for_answer(page)
    wait_until(page, f"{rest} <= 1")


def test_an_unknown_command_returns_to_the_composer(room: Room) -> None:
    page = room.page()
    text = "/var/log/syslog says:\nkernel panic"
    say(page, text)
    expect(page.locator(".notice")).to_contain_text("There is no command")
    expect(page.locator(".notice")).to_contain_text("start it with two slashes")
    expect(page.get_by_label("Message", exact=True)).to_have_value(text)


def test_new_text_does_not_scroll_a_reader_who_scrolled_up(room: Room) -> None:
    gate = Gate()
    room.reply("- line\n" * 200, gate, "the end")
    page = room.page()
    say(page, "Write much")
    expect(page.locator(".plain").first).to_contain_text("line")
    expect(page.get_by_role("button", name="Jump to latest")).to_be_hidden()
    page.mouse.move(600, 300)
    page.mouse.wheel(0, -3000)
    jump = page.get_by_role("button", name="Jump to latest")
    expect(jump).to_be_visible()
    gate.open()
    wait_for_answer(page)
    expect(page.locator(".prose")).to_contain_text("the end")
    expect(jump).to_be_visible()
    jump.press("Enter")
    expect(jump).to_be_hidden()
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    expect(page.locator(".prose")).to_contain_text("the end")


MANY = """
from chat.access.owner import local_owner
from tests.support.conversations import talk
print(talk(local_owner(), *(f"Said {number}" for number in range(120))).pk)
"""


def test_earlier_messages_load_without_moving_the_page(room: Room) -> None:
    made = manage("shell", "-v0", "-c", MANY, TALOS_DATA_DIR=str(room.talos.data))
    assert made.returncode == 0, made.stderr
    page = room.page(f"/c/{made.stdout.split()[-1]}/")
    expect(page.get_by_text("Said 119", exact=True)).to_be_in_viewport()
    expect(page.locator(".message")).to_have_count(50)  # the rest is not loaded yet
    page.evaluate("scrollTo(0, 700)")  # near the first one
    read = "document.querySelector('.message:nth-last-of-type(50)').getBoundingClientRect().top"
    before = page.evaluate(read)
    expect(page.locator(".message")).to_have_count(100)
    assert abs(page.evaluate(read) - before) < 2
    expect(page.get_by_role("button", name="Jump to latest")).to_be_visible()
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator(".message")).to_have_count(120)
    expect(page.get_by_role("link", name="Earlier messages")).to_have_count(0)
    expect(page.get_by_text("Said 0", exact=True)).to_have_count(1)
