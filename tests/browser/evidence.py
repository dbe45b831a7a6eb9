"""Keeps what a failed browser test saw: a picture of each of its pages, and Playwright's trace.

They are in `test-results/`, in a folder named after the test; the failure says so.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence

import pytest
from django.conf import settings
from playwright.sync_api import BrowserContext, Error

RESULTS = settings.BASE_DIR / "test-results"
FAILED = pytest.StashKey[bool]()
"""Of a test whose call failed."""


def record(context: BrowserContext) -> None:
    context.tracing.start(snapshots=True, sources=True)


def keep(contexts: Sequence[BrowserContext], nodeid: str) -> None:
    """Write it all down; the contexts record no longer."""
    folder = RESULTS / re.sub(r"[^\w.-]+", "-", nodeid.removeprefix("tests/browser/")).strip("-")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, context in enumerate(contexts, 1):
        for place, page in enumerate(context.pages, 1):
            try:
                page.screenshot(path=folder / f"page-{number}-{place}.png", timeout=5000)
            except Error as error:  # it may be what the test is about: a page that hangs
                print(f"No picture: {error}")
        context.tracing.stop(path=folder / f"trace-{number}.zip")
    print(f"Pictures and traces: {folder.relative_to(settings.BASE_DIR)}")


def forget(contexts: Sequence[BrowserContext]) -> None:
    for context in contexts:
        context.tracing.stop()
