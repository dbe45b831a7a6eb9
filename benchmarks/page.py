"""The cost of the page in a real Chromium; each figure starts its own browser."""

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
"""Milliseconds without a request after which the page counts as loaded."""
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
    # Playwright keeps an event loop running in this thread, which would break the other figures.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        yield browser
        browser.close()


def load(stand: Stand) -> Figures:
    """Measure a first load of an empty page with an empty cache, until no more requests come."""
    sizes: list[int] = []
    hosts: set[str] = set()
    paints = []
    with stand.fresh() as talos, chromium() as browser:
        for _ in range(5):
            sizes.clear()
            page = browser.new_page()
            page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
            _record_sizes(page, sizes)
            page.goto(talos.address, wait_until="networkidle")
            paints.append(page.evaluate(PAINT))
            page.close()
    return {
        "size": sum(sizes) / 1024,
        "requests": len(sizes),
        "foreign": len(hosts) - 1,
        "paint": median(paints),
    }


def _record_sizes(page: Page, sizes: list[int]) -> None:
    """Record each response's bytes on the wire, including headers."""
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.on("Network.loadingFinished", lambda done: sizes.append(done["encodedDataLength"]))


def stream(stand: Stand) -> Figures:
    """Measure the page's longest task from the question to the end of the answer."""
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
    """Measure a conversation of 1,000 messages: the server's answer and the first paint."""
    paints = []
    with (
        stand.serve(stand.data("long", conversations=2, messages=1000)) as talos,
        chromium() as browser,
    ):
        address = talos.address.rstrip("/") + _find_chat(talos.address)
        answer = _time_answer(address)
        for _ in range(5):
            page = browser.new_page()
            page.goto(address)
            paints.append(page.evaluate(PAINT))
            page.close()
    return {"answer": answer, "paint": median(paints)}


def lists(stand: Stand, *, conversations: int) -> Figures:
    """Measure the server's answers with many chats."""
    with stand.serve(stand.data("history", conversations=conversations)) as talos:
        return {
            "new": _time_answer(talos.address),
            "sidebar": _time_answer(f"{talos.address}sidebar/"),
            "all": _time_answer(f"{talos.address}chats/"),
            "search": _time_answer(f"{talos.address}chats/?q=lisbon+garden"),
            "nowhere": _time_answer(f"{talos.address}chats/?q=nowhere"),
        }


def _time_answer(address: str) -> float:
    """Return the milliseconds to an answer's last byte."""
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        with urlopen(address) as answer:  # noqa: S310  # our own address
            answer.read()
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def _find_chat(address: str) -> str:
    """Return the path of some chat."""
    with urlopen(f"{address}chats/") as answer:  # noqa: S310  # our own address
        found = re.search(r'href="(/c/[0-9a-f-]{36}/)"', answer.read().decode())
    assert found is not None
    return found[1]
