"""What the page costs, in a real Chromium: each figure's browser is started for it alone."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from urllib.parse import urlsplit
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.figures import Figures
from benchmarks.stands import Stand
from tests.browser.chromium import ARGUMENTS, chromium_path

TIMES = 20
DELTAS = 5000
QUIET = 500
"""Milliseconds without a request: the page has all it wants."""
PAINT = """
new Promise((done) => new PerformanceObserver((list) => {
  const [paint] = list.getEntriesByName("first-contentful-paint");
  if (paint) done(paint.startTime);
}).observe({ type: "paint", buffered: true }))
"""
WATCH = """
window.longest = 0;
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
}).observe({ type: "longtask" });
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    # Playwright keeps an event loop running in this thread, which the other figures cannot live with.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        yield browser
        browser.close()


def load(stand: Stand) -> Figures:
    """A first load of an empty page with an empty cache, until nothing more is asked for."""
    sizes: list[int] = []
    hosts: set[str] = set()
    paints = []
    with stand.fresh() as talos, chromium() as browser:
        for _ in range(5):
            sizes.clear()
            page = browser.new_page()
            page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
            _count(page, sizes)
            page.goto(talos.address, wait_until="networkidle")
            paints.append(page.evaluate(PAINT))
            page.close()
    return {
        "size": sum(sizes) / 1024,
        "requests": len(sizes),
        "foreign": len(hosts) - 1,
        "paint": median(paints),
    }


def _count(page: Page, sizes: list[int]) -> None:
    """Bytes on the wire, heads included."""
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.on("Network.loadingFinished", lambda done: sizes.append(done["encodedDataLength"]))


def stream(stand: Stand) -> Figures:
    """The longest task of the page from the question to the end of the answer."""
    longest = []
    with stand.fresh() as talos, chromium() as browser:
        for number in range(3):
            page = browser.new_page()
            page.goto(talos.address, wait_until="networkidle")
            page.evaluate(WATCH)
            page.get_by_label("Message", exact=True).fill(f"k{number} burst {DELTAS}")
            page.keyboard.press("Enter")
            page.wait_for_selector(".assistant[data-status=completed] .prose", timeout=120_000)
            page.wait_for_timeout(QUIET)
            longest.append(page.evaluate("longest"))
            page.close()
    return {"task": median(longest)}


def long(stand: Stand) -> Figures:
    """A conversation of 1,000 messages, from the server and until its end can be read."""
    paints = []
    with (
        stand.serve(stand.data("long", conversations=2, messages=1000)) as talos,
        chromium() as browser,
    ):
        address = talos.address.rstrip("/") + _a_chat(talos.address)
        answer = _answer(address)
        for _ in range(5):
            page = browser.new_page()
            page.goto(address)
            paints.append(page.evaluate(PAINT))
            page.close()
    return {"answer": answer, "paint": median(paints)}


def lists(stand: Stand, *, conversations: int) -> Figures:
    """The server's answers with many chats."""
    with stand.serve(stand.data("history", conversations=conversations)) as talos:
        return {
            "new": _answer(talos.address),
            "sidebar": _answer(f"{talos.address}sidebar/"),
            "all": _answer(f"{talos.address}chats/"),
            "search": _answer(f"{talos.address}chats/?q=lisbon+garden"),
            "nowhere": _answer(f"{talos.address}chats/?q=nowhere"),
        }


def _answer(address: str) -> float:
    """Milliseconds to an answer's last byte."""
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        with urlopen(address) as answer:  # noqa: S310  # our own address
            answer.read()
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def _a_chat(address: str) -> str:
    with urlopen(f"{address}chats/") as answer:  # noqa: S310  # our own address
        found = re.search(r'href="(/c/[0-9a-f-]{36}/)"', answer.read().decode())
    assert found is not None
    return found[1]
