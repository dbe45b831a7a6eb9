"""The form of a pending call: its editor, its focus, its accessibility."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import Room, say
from tests.browser.test_approvals import (
    ask,
    card,
    effects,
    line,
    lines,
    variables,
    wait_for_final_answer,
)
from tests.support.model_server import Gate

__all__ = ["effects", "variables"]  # fixtures

pytestmark = pytest.mark.browser


def test_edited_arguments_are_validated_and_run(room: Room, effects: Path) -> None:
    page = ask(room, effects, "a")
    card(page).get_by_role("button", name="Edit arguments").click()
    field = card(page).get_by_label("Arguments (JSON)")
    expect(field).to_be_focused()
    approve = card(page).get_by_role("button", name="Approve")
    for wrong, words in (('{"text"', "Not valid JSON"), ('{"text": "b"}', "file")):
        field.fill(wrong)
        approve.click()
        expect(card(page).get_by_role("alert")).to_contain_text(words)
        expect(field).to_have_value(wrong)
        expect(field).to_be_focused()
    field.fill(json.dumps({"file": str(effects), "text": "b"}))
    approve.click()
    wait_for_final_answer(page)
    assert lines(effects) == ["b"]
    expect(card(page).locator(".gist")).to_have_text(str(effects))  # shown while folded
    card(page).locator("summary").first.click()
    expect(card(page).locator(".gist")).to_be_hidden()
    expect(card(page).locator(".arguments dd").nth(1)).to_have_text("b")
    expect(card(page).locator(".original")).to_contain_text("You edited this")


def test_escape_closes_the_editor_without_stopping_the_answer(room: Room, effects: Path) -> None:
    page = ask(room, effects, "a")
    edit = card(page).get_by_role("button", name="Edit arguments")
    for where in ("textarea", "[data-edit]"):
        edit.click()
        card(page).locator(where).press("Escape")
        expect(edit).to_be_focused()
        expect(card(page)).to_have_attribute("data-status", "pending")


def test_typing_keeps_the_focus(room: Room, effects: Path) -> None:
    gate = Gate()
    page = room.page()
    room.reply("I will. ", gate, line(effects, "a"))
    say(page, "go")
    expect(page.locator(".plain")).to_have_text("I will. ")
    message = page.get_by_label("Message", exact=True)
    message.fill("By the w")
    gate.open()
    expect(card(page)).to_have_attribute("data-status", "pending")
    page.keyboard.type("ay")
    expect(message).to_have_value("By the way")


@pytest.mark.parametrize("width", [1200, 390])
def test_a_pending_call_passes_axe(room: Room, effects: Path, width: int) -> None:
    page = ask(room, effects, "a", viewport={"width": width, "height": 800})
    assert_accessible(page)
    card(page).get_by_role("button", name="Edit arguments").click()
    card(page).get_by_label("Arguments (JSON)").fill("{")
    card(page).get_by_role("button", name="Approve").click()
    expect(card(page).get_by_role("alert")).to_contain_text("Not valid JSON")
    assert_accessible(page)
    card(page).get_by_role("button", name="Deny").click()
    wait_for_final_answer(page)
    card(page).locator("summary").first.click()
    assert_accessible(page)
