"""The buttons of a message: copy, edit, try again, switch versions, continue."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import Room, say, wait_for_answer, wait_for_chat, wait_until
from tests.support.model_server import Finish, Gate, Status

pytestmark = pytest.mark.browser
COPIED = "async (text) => (await navigator.clipboard.readText()) === text"
CODE = "Here:\n\n```python\nx = 1\n```\n\n*Done.*"


def last(page: Page, role: str = "assistant") -> Locator:
    return page.locator(f".message.{role}").last


def talk(room: Room, question: str = "First", answer: str = "Answer one.") -> Page:
    room.reply(answer)
    page = room.page()
    say(page, question)
    wait_for_answer(page)
    wait_for_chat(page)
    return page


def edit(page: Page, text: str) -> None:
    last(page, "user").get_by_role("button", name="Edit").click()
    page.get_by_label("Edit your message").fill(text)
    page.keyboard.press("Enter")


def last_messages(room: Room) -> list[str]:
    """The last messages sent to the model, without the system prompt."""
    return [message["content"] for message in room.models.requests[-1].body["messages"][1:]]


def test_a_message_and_its_code_can_be_copied(room: Room) -> None:
    context = room.context(permissions=["clipboard-read", "clipboard-write"])
    room.reply(CODE)
    page = room.page(context=context)
    say(page, "Show *code*")
    wait_for_answer(page)
    for role, button, text in (
        ("assistant", "Copy code", "x = 1\n"),
        ("assistant", "Copy", CODE),
        ("user", "Copy", "Show *code*"),
    ):
        last(page, role).get_by_role("button", name=button, exact=True).press("Enter")
        wait_until(page, COPIED, text)
    expect(page.locator("#announcer")).to_have_text("Copied")
    page.reload()
    expect(page.get_by_role("button", name="Copy code")).to_have_count(1)


def test_a_question_can_be_edited_and_its_versions_browsed(room: Room) -> None:
    page = talk(room)
    other = room.page(page.url.removeprefix(room.talos.address), page.context)
    question = last(page, "user")
    question.get_by_role("button", name="Edit").press("Enter")
    field = page.get_by_label("Edit your message")
    expect(field).to_be_focused()
    expect(field).to_have_value("First")
    assert_accessible(page)
    field.press("Escape")
    expect(question.get_by_role("button", name="Edit")).to_be_focused()
    expect(question.locator(".bubble")).to_be_visible()
    room.reply("Answer two.")
    edit(page, "Second")
    for tab in (page, other):
        expect(last(tab).locator(".prose")).to_have_text("Answer two.")
        expect(tab.locator(".bubble")).to_have_text(["Second"])
        expect(tab.locator(".user .versions")).to_contain_text("2 / 2")
        wait_for_answer(tab)
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    assert last_messages(room) == ["Second"]
    page.get_by_role("button", name="Previous version").press("Enter")
    for tab in (page, other):
        expect(last(tab).locator(".prose")).to_have_text("Answer one.")
        expect(tab.locator(".bubble")).to_have_text(["First"])
        expect(tab.locator(".message")).to_have_count(2)
    expect(page.get_by_role("button", name="Next version")).to_be_focused()
    room.reply("Answer three.")
    edit(page, "Third")
    expect(page.locator(".user .versions")).to_contain_text("3 / 3")
    wait_for_answer(page)
    page.reload()
    expect(page.locator(".bubble")).to_have_text(["Third"])
    expect(page.locator(".user .versions")).to_contain_text("3 / 3")


def test_an_answer_can_be_retried_with_another_model(room: Room) -> None:
    page = talk(room)
    gate = Gate()
    room.reply("Answer ", gate, "two.")
    page.get_by_role("button", name="Try again", exact=True).click()
    expect(page.locator(".plain")).to_have_text("Answer ")
    expect(page.locator(".message")).to_have_count(2)
    expect(last(page, "user").get_by_role("button", name="Edit")).to_be_hidden()
    gate.open()
    expect(last(page).locator(".versions")).to_contain_text("2 / 2")
    room.models.script("demo", "Never asked: the demo is no server's.")
    page.get_by_role("button", name="Try again with another model").click()
    expect(page.get_by_role("heading", name="Try again with…")).to_be_visible()
    page.get_by_role("option", name="demo").click()
    expect(last(page).locator(".versions")).to_contain_text("3 / 3")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#model .name")).to_have_text("scripted")  # only this once
    last(page).get_by_label("Details of this answer").click()
    expect(last(page).locator(".about .rows")).to_contain_text("demo")
    page.get_by_role("button", name="Previous version").click()
    expect(last(page).locator(".prose")).to_have_text("Answer two.")
    page.get_by_role("button", name="Previous version").click()
    expect(last(page).locator(".prose")).to_have_text("Answer one.")
    expect(page.get_by_role("button", name="Previous version")).to_be_disabled()


def test_escape_warns_before_it_discards_an_edit(room: Room) -> None:
    page = talk(room)
    field = page.get_by_label("Edit your message")
    last(page, "user").get_by_role("button", name="Edit").click()
    field.press("Escape")  # nothing was changed
    expect(field).to_have_count(0)
    last(page, "user").get_by_role("button", name="Edit").click()
    field.fill("Another thought")
    field.press("Escape")
    expect(page.locator(".editor .complaint")).to_contain_text("Not sent yet.")
    expect(field).to_have_value("Another thought")
    field.press("Escape")
    expect(field).to_have_count(0)
    expect(page.locator(".bubble")).to_have_text(["First"])


def test_a_cut_off_answer_can_be_continued(room: Room) -> None:
    room.reply("Once upon", Finish("length"))
    page = room.page()
    say(page, "Tell me")
    expect(page.locator(".note.completed")).to_have_text(
        "Cut off: this answer reached its output limit."
    )
    assert_accessible(page)
    room.reply(" a time.")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".prose")).to_have_text(["Once upon", "a time."])
    wait_for_answer(page)
    expect(page.get_by_role("button", name="Continue")).to_be_hidden()


def test_a_stopped_answer_can_be_continued_and_a_failed_one_retried(room: Room) -> None:
    room.reply("Once upon", Gate())
    page = room.page()
    say(page, "Tell me")
    expect(page.locator(".plain")).to_have_text("Once upon")
    page.get_by_role("button", name="Stop the answer").click()
    room.reply(" a time.")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".prose")).to_have_text(["Once upon", "a time."])
    wait_for_answer(page)
    expect(page.get_by_role("button", name="Continue")).to_be_hidden()
    room.reply(Status(401))
    say(page, "And now?")
    expect(page.locator(".note.failed")).to_be_visible()
    expect(page.locator(".ways:visible button")).to_have_text(["Try again"])
    assert_accessible(page)
    room.reply("Now it works.")
    page.locator(".ways").get_by_role("button", name="Try again").press("Enter")
    expect(last(page).locator(".prose")).to_have_text("Now it works.")
    expect(page.locator(".note.failed")).to_have_count(0)
    expect(page.get_by_label("Message", exact=True)).to_be_focused()


def test_a_refused_edit_is_explained_and_kept(room: Room) -> None:
    page = talk(room)
    other = room.page(page.url.removeprefix(room.talos.address), page.context)
    last(other, "user").get_by_role("button", name="Edit").click()
    gate = Gate()
    room.reply("Meanwhile ", gate, "over.")
    say(page, "Go on")
    expect(other.locator(".plain")).to_have_text("Meanwhile ")
    field = other.get_by_label("Edit your message")
    field.fill("Too early")
    field.press("Enter")
    expect(other.locator(".editor .complaint")).to_contain_text("still being written")
    expect(field).to_have_value("Too early")
    gate.open()
    expect(last(other).locator(".prose")).to_have_text("Meanwhile over.")
    wait_for_answer(other)
    room.reply("In time.")
    field.press("Enter")
    for tab in (page, other):
        expect(tab.locator(".prose")).to_have_text(["In time."])
        expect(tab.locator(".bubble")).to_have_text(["Too early"])


def test_switching_versions_keeps_the_scroll_position(room: Room) -> None:
    long = "\n\n".join(f"Paragraph {number}." for number in range(60))
    page = talk(room, answer="Short.")
    room.reply("Second.")
    say(page, "Next")
    expect(page.locator(".prose")).to_have_count(2)
    wait_for_answer(page)
    room.reply(long)
    page.locator(".user").first.get_by_role("button", name="Edit").click()
    page.get_by_label("Edit your message").fill("Write much")
    page.keyboard.press("Enter")
    expect(page.locator(".prose")).to_contain_text(["Paragraph 59."])
    wait_for_answer(page)
    previous = page.get_by_role("button", name="Previous version")
    previous.scroll_into_view_if_needed()
    expect(page.get_by_role("button", name="Jump to latest")).to_be_visible()
    following = page.get_by_role("button", name="Next version")
    before = following.bounding_box()
    previous.press("Enter")
    expect(page.locator(".prose")).to_have_text(["Short.", "Second."])
    following.press("Enter")
    expect(page.locator(".prose")).to_contain_text(["Paragraph 59."])
    after = following.bounding_box()
    assert before
    assert after
    assert abs(before["y"] - after["y"]) < 2
    expect(page.get_by_role("button", name="Jump to latest")).to_be_visible()


@pytest.mark.parametrize("width", [1200, 390])
def test_message_actions_pass_axe(room: Room, width: int) -> None:
    context = room.context(viewport={"width": width, "height": 800})
    room.reply(CODE)
    page = room.page(context=context)
    say(page, "First")
    wait_for_answer(page)
    room.reply("Again.")
    page.get_by_role("button", name="Try again", exact=True).click()
    expect(last(page).locator(".versions")).to_contain_text("2 / 2")
    last(page, "user").hover()
    assert_accessible(page)
    page.get_by_label("Message", exact=True).fill("/m")
    expect(page.get_by_role("option")).to_have_count(2)
    assert_accessible(page)
    page.get_by_label("Message", exact=True).fill("")
    page.get_by_label("Message", exact=True).press("ArrowUp")
    expect(page.get_by_label("Edit your message")).to_be_focused()
    assert_accessible(page)
