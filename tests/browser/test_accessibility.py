"""The page is accessible and safe: axe, narrow screens, hostile answers."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import Room, say, wait_for_answer
from tests.support.model_server import Gate, Think, Tokens

pytestmark = pytest.mark.browser

RICH = """\
# A heading

Words, `code`, a [link](https://example.org/) and a list:

- [ ] open
- [x] done

> A quotation

| Name | Count |
|:-----|------:|
| Ants | 12 |

```python
def answer(question: str) -> int:  # forty-two
    return 40 + len("ab")
```
"""


@pytest.mark.parametrize("width", [1200, 390])
def test_the_page_passes_axe_in_every_state(room: Room, width: int) -> None:
    context = room.context(viewport={"width": width, "height": 800})
    page = room.page(context=context)
    assert_accessible(page)  # empty

    room.reply(RICH)
    say(page, "Show me everything")
    wait_for_answer(page)
    expect(page.locator(".prose pre")).to_be_visible()
    room.reply("And so ", Gate())
    say(page, "Go on")
    expect(page.locator(".plain")).to_have_text("And so ")
    say(page, "Later")
    expect(page.locator("[data-queued]")).to_be_visible()
    assert_accessible(page)  # an answer being written, with one queued
    page.get_by_role("button", name="Stop the answer").click()
    expect(page.locator(".note.cancelled")).to_be_visible()
    expect(page.locator(".prose")).to_have_count(3)
    wait_for_answer(page)
    assert_accessible(page)  # finished

    if width < 800:
        page.get_by_role("button", name="Show chats").click()
    page.locator("#sidebar .trash").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_accessible(page)  # the dialog
    page.goto(room.talos.address + "/chats/")
    assert_accessible(page)
    page.goto(room.talos.address + "/nothing/")
    assert_accessible(page)


@pytest.mark.parametrize("width", [1200, 390])
def test_the_dialogs_pass_axe(empty_room: Room, width: int) -> None:
    room = empty_room
    room.serve_models(["scripted", *(f"ant-{number}" for number in range(20))])
    context = room.context(viewport={"width": width, "height": 800})
    page = room.page(context=context)
    page.locator("#model").click()
    expect(page.get_by_role("option", name="ant-19")).to_be_attached()
    assert_accessible(page)  # the menu
    page.keyboard.type("ant-1")
    expect(page.get_by_role("option")).to_have_count(11)
    assert_accessible(page)  # filtered
    page.keyboard.press("Escape")

    gate = Gate()
    room.reply(Think("Hm. " * 2000), gate, "Twenty.", Tokens(12, 3))
    say(page, "How many?")
    page.locator(".reasoning summary").click()
    assert_accessible(page)  # thinking
    gate.open()
    wait_for_answer(page)
    page.locator(".about summary").click()
    say(page, "/sessions")
    expect(page.locator(".notice")).to_be_visible()
    assert_accessible(page)  # details, and the answer to a command

    page.locator("#settings").click()
    page.get_by_label("Temperature").fill("warm")
    page.keyboard.press("Enter")
    expect(page.locator(".errorlist")).to_be_visible()
    assert_accessible(page)  # the settings
    page.goto(room.talos.address + "/settings/")
    assert_accessible(page)


def test_the_first_run_explains_how_to_connect_a_model(empty_room: Room) -> None:
    empty_room.serve(TALOS_DEFAULT_MODEL="demo")
    page = empty_room.page()
    for words in ("demo", "Connect a model", "Ollama", ".env"):
        expect(page.locator(".first-run")).to_contain_text(words)
    page.set_viewport_size({"width": 390, "height": 500})
    page.reload()
    expect(page.get_by_role("heading", level=2)).to_be_in_viewport()  # the reader starts at the top
    expect(page.get_by_role("button", name="Jump to latest")).to_be_hidden()
    assert_accessible(page)


@pytest.mark.parametrize("width", [320, 390])
def test_nothing_overflows_a_narrow_screen(room: Room, width: int) -> None:
    context = room.context(viewport={"width": width, "height": 700})
    page = room.page(context=context)
    room.reply(RICH + "\n" + "x" * 400)
    say(page, "A long word: " + "y" * 200)
    wait_for_answer(page)
    expect(page.locator(".prose pre")).to_be_visible()
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) <= 0
    sidebar = page.get_by_role("navigation", name="Chats")
    expect(sidebar).to_be_hidden()
    page.get_by_role("button", name="Show chats").click()
    expect(sidebar).to_be_visible()
    sidebar.get_by_role("link", name="New chat").click()
    expect(sidebar).to_be_hidden()
    expect(page.locator(".message")).to_have_count(0)


def test_the_keyboard_reaches_the_main_controls(room: Room) -> None:
    page = room.page()
    page.goto(room.talos.address)
    page.locator("body").press("Tab")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    reached = set()
    for _ in range(24):
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
        page.keyboard.press("Tab")
    assert {"brand", "new-chat", "text", "send"} <= reached


def test_a_table_has_one_text_direction(room: Room) -> None:
    page = room.page()
    room.reply("| שם | מספר |\n|:--|--:|\n| נמלים | 12 |\n| Ants. | 7 |")
    say(page, "Show me a table")
    wait_for_answer(page)
    edges = "cells => cells.map(cell => getComputedStyle(cell).textAlign)"
    cells = page.locator(".table :is(th, td):first-child")
    assert cells.evaluate_all(edges) == ["right"] * 3
    assert page.locator(".table :is(th, td):last-child").evaluate_all(edges) == ["left"] * 3
    expect(page.locator(".table")).to_have_css("direction", "rtl")
