"""The server's reaction when the process for an uploaded file fails."""

from __future__ import annotations

import logging
import sys
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest

from chat.services.imports import jobs
from chat.upkeep import uploads

pytestmark = pytest.mark.anyio

FIRST, SECOND = UUID(int=1), UUID(int=2)


class Broken:
    """An installation whose Python exits at once, after logging a line."""

    def __init__(self, folder: Path) -> None:
        self.python = folder / "python"
        self._begun = folder / "begun"
        self.status(1)

    def status(self, status: int) -> None:
        self.python.write_text(f"#!/bin/sh\necho $3 >> {self._begun}\nexit {status}\n")
        self.python.chmod(0o700)

    def begun(self) -> list[UUID]:
        return [UUID(line) for line in self._begun.read_text().split()]


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Broken:
    made = Broken(tmp_path)
    monkeypatch.setattr(sys, "executable", str(made.python))
    monkeypatch.setattr(jobs, "waiting", lambda: [FIRST, SECOND])
    monkeypatch.setattr(uploads, "_failures", {})
    return made


async def test_a_failed_import_is_retried_ever_later_without_delaying_others(
    broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(uploads, "monotonic", lambda: now)
    begun: list[int] = []
    for second in range(3600):
        now = float(second)
        await uploads.run()
        if len(broken.begun()) > 2 * len(begun):
            begun.append(second)
            assert broken.begun()[-2:] == [FIRST, SECOND]
    waits = [later - sooner for sooner, later in pairwise(begun)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600, 600]


async def test_a_failure_is_logged_once_and_another_one_again(
    broken: Broken, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(uploads, "FIRST_WAIT", 0.0)
    statuses = iter((1, 1, 1, 2, 2, 0))

    def waiting() -> list[UUID]:
        if (status := next(statuses, None)) is None:
            return []
        broken.status(status)
        return [FIRST]

    monkeypatch.setattr(jobs, "waiting", waiting)
    with caplog.at_level(logging.ERROR):
        await uploads.run()
    assert len(broken.begun()) == 6
    assert [record.message.split(": ")[0][-8:] for record in caplog.records] == [
        "status 1",
        "status 2",
    ]
