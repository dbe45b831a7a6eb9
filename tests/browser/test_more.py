"""Long messages and calls: the rest is loaded on request, and a part never passes for the whole."""

from __future__ import annotations

import json
from pathlib import Path

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
from tests.support.model_server import Gate
from tests.support.model_server.steps import Call

pytestmark = pytest.mark.browser
LINES = [f"Line {n} of a long text\n" for n in range(30_000)]
TOP = "document.querySelector('.message.assistant').getBoundingClientRect().top"


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    return {"TALOS_TOOLS": "tools,tests.support.effect_tools"}


def test_a_long_answer_can_be_expanded_by_keyboard(room: Room) -> None:
    page = room.page(context=room.context(viewport={"width": 390, "height": 800}))
    room.reply("".join(LINES))
    say(page, "go")
    wait_for_answer(page)
    link = page.get_by_role("link", name="Show all (")
    link.scroll_into_view_if_needed()
    top = page.evaluate(TOP)
    link.focus()
    link.press("Enter")
    wait_until(page, "() => document.querySelector('.message.assistant .plain') !== null")
    expect(page.locator(".message.assistant .more")).to_have_count(0)
    assert page.evaluate(TOP) == top  # the reader's place is kept
    assert page.evaluate("document.activeElement.matches('.plain')")
    assert_accessible(page)
    text = page.locator(".message.assistant").inner_text()
    for line in (LINES[0], LINES[1000], LINES[20_000], LINES[-1]):
        assert text.count(line.strip()) == 1, line


def test_a_reload_leaves_no_gap_in_a_long_live_answer(room: Room) -> None:
    first, second = Gate(), Gate()
    page = room.page()
    room.reply("".join(LINES), first, "And on it goes", second, ".")
    say(page, "go")
    wait_for_chat(page)
    expect(page.locator(".message.assistant")).to_contain_text(LINES[-1].strip())
    page.reload()
    wait_for_connection(page)
    first.open()
    expect(page.locator(".message.assistant")).to_contain_text("And on it goes")
    text = "".join(page.locator(".message.assistant .body").all_text_contents())
    for line in (LINES[0], LINES[15_000], LINES[29_000], LINES[-1]):
        assert text.count(line.strip()) == 1, line
    second.open()
    wait_for_answer(page)


def test_long_arguments_are_loaded_whole_for_editing(room: Room, tmp_path: Path) -> None:
    effects = tmp_path / "effects.txt"
    arguments = {"file": str(effects), "text": "x" * 200_000 + "end"}
    page = room.page()
    room.reply(Call("append_line", json.dumps(arguments), "call_1", 0))
    room.reply("So it is.")
    say(page, "go")
    wait_for_chat(page)
    card = page.locator(".call[data-status=pending]")
    expect(card).to_be_visible()
    page.reload()
    wait_for_connection(page)
    expect(card).to_contain_text("Only part of this call is shown.")
    with page.context.expect_page() as opened:
        card.get_by_role("link", name="Show the whole call").click()
    assert "xend" in opened.value.inner_text("body")
    assert_accessible(page)
    card.get_by_role("button", name="Edit arguments").click()
    field = card.get_by_label("Arguments (JSON)")
    expect(field).to_be_editable()
    wait_until(page, "() => document.querySelector('.call textarea').value.includes('xend')")
    assert json.loads(field.input_value()) == arguments
    field.fill(json.dumps(arguments | {"text": "short"}))
    card.get_by_role("button", name="Approve").click()
    wait_for_answer(page)
    assert effects.read_text() == "short\n"


def test_arguments_that_fail_to_load_cannot_be_edited(room: Room, tmp_path: Path) -> None:
    page = room.page()
    room.reply(
        Call("append_line", json.dumps({"file": str(tmp_path / "f"), "text": "x" * 200_000}))
    )
    room.reply("So it is.")
    say(page, "go")
    wait_for_chat(page)
    expect(page.locator(".call[data-status=pending]")).to_be_visible()
    page.reload()
    wait_for_connection(page)
    page.route("**/source/**", lambda route: route.abort())
    edit = page.get_by_role("button", name="Edit arguments")
    edit.click()
    expect(page.get_by_role("alert").filter(has_text="could not be loaded")).to_be_visible()
    expect(page.get_by_label("Arguments (JSON)")).to_be_hidden()
    expect(edit).to_be_visible()
    page.get_by_role("button", name="Deny").click()
    wait_for_answer(page)
