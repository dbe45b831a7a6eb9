"""A real Chromium, a real server process and a scripted model: a room for each test.

A file's tests share its server, cleared before each; `empty_room` is one of the test's own. The
browser is started anew for each file: Playwright's synchronous interface keeps an event loop
running in this thread, which would break other tests.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser import evidence
from tests.browser.chromium import ARGUMENTS, chromium_path
from tests.support.databases import fresh_database
from tests.support.model_server import ModelServer
from tests.support.processes import Talos

SECONDS = 30
MODEL = "scripted"
TABLES = (
    "searchentry", "notice", "piece", "toolcall", "toolrule", "opaquepart", "turn", "message", "conversation",
    "preference", "modelpreference", "audit", "providerconnection",
)  # fmt: skip
"""The tables that `Room.clear` empties: everything a user may have written."""
SOCKET = """
const Real = WebSocket
window.WebSocket = class extends Real {
  constructor(...all) {
    super(...all)
    window.socket = this
    this.addEventListener("message", ({ data }) => { window.seq = JSON.parse(data).seq ?? window.seq })
  }
}
"""
"""Run before a page's scripts: exposes its connection and the last `seq`."""

expect.set_options(timeout=SECONDS * 1000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        reason = "no Chromium on the PATH; name one with CHROMIUM"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


class Room:
    """A test's surroundings: the product as a process, its model, and pages in a browser."""

    def __init__(
        self, browser: Browser, models: ModelServer, data: Path, variables: dict[str, str]
    ) -> None:
        self.models = models
        self.talos = Talos(data)
        self.errors: list[str] = []
        """Uncaught exceptions and policy violations, which no page may report."""
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._variables = {
            "OPENAI_BASE_URL": models.base_url,
            "OPENAI_API_KEY": "sk-test",
            "TALOS_DEFAULT_MODEL": MODEL,
            **variables,
        }

    def serve(self, **variables: str) -> None:
        """Start the server, with these variables only if any are given."""
        self.talos.start(**(variables or self._variables))

    def serve_models(self, models: Sequence[str]) -> None:
        """Start the server, and wait until it knows what its model server lists."""
        self.models.models = [*models]
        self.serve()
        self.wait_until_listed(models)

    def wait_until_listed(self, models: Sequence[str]) -> None:
        """Wait until the server lists these models."""
        until = time.monotonic() + SECONDS
        while set(models) - self._listed():
            assert time.monotonic() < until, "the models are not listed"
            time.sleep(0.05)

    def _listed(self) -> set[str]:
        # the first time, the server itself waits seconds for the list
        url = f"{self.talos.address}/api/models"
        with urlopen(url, timeout=SECONDS) as response:  # noqa: S310  # our own
            return {model["id"] for model in json.load(response)["models"]}

    def restart(self) -> None:
        """Restart on the same data and port."""
        self.talos.start(PORT=self.talos.address.rpartition(":")[2], **self._variables)

    def clear(self) -> None:
        """Delete all messages and choices while the server runs."""
        self.models.reset()
        if self.talos.process.poll() is not None:
            self.restart()
        with closing(sqlite3.connect(self.talos.data / "talos.sqlite3", timeout=SECONDS)) as rows:
            for table in TABLES:
                rows.execute(f"DELETE FROM chat_{table}")  # noqa: S608  # our own names
            rows.commit()

    def reply(self, *steps: object) -> None:
        self.models.script(MODEL, *steps)  # type: ignore[arg-type]  # pieces and steps

    def context(self, **options: object) -> BrowserContext:
        context = self._browser.new_context(**options)  # type: ignore[arg-type]  # Playwright's
        self._contexts.append(context)
        evidence.record(context)
        return context

    def page(self, path: str = "/", context: BrowserContext | None = None) -> Page:
        """Open a tab; tabs of one context share storage, as in one browser."""
        page = (context or self.context()).new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._note_violation(message.text))
        page.goto(self.talos.address + path)
        return page

    def _note_violation(self, text: str) -> None:
        if "Content Security Policy" in text:
            self.errors.append(text)

    def leave(self, test: pytest.Item) -> None:
        """Close all pages, and fail if any reported a problem."""
        has_failed = test.stash.get(evidence.FAILED, False)
        try:
            if has_failed or self.errors:
                evidence.keep(self._contexts, test.nodeid)
            else:
                evidence.forget(self._contexts)
        finally:
            contexts, self._contexts = self._contexts, []
            for context in contexts:
                context.close()
        errors, self.errors = self.errors, []
        assert errors == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[evidence.FAILED] = report.failed
    return report


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    """Extra environment variables for the server of a test file."""
    return {}


@pytest.fixture
def empty_room(
    request: pytest.FixtureRequest,
    chromium: Browser,
    collected: None,
    tmp_path: Path,
    variables: dict[str, str],
) -> Iterator[Room]:
    """A room for one test, with no server started."""
    with ModelServer() as models:
        room = Room(chromium, models, tmp_path / "data", variables)
        with fresh_database(tmp_path / "data"):
            yield room
            room.leave(request.node)
            room.talos.kill()


@pytest.fixture(scope="module")
def shared_room(
    chromium: Browser,
    collected: None,
    tmp_path_factory: pytest.TempPathFactory,
    variables: dict[str, str],
) -> Iterator[Room]:
    with ModelServer() as models:
        data = tmp_path_factory.mktemp("room") / "data"
        room = Room(chromium, models, data, variables)
        with fresh_database(data):
            room.serve()
            yield room
            room.talos.kill()


@pytest.fixture
def room(request: pytest.FixtureRequest, shared_room: Room) -> Iterator[Room]:
    """A room with a running, empty server."""
    shared_room.clear()
    yield shared_room
    shared_room.leave(request.node)


def say(page: Page, text: str) -> None:
    page.wait_for_load_state()  # after a link, the page has no script at first
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")


def wait_for_chat(page: Page) -> None:
    """Wait until the page has its conversation's address."""
    expect(page).to_have_url(re.compile(r"/c/[0-9a-f-]{36}/$"))


def wait_for_answer(page: Page) -> None:
    """Wait until the last message has its complete answer, rendered by the server.

    Finished blocks are rendered earlier, so they do not show it.
    """
    expect(page.locator("#messages > .assistant:last-child > .handles")).to_be_visible()


def wait_until(page: Page, expression: str, argument: object = None) -> None:
    """Wait until an expression is true on the page. Playwright's own wait uses `eval` after its first
    check, which the page's policy forbids."""
    until = time.monotonic() + SECONDS
    while not page.evaluate(expression, argument):
        assert time.monotonic() < until, expression
        page.wait_for_timeout(20)


def wait_for_connection(page: Page) -> None:
    """Wait until the page is connected and in sync with the server."""
    page.wait_for_load_state()
    expect(page.locator("#banner")).to_be_empty()
