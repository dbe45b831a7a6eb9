"""Tools on the page: pending calls are shown, decided in any tab, and continue."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import Room, say, wait_for_answer, wait_for_chat, wait_for_connection
from tests.browser.stored import store
from tests.support.model_server.steps import Call

pytestmark = pytest.mark.browser
TOOLS = "tools,tests.support.effect_tools"


@pytest.fixture
def effects(tmp_path: Path) -> Path:
    return tmp_path / "effects.txt"


def line(effects: Path, text: str, index: int = 0) -> Call:
    arguments = json.dumps({"file": str(effects), "text": text})
    return Call("append_line", arguments, f"call_{text}", index)


def lines(effects: Path) -> list[str]:
    return effects.read_text().splitlines() if effects.exists() else []


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    return {"TALOS_TOOLS": TOOLS}


def card(page: Page) -> Locator:
    return page.locator("#messages .call").last


def ask(room: Room, effects: Path, *texts: str, **context: Any) -> Page:
    """Open a page with these calls pending."""
    page = room.page(context=room.context(**context))
    room.reply("I will. ", *(line(effects, text, index) for index, text in enumerate(texts)))
    room.reply("So it is.")
    say(page, "go")
    expect(page.locator(".call[data-status=pending]")).to_have_count(len(texts))
    wait_for_chat(page)
    return page


def wait_for_final_answer(page: Page) -> None:
    """Wait until the model has its results and has finished its answer."""
    wait_for_answer(page)
    expect(page.locator(".prose").last).to_have_text("So it is.")


def test_an_approved_call_runs_once(room: Room, effects: Path) -> None:
    page = ask(room, effects, "a")
    expect(card(page).locator(".state")).to_have_text("needs your approval")
    expect(card(page).locator("dd").nth(1)).to_have_text("a")
    expect(page.locator("#announcer")).to_have_text("append_line needs your approval.")
    expect(page.locator(".progress:visible")).to_have_text("Waiting for your approval…")
    expect(page.locator(".chats .waits")).to_have_text("Needs your approval")
    expect(page).to_have_title(re.compile("^● Approval needed · "))
    assert lines(effects) == []
    card(page).get_by_role("button", name="Approve").click()
    wait_for_final_answer(page)
    expect(card(page).locator(".state")).to_have_text("done")
    expect(card(page).locator(".took")).to_contain_text("s")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    expect(page.locator(".chats .waits")).to_have_count(0)
    expect(page).not_to_have_title(re.compile("Approval"))
    assert lines(effects) == ["a"]
    card(page).locator("summary").first.click()
    expect(card(page).locator(".result")).to_have_text("Appended a.")


def test_a_denied_call_does_nothing(room: Room, effects: Path) -> None:
    page = ask(room, effects, "a")
    card(page).get_by_role("button", name="Deny").click()
    wait_for_final_answer(page)
    expect(card(page).locator(".state")).to_have_text("denied")
    assert lines(effects) == []


def test_a_pending_call_can_be_stopped(room: Room, effects: Path) -> None:
    page = ask(room, effects, "a")
    page.get_by_role("button", name="Stop the answer").click()
    expect(page.locator(".note.cancelled")).to_be_visible()
    expect(page.locator(".call[data-status=pending]")).to_have_count(0)
    expect(page.locator(".chats .waits")).to_have_count(0)
    expect(page).not_to_have_title(re.compile("Approval"))
    assert lines(effects) == []


def test_a_remembered_approval_can_be_revoked(room: Room, effects: Path) -> None:
    page = ask(room, effects, "a")
    card(page).get_by_role("checkbox").check()
    card(page).get_by_role("button", name="Approve").click()
    wait_for_final_answer(page)
    room.reply(line(effects, "b"))
    room.reply("Again.")
    say(page, "once more")
    expect(page.locator(".prose").last).to_have_text("Again.")
    wait_for_answer(page)
    assert lines(effects) == ["a", "b"]
    page.locator("#settings").click()
    rules = page.locator("#rules")
    expect(rules).to_contain_text("Always allowed here: append_line")
    assert_accessible(page)
    rules.get_by_role("button", name="Ask again").click()
    expect(rules).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    room.reply(line(effects, "c"))
    say(page, "and again")
    expect(card(page)).to_have_attribute("data-status", "pending")


def test_calls_are_decided_by_keyboard(room: Room, effects: Path) -> None:
    page = ask(room, effects, "a", "b")
    first, second = page.locator(".call").first, card(page)
    expect(first.locator(".details")).to_be_focused()
    focused = "document.activeElement.textContent.trim()"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.remember input')"):
            page.keyboard.press("Enter")  # neither ticks nor decides
        if page.evaluate(focused) == "Approve":
            break
    assert page.evaluate(focused) == "Approve"
    page.keyboard.press("Enter")
    expect(first.locator(".state")).to_have_text("done")
    expect(second.locator(".details")).to_be_focused()
    while page.evaluate(focused) != "Deny":
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    wait_for_final_answer(page)
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    assert lines(effects) == ["a"]


def test_an_approved_call_runs_while_another_is_pending(room: Room, effects: Path) -> None:
    page = room.page(context=room.context())
    later = json.dumps({"file": str(effects), "text": "later"})
    room.reply("I will. ", Call("append_later", later, "call_later"), line(effects, "b", 1))
    room.reply("So it is.")
    say(page, "go")
    expect(page.locator(".call[data-status=pending]")).to_have_count(2)
    wait_for_chat(page)
    first, second = page.locator(".call").first, card(page)
    first.get_by_role("button", name="Approve").click()
    expect(first.locator(".state")).to_have_text("running…")
    expect(page.locator(".progress:visible")).to_have_text("Using append_later…")
    expect(second.locator(".details")).to_be_focused()
    expect(page.locator(".chats .waits")).to_have_text("Needs your approval")
    field = second.get_by_label("Arguments (JSON)")
    page.reload()  # a new page shows one running and the other pending
    wait_for_connection(page)
    expect(first.locator(".state")).to_have_text("running…")
    expect(second.locator(".state")).to_have_text("needs your approval")
    second.get_by_role("button", name="Edit arguments").click()
    field.fill('{"half":')
    effects.with_name("later").touch()
    expect(first.locator(".state")).to_have_text("done")
    expect(page.locator(".progress:visible")).to_have_text("Waiting for your approval…")
    expect(field).to_be_focused()  # an editor keeps the focus
    expect(field).to_have_value('{"half":')
    expect(page).to_have_title(re.compile("^● Approval needed · "))
    assert_accessible(page)
    second.get_by_role("button", name="Deny").click()
    wait_for_final_answer(page)
    expect(second.locator(".state")).to_have_text("denied")
    expect(page).not_to_have_title(re.compile("Approval"))
    assert lines(effects) == ["later"]


def test_a_running_tool_shows_its_progress(room: Room, effects: Path) -> None:
    page = room.page()
    room.reply(Call("report", json.dumps({"file": str(effects)})))
    room.reply("So it is.")
    say(page, "go")
    expect(card(page).locator(".state")).to_have_text("running…")
    card(page).locator("summary").click()
    expect(card(page).locator(".working")).to_have_text("<b>Half</b> of it")
    effects.touch()
    wait_for_final_answer(page)
    expect(card(page).locator(".result")).to_have_text("all of it")
    expect(card(page).locator(".working")).to_be_hidden()


def test_a_pending_call_is_shown_on_every_page(room: Room, effects: Path) -> None:
    page = ask(room, effects, "a")
    title = page.locator("#title").inner_text()
    store(room, [(f"Later {number}", "Something else") for number in range(4)])
    with closing(sqlite3.connect(room.talos.data / "talos.sqlite3", timeout=30)) as rows:
        rows.execute(
            "UPDATE chat_conversation SET updated_at = '2020-01-01' WHERE title NOT LIKE 'Later%'"
        )
        rows.commit()
    page.goto(room.talos.address)
    waits = page.locator("#sidebar li", has=page.locator(".waits"))
    expect(waits).to_contain_text(title)
    expect(page.get_by_role("heading", name="Waiting for you")).to_be_visible()
    expect(page).to_have_title(re.compile("^● Approval needed"))
    assert_accessible(page)
    dot = "getComputedStyle(document.querySelector('.top .menu'), '::after').content"
    assert page.evaluate(dot) == '""'  # with the sidebar as a closed drawer
    waits.get_by_role("link", name=title).first.click()
    expect(card(page).get_by_role("button", name="Deny")).to_be_visible()
    wait_for_connection(page)
    card(page).get_by_role("button", name="Deny").click()
    expect(card(page).locator(".state")).to_have_text("denied")
    expect(page.get_by_role("heading", name="Waiting for you")).to_be_hidden()
    assert page.evaluate(dot) == "none"


def test_a_decision_reaches_the_other_tab(room: Room, effects: Path) -> None:
    page = ask(room, effects, "a")
    other = room.page(page.url.removeprefix(room.talos.address), page.context)
    expect(card(other)).to_have_attribute("data-status", "pending")
    expect(other).to_have_title(re.compile("^●"))
    card(page).get_by_role("button", name="Deny").click()
    for tab in (page, other):
        wait_for_final_answer(tab)
        expect(card(tab).locator(".state")).to_have_text("denied")
        expect(tab).to_have_title(re.compile("^[^●]"))


@pytest.mark.promise(5)
def test_a_pending_approval_survives_a_reload_and_a_restart(room: Room, effects: Path) -> None:
    page = ask(room, effects, "a")
    page.reload()
    expect(card(page)).to_have_attribute("data-status", "pending")
    card(page).get_by_role("button", name="Edit arguments").click()
    field = card(page).get_by_label("Arguments (JSON)")
    edited = json.dumps({"file": str(effects), "text": "kept"})
    field.fill(edited)
    room.talos.kill()
    expect(page.locator("#banner")).to_contain_text("Connection lost")
    card(page).get_by_role("button", name="Approve").click()
    expect(card(page).get_by_role("alert")).to_contain_text("Not connected")
    room.restart()
    wait_for_connection(page)
    expect(field).to_have_value(edited)
    card(page).get_by_role("button", name="Approve").click()
    wait_for_final_answer(page)
    assert lines(effects) == ["kept"]


def test_calls_are_decided_without_javascript(room: Room, effects: Path) -> None:
    page = ask(room, effects, "a")
    url = page.url
    plain = room.context(java_script_enabled=False).new_page()
    plain.goto(url)
    expect(plain.get_by_role("button", name="Edit arguments")).to_be_hidden()
    plain.get_by_role("checkbox").check()
    plain.get_by_role("button", name="Approve").click()
    expect(plain).to_have_url(url)
    expect(plain.locator(".call[data-status=pending]")).to_have_count(0)
    wait_for_final_answer(page)
    plain.goto(url + "settings/")
    plain.get_by_role("button", name="Ask again").click()
    expect(plain.locator("#rules")).to_be_hidden()
