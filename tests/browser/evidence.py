"""Keeps evidence of a failed browser test: a screenshot of each page, and Playwright's trace.

They are in `test-results/`, in a folder named after the test; the failure says so.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Error

ROOT = Path(__file__).resolve().parents[2]
FAILED = pytest.StashKey[bool]()
"""Whether the test's call failed."""


def record(context: BrowserContext) -> None:
    context.tracing.start(snapshots=True, sources=True)


def keep(contexts: Sequence[BrowserContext], nodeid: str) -> None:
    """Save each page's screenshot and each context's trace, and stop recording."""
    folder = (
        ROOT
        / "test-results"
        / re.sub(r"[^\w.-]+", "-", nodeid.removeprefix("tests/browser/")).strip("-")
    )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, context in enumerate(contexts, 1):
        for place, page in enumerate(context.pages, 1):
            try:
                page.screenshot(path=folder / f"page-{number}-{place}.png", timeout=5000)
            except Error as error:  # the test may be about a page that hangs
                print(f"No picture: {error}")
        context.tracing.stop(path=folder / f"trace-{number}.zip")
    print(f"Pictures and traces: {folder.relative_to(ROOT)}")


def forget(contexts: Sequence[BrowserContext]) -> None:
    for context in contexts:
        context.tracing.stop()
