"""A costly text slows only its own conversation, and is shown all the same."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, wait
from html import escape
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from chat.markdown import asking, jobs, memory, processes
from chat.markdown.jobs import Job, Outcome, seconds_for
from chat.markdown.pool import MOST_WAITING, WORKERS, Pool
from tests.markdown.costly_texts import COSTLY, FENCE, in_all_languages

SECONDS = 60
"""Longest wait."""
COLONS = ":" * 20_000
"""Texts that no worker survives."""


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool()
    yield pool
    pool.close()


def text(pool: Pool, markdown: str, *, key: str = "mine") -> Outcome:
    return pool.submit(key, Job("text", markdown)).result(SECONDS)


def test_a_text_is_rendered(pool: Pool) -> None:
    found = text(pool, "*a*")
    assert found.html == '<p dir="auto"><em>a</em></p>\n'
    assert found.until is None
    assert 0 < found.cpu < seconds_for("*a*")


def test_a_commands_answer_and_blocks_are_rendered(pool: Pool) -> None:
    reply = pool.submit("mine", Job("reply", "[a](/c/1/)")).result(SECONDS)
    assert reply.html == '<p dir="auto"><a href="/c/1/">a</a></p>\n'
    blocks = pool.submit("mine", Job("blocks", "a\n\n*b*", is_whole=False)).result(SECONDS).blocks
    assert blocks == (jobs.Block('<p dir="auto">a</p>\n', 3),)


def test_a_lone_surrogate_is_no_fault(pool: Pool) -> None:
    assert "a" in text(pool, "a\ud800b").html


def test_code_that_takes_too_long_is_plain_and_the_rest_is_rendered(pool: Pool) -> None:
    found = text(pool, f"{FENCE}\n```python\ndef f(): ...\n```\n")
    assert "<em>it</em>.</p>\n<div" in found.html
    assert '<span class="language">easytrieve</span>' in found.html
    assert "\t" * 2000 in found.html
    assert '<span class="k">def</span>' in found.html
    assert found.until is not None
    assert not jobs.is_over(found.until)


@pytest.mark.parametrize("kind", COSTLY)
@pytest.mark.slow
def test_a_costly_text_is_shown_whole_within_its_share(pool: Pool, kind: str) -> None:
    """Three blocks that kill a worker, and a last attempt without any: each with its full share."""
    found = text(pool, COSTLY[kind])
    assert found.html
    if found.until is not None and "plain" in found.html:
        assert escape(COSTLY[kind]) in found.html
    assert found.cpu <= 8 * seconds_for(COSTLY[kind])
    assert text(pool, "*a*", key="another's").until is None


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_language_holds_up_a_text(pool: Pool) -> None:
    """All languages of Pygments, with texts of the longest highlighted length."""
    asked = {
        language: pool.submit(number, Job("text", f"```{language}\n{code}\n```\n"))
        for number, (language, code) in enumerate(in_all_languages(50_000))
    }
    assert len(asked) > 500
    for language, future in asked.items():
        found = future.result(SECONDS * 10)
        assert '<div class="code">' in found.html, language
        assert found.cpu <= 4 * seconds_for("x" * 50_100), language


def test_a_text_that_was_too_costly_is_remembered_for_an_hour(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = text(pool, COLONS)
    assert first.cpu > 0
    assert text(pool, COLONS).cpu == 0  # not tried
    later = time.time() + jobs.HOUR + 1
    monkeypatch.setattr(jobs, "time", lambda: later)
    monkeypatch.setattr(memory, "time", lambda: later)
    assert text(pool, COLONS).cpu > 0


def test_a_clock_that_is_set_back_remembers_nothing_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: memory.Memory[str, int] = memory.Memory()
    noted.note("a", 1)
    monkeypatch.setattr(jobs, "time", lambda: time.time() - 86_400)
    assert "a" not in noted


def test_the_memory_is_bounded() -> None:
    noted: memory.Memory[int, None] = memory.Memory()
    for number in range(memory.MOST + 1):
        noted.note(number, None)
    assert 0 not in noted
    assert memory.MOST in noted


def test_the_same_text_is_rendered_once_for_all_callers(pool: Pool) -> None:
    job = Job("text", COLONS)
    assert pool.submit("mine", job) is pool.submit("mine", job)


def test_a_conversation_never_has_all_workers(pool: Pool) -> None:
    """Another conversation's text is rendered while the first one still has much to do."""
    costly = [Job("text", COLONS + str(number)) for number in range(6)]
    mine = [pool.submit("mine", job) for job in costly]
    assert text(pool, "*a*", key="another's").until is None
    assert not all(future.done() for future in mine)
    wait(mine, SECONDS)


def test_conversations_that_workers_died_of_never_have_all_workers_together(pool: Pool) -> None:
    for number in range(4):
        text(pool, COLONS, key=f"hostile {number}")
        pool.submit(f"hostile {number}", Job("text", f"again {COSTLY['colons']}")).result(SECONDS)
    asked = [
        pool.submit(f"hostile {number % 4}", Job("text", f"{number}{COSTLY['colons']}"))
        for number in range(12)
    ]
    assert text(pool, "*a*", key="another's").until is None
    assert sum(future.done() for future in asked) < 6
    wait(asked, SECONDS)


def test_a_conversation_has_a_bounded_queue(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    all_asked = Event()

    class Slow(asking.Asking):
        def ask(self, job: Job, known: asking.Known) -> tuple[Outcome, asking.Known]:
            all_asked.wait(SECONDS)
            return super().ask(job, known)

    monkeypatch.setattr("chat.markdown.pool.Asking", Slow)
    asked = [pool.submit("mine", Job("text", f"{n}")) for n in range(MOST_WAITING + WORKERS)]
    asked.append(pool.submit("mine", Job("text", "one too many")))
    try:
        assert asked[-1].done()
        assert asked[-1].result().until == 0
        assert "plain" in asked[-1].result().html
        assert not asked[0].done()
    finally:
        all_asked.set()
    wait(asked, SECONDS)


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
