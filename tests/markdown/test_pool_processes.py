"""The pool's processes: replaced when they are killed, and gone with their server."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from chat.markdown import asking, processes
from chat.markdown.jobs import Job, Outcome, seconds_for
from chat.markdown.pool import WORKERS, Pool
from tests.markdown.costly_texts import COSTLY
from tests.markdown.pools import SECONDS, text


def test_a_worker_that_was_killed_is_replaced(pool: Pool) -> None:
    text(pool, "*a*")
    for pid in children(template(pool)):
        os.kill(pid, signal.SIGKILL)
    assert text(pool, "*b*").until is None  # the text was not the cause


def test_a_text_at_which_each_worker_ends_is_plain(pool: Pool) -> None:
    """For example, because of a bug in the interpreter."""
    asked = []

    class Ending(processes.Worker):
        def __init__(self) -> None:
            """No process."""

        def ask(self, job: dict[str, Any]) -> dict[str, Any]:
            asked.append(job)
            raise processes.Ended(None, is_early=True)

    pool._template.worker = Ending  # type: ignore[method-assign]
    assert "plain" in text(pool, "*a*").html
    assert len(asked) == 2


def test_without_a_thread_text_is_plain(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_to_be_had(thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(Thread, "start", none_to_be_had)
        assert text(pool, "*a*").until == 0
    assert text(pool, "*a*").until is None


def test_a_fault_costs_one_text_and_no_thread(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(asking, "_outcome", None)
        for number in range(WORKERS + 1):
            assert text(pool, f"*a* {number}").until == 0
    assert len(caplog.records) == WORKERS + 1
    assert text(pool, "*a*").until is None


def test_a_template_that_was_killed_is_replaced(pool: Pool) -> None:
    text(pool, "*a*")
    for pid in [*children(template(pool)), template(pool)]:
        os.kill(pid, signal.SIGKILL)
    text(pool, "*b*")
    assert text(pool, "*c*").until is None


def test_without_a_process_text_is_plain_and_the_log_says_it_once(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    monkeypatch.setattr(processes, "PAUSE", 0.0)
    with caplog.at_level(logging.ERROR):
        for number in range(3):
            found = text(pool, f"*a* {number}")
            assert found.html == f'<div class="plain" dir="auto">*a* {number}</div>'
            assert found.until == 0
    (record,) = caplog.records
    assert "/no/such/python" in record.getMessage()
    monkeypatch.undo()
    monkeypatch.setattr(processes, "PAUSE", 0.0)
    assert text(pool, "*a*").until is None


def test_processes_end_with_the_server() -> None:
    pool = Pool()
    text(pool, "*a*")
    family = [template(pool), *children(template(pool))]
    assert len(family) > 1
    pool.close()
    until_gone(family)
    assert pool.submit("mine", Job("text", "*a*")).result(SECONDS).until == 0


def test_texts_that_wait_at_the_end_are_plain() -> None:
    pool = Pool()
    asked = [pool.submit("mine", Job("text", f"{n}{COSTLY['colons']}")) for n in range(5)]
    pool.close()
    assert all("plain" in outcome.html for outcome in results(asked))


def test_a_worker_has_no_files_but_its_own(pool: Pool) -> None:
    """No listening socket, no database."""
    text(pool, "*a*")
    for pid in children(template(pool)):
        files = [file for file in Path(f"/proc/{pid}/fd").iterdir() if int(file.name) > 2]
        (opened,) = (os.readlink(file) for file in files)
        assert opened.startswith("socket:")


def test_the_time_of_others_does_not_count(pool: Pool) -> None:
    """A busy machine, or a worker that is stopped for a while, makes no text plain."""
    text(pool, "*a*")
    (pid,) = children(template(pool))
    os.kill(pid, signal.SIGSTOP)
    asked = pool.submit("mine", Job("text", "*b*"))
    time.sleep(2 * seconds_for("*b*"))  # longer than its processor time
    assert not asked.done()
    os.kill(pid, signal.SIGCONT)
    assert asked.result(SECONDS).until is None


def results(asked: list[Future[Outcome]]) -> list[Outcome]:
    return [future.result(SECONDS) for future in asked]


def template(pool: Pool) -> int:
    process = pool._template._process
    assert process is not None
    return process.pid


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def until_gone(family: list[int]) -> None:
    deadline = time.monotonic() + SECONDS
    while any(Path(f"/proc/{pid}").exists() for pid in family):
        assert time.monotonic() < deadline, family
        time.sleep(0.01)


def test_a_closed_pool_starts_nothing(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work under way ends without another worker."""
    begun, closed = Event(), Event()

    class Late(asking.Asking):
        def ask(self, job: Job, known: asking.Known) -> tuple[Outcome, asking.Known]:
            begun.set()
            closed.wait(SECONDS)
            return super().ask(job, known)

    monkeypatch.setattr("chat.markdown.pool.Asking", Late)
    asked = pool.submit("mine", Job("text", "*a*"))
    assert begun.wait(SECONDS)
    pool.close()
    closed.set()
    assert asked.result(SECONDS).until == 0
    assert pool._template._process is None
