"""A costly text slows only its own conversation, and is shown all the same."""

from __future__ import annotations

import time
from concurrent.futures import wait
from html import escape
from threading import Event

import pytest

from chat.markdown import asking, jobs, memory
from chat.markdown.jobs import Job, Outcome, seconds_for
from chat.markdown.pool import MOST_WAITING, WORKERS, Pool
from tests.markdown.costly_texts import COSTLY, FENCE, in_all_languages
from tests.markdown.pools import SECONDS, text

COLONS = ":" * 20_000
"""Texts that no worker survives."""


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


def test_conversations_that_workers_died_of_never_have_all_workers_together(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        pool.submit(f"hostile {number}", Job("text", f"{number} {COSTLY['colons']}")).result(
            SECONDS
        )
    is_over, ask = Event(), asking.Asking.ask

    def held(self: asking.Asking, job: Job, known: asking.Known) -> tuple[Outcome, asking.Known]:
        if job.text.startswith("held"):
            is_over.wait(SECONDS)
        return ask(self, job, known)

    monkeypatch.setattr(asking.Asking, "ask", held)
    hostile = [pool.submit(f"hostile {n % 4}", Job("text", f"held {n}")) for n in range(12)]
    try:
        assert text(pool, "*a*", key="another's").until is None
        assert not any(future.done() for future in hostile)
    finally:
        is_over.set()
    wait(hostile, SECONDS)


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
