"""`python -m benchmarks.page`: what the page costs, in a real Chromium, as a table in Markdown.

Bytes and hosts of a first load, its first contentful paint, the time of the server's answers with
1,000 messages and with 10,000 conversations, and the page's longest task while 5,000 deltas come
as fast as they go.
"""

from __future__ import annotations

import argparse
import re
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import subjects, table
from benchmarks.history import run
from tests.browser.conftest import ARGUMENTS, chromium_path

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
Row = tuple[str, str, str, bool | None]
"""What, how much, the aim, whether it is met."""


def first_load(browser: Browser, address: str) -> list[Row]:
    """With an empty cache, until nothing more is asked for."""
    sizes: list[int] = []
    hosts: set[str] = set()
    paints = []
    for _ in range(5):
        sizes.clear()
        page = browser.new_page()
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        _count(page, sizes)
        page.goto(address, wait_until="networkidle")
        paints.append(page.evaluate(PAINT))
        page.close()
    size, paint, foreign = sum(sizes) / 1024, median(paints), len(hosts) - 1
    return [
        ("First load, with everything", f"{size:.1f} KiB", "80 KB", size * 1024 <= 80_000),
        ("Its requests", str(len(sizes)), "", None),
        ("Of these to another host", str(foreign), "0", foreign == 0),
        ("First contentful paint", f"{paint:.0f} ms", "300 ms", paint <= 300),
    ]


def _count(page: Page, sizes: list[int]) -> None:
    """Bytes on the wire, heads included."""
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.on("Network.loadingFinished", lambda done: sizes.append(done["encodedDataLength"]))


def answers(address: str, paths: dict[str, str]) -> list[Row]:
    """The median time of an answer, to its last byte."""
    rows: list[Row] = []
    for name, path in paths.items():
        times = []
        for _ in range(TIMES):
            began = time.perf_counter()
            with urlopen(address + path) as answer:  # noqa: S310  # our own address
                answer.read()
            times.append((time.perf_counter() - began) * 1000)
        took = median(times)
        rows.append((name, f"{took:.0f} ms", "100 ms", took <= 100))
    return rows


def opening(browser: Browser, address: str, path: str) -> list[Row]:
    """A long conversation, until its end can be read."""
    paints = []
    for _ in range(5):
        page = browser.new_page()
        page.goto(address + path)
        paints.append(page.evaluate(PAINT))
        page.close()
    paint = median(paints)
    return [("… its first contentful paint", f"{paint:.0f} ms", "300 ms", paint <= 300)]


def streaming(browser: Browser, address: str) -> list[Row]:
    """The longest task of the page from the question to the end of the answer."""
    longest = []
    for number in range(3):
        page = browser.new_page()
        page.goto(address, wait_until="networkidle")
        page.evaluate(WATCH)
        page.get_by_label("Message", exact=True).fill(f"k{number} burst {DELTAS}")
        page.keyboard.press("Enter")
        page.wait_for_selector(".assistant[data-status=completed] .prose", timeout=120_000)
        page.wait_for_timeout(QUIET)
        longest.append(page.evaluate("longest"))
        page.close()
    task = median(longest)
    said = f"{task:.0f} ms" if task else "below 50 ms"
    return [(f"Longest task while {DELTAS:,} deltas come", said, "50 ms", task <= 50)]


def made(folder: Path, *, conversations: int, messages: int) -> Path:
    run(folder, "manage.py", "migrate", "--verbosity=0")
    amounts = ("--conversations", str(conversations), "--messages", str(messages))
    run(folder, "-m", "benchmarks.many_conversations", *amounts)
    return folder


def measure(browser: Browser, folder: Path, conversations: int) -> list[Row]:
    rows: list[Row] = []
    with ExitStack() as processes:
        model = processes.enter_context(subjects.model_server())

        def serve(name: str) -> str:
            talos = processes.enter_context(subjects.talos(model, folder / name))
            return talos.address.rstrip("/")

        empty = serve("empty")
        rows += first_load(browser, empty)
        rows += streaming(browser, empty)
        made(folder / "long", conversations=2, messages=1000)
        long = serve("long")
        path = _a_chat(long)
        rows += answers(long, {"The page with 1,000 messages": path})
        rows += opening(browser, long, path)
        made(folder / "many", conversations=conversations, messages=20)
        lists = f"with {conversations:,} chats"
        rows += answers(
            serve("many"),
            {
                f"A new chat {lists}": "/",
                f"The sidebar {lists}": "/sidebar/",
                f"All chats {lists}": "/chats/",
                "Search for two words in titles and all messages": "/chats/?q=lisbon+garden",
                "Search for what is nowhere": "/chats/?q=nowhere",
            },
        )
    return rows


def _a_chat(address: str) -> str:
    with urlopen(f"{address}/chats/") as answer:  # noqa: S310  # our own address
        found = re.search(r'href="(/c/[0-9a-f-]{36}/)"', answer.read().decode())
    assert found is not None
    return found[1]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="with 1,000 conversations")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="talos-bench-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        rows = measure(browser, Path(folder), 1_000 if options.quick else 10_000)
        browser.close()
    print(f"{table.machine()}\n\n| the page | | aim | |\n| --- | --- | --- | --- |")
    for what, amount, aim, is_met in rows:
        verdict = "" if is_met is None else "met" if is_met else "MISSED"
        print(f"| {what} | {amount} | {aim and f'≤ {aim}'} | {verdict} |")


if __name__ == "__main__":
    main()
