"""Hostile texts do nothing in a real browser: streamed in pieces, stored, as argument and result.

The page's policy would stop most of them, so most pages here run without it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Room, say, wait_for_answer, wait_for_chat, wait_for_connection
from tests.support.hostile_texts import HOSTILE, TEXTS
from tests.support.model_server import Letters, Think
from tests.support.model_server.steps import Call

pytestmark = pytest.mark.browser
ALL = "\n\n".join(TEXTS)
STRANGE = """() => {
  const tags = "A BLOCKQUOTE BR CODE DEL DIV EM H3 H4 H5 H6 HR LI OL P PRE S SPAN STRONG TABLE TBODY TD TH THEAD TR UL"
  const names = "href title start tabindex class dir target rel"
  const found = []
  for (const element of document.querySelectorAll(".prose *, .plain *")) {
    if (element.closest(".copy")) continue // our own
    if (!tags.split(" ").includes(element.tagName)) found.push(element.outerHTML)
    for (const { name } of element.attributes) if (!names.split(" ").includes(name)) found.push(element.outerHTML)
    if (element.href && !/^(https?|mailto):/.test(element.href)) found.push(element.outerHTML)
  }
  return found
}"""


class Watched:
    """A page without its policy, and the effects of a hostile text in it."""

    def __init__(self, room: Room) -> None:
        self.loaded: list[str] = []
        self._address = room.talos.address
        context = room.context(bypass_csp=True, viewport={"width": 1000, "height": 900})
        context.add_init_script("window.owned = () => (window.isOwned = true)")
        context.route("**", self._pass)
        self.page = room.page(context=context)

    def _pass(self, route: Route) -> None:
        if route.request.url.startswith((self._address, "data:")):
            route.continue_()
        else:
            self.loaded.append(route.request.url)
            route.abort()

    def assert_harmless(self) -> None:
        page = self.page
        assert page.evaluate(STRANGE) == []
        for element in page.locator(".prose a, .prose .image").all()[:10]:
            element.hover()
        assert page.evaluate("window.isOwned") is None
        assert self.loaded == []
        assert page.url.startswith(self._address)


@pytest.fixture
def watched(room: Room) -> Watched:
    return Watched(room)


def pieces(text: str, seed: int) -> Iterator[str]:
    chance = random.Random(seed)
    cuts = sorted(chance.sample(range(1, len(text)), len(text) // 9))
    for begin, end in pairwise([0, *cuts, len(text)]):
        yield text[begin:end]


def test_hostile_texts_are_harmless_letter_by_letter_and_stored(
    room: Room, watched: Watched
) -> None:
    page = watched.page
    page.evaluate(
        """(strange) => {
            const look = () => { window.seen = [...(window.seen ?? []), ...(eval(strange))()].slice(0, 9) }
            new MutationObserver(look).observe(document.querySelector("#messages"), { childList: true })
        }""",
        STRANGE,
    )
    room.reply(Letters(ALL))
    say(page, ALL)
    wait_for_answer(page)
    watched.assert_harmless()
    assert page.evaluate("window.seen") == []
    wait_for_chat(page)
    page.reload()
    wait_for_connection(page)
    wait_for_answer(page)
    watched.assert_harmless()
    policed = room.page(page.url.removeprefix(room.talos.address))  # violations fail the test
    wait_for_connection(policed)
    wait_for_answer(policed)


@pytest.mark.parametrize("seed", range(2))
def test_hostile_texts_are_harmless_in_pieces(room: Room, watched: Watched, seed: int) -> None:
    texts = random.Random(seed).sample(TEXTS, len(TEXTS))
    room.reply(*pieces("\n".join(texts), seed))
    say(watched.page, "Go")
    wait_for_answer(watched.page)
    watched.assert_harmless()


def test_hostile_texts_are_harmless_in_reasoning_and_calls(room: Room, watched: Watched) -> None:
    """An unknown tool is reported by its name; a failing one, with its arguments."""
    page = watched.page
    arguments = {text: text for text in TEXTS}
    room.reply(
        Think(ALL), Call(HOSTILE["event handlers"][0], json.dumps(arguments), "call_1", every=500)
    )
    room.reply(
        Call("calculate", json.dumps({"expression": ALL[:900]}), HOSTILE["mutation"][0], every=500)
    )
    note = {"path": "a.md", "content": ALL.replace("\0", "")}
    room.reply(Call("write_file", json.dumps(note), "call_3", every=500))
    room.reply(Call("read_file", json.dumps({"path": "a.md"}), "call_4"))
    room.reply("Done.")
    say(page, "Go")
    card = page.locator(".call[data-status=pending]")
    expect(card).to_be_visible()
    card.get_by_role("button", name="Edit arguments").click()
    card.get_by_role("button", name="Approve").click()
    wait_for_answer(page)
    for _ in range(2):
        for summary in page.locator(".call > summary, .reasoning summary").all():
            summary.click()
        expect(page.locator(".call .result").last).to_contain_text("owned()")
        assert (
            page.locator(".call *:not(svg, path)[onerror], .call :is(img, script, a)").count() == 0
        )
        watched.assert_harmless()
        page.reload()
        wait_for_connection(page)
        wait_for_answer(page)
