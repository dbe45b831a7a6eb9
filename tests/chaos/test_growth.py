"""Every reader takes time in proportion to the length of hostile text, made by hypothesis.

A few small pieces that mean something to a reader are repeated n, 2 n, 4 n times, between others.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, thread_time
from typing import Any

import hypothesis
import pytest
from django.db import connection
from hypothesis import strategies as st

from tests.chaos.conftest import SEED
from tests.chaos.hostile_inputs import TARGETS, Target, prepared
from tests.chaos.hostile_pieces import LETTERS, MARKS
from tests.chaos.sizes import sizes
from tests.support.growth import Growth, excess

SAMPLE = 5.0
FULL = float(os.environ.get("TALOS_GROWTH_SECONDS", "600"))
"""Seconds for all targets together, and again for Markdown."""
FENCES = (
    "```cs\n",
    "```perl\n",
    "~~~{.python}\n",
    "- [ ] ",
    "[a]:",
    "xmpp:a",
    ":::",
    "$",
    "www.a",
    "!",
    "&",
)


@dataclass(frozen=True)
class Input:
    """A text that can be made to grow."""

    before: str
    piece: str
    after: str
    times: bool
    """Whether the text before is repeated too: a reader may read it again for each later piece."""

    def text(self, size: int) -> str:
        count = max(1, size // len(self.piece + self.before * self.times))
        return self.before * (count if self.times else 1) + self.piece * count + self.after

    def excess(self, target: Target, most: int) -> Growth | None:
        def prepare(size: int) -> Callable[[], object]:
            return prepared(target, self.text(size))

        return excess(prepare, least=most // 4**5, most=most, longest=target.longest)


def inputs(pieces: tuple[str, ...]) -> st.SearchStrategy[Input]:
    one = st.sampled_from(pieces)
    few = st.lists(one, min_size=1, max_size=3).map("".join)
    return st.builds(Input, st.just("") | few, few, st.just("") | few, st.booleans())


def try_for(seconds: float, pieces: tuple[str, ...], check: Callable[[Input], None]) -> None:
    """Try each piece alone, then random mixtures, for so long."""
    end, tries = monotonic() + seconds, 0
    for piece in random.Random(SEED).sample(pieces, len(pieces)):
        if monotonic() < end:
            check(Input("", piece, "", times=False))

    def each(found: Input) -> None:
        if monotonic() < end:
            check(found)

    while monotonic() < end:
        some = hypothesis.settings(
            max_examples=100,
            database=None,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate],
        )
        hypothesis.seed(SEED + tries)(some(hypothesis.given(inputs(pieces))(each)))()
        tries += 1


@pytest.fixture(autouse=True)
def _once() -> None:
    if connection.vendor == "postgresql":
        pytest.skip("it needs no database, and ran on SQLite")


@pytest.mark.parametrize("name", TARGETS)
@sizes("seconds", sample=SAMPLE, full=FULL)
def test_twice_as_much_takes_about_twice_as_long(seconds: float, name: str) -> None:
    target = TARGETS[name]
    most = target.most if seconds > SAMPLE else target.most // 16

    def check(found: Input) -> None:
        assert (growth := found.excess(target, most)) is None, f"{name}: {found}: {growth}"

    try_for(seconds / len(TARGETS), target.pieces, check)


@sizes("seconds", sample=SAMPLE, full=FULL)
def test_markdown_takes_what_it_is_given_and_no_more(seconds: float) -> None:
    """The Markdown libraries are not linear: they run in processes that are killed in time."""
    jobs: Any = pytest.importorskip("chat.markdown.jobs")
    asking: Any = pytest.importorskip("chat.markdown.asking")
    pool: Any = pytest.importorskip("chat.markdown.pool").pool

    def check(found: Input) -> None:
        for size in (2_000, 20_000, 190_000):
            job = jobs.Job("text", found.text(size))
            begun = thread_time()
            outcome = pool.submit(found, job).result()
            assert thread_time() - begun < 0.1, (found, size)
            allowed = (asking.MOST_DEATHS + 1) * jobs.seconds_for(job.text)
            assert outcome.cpu < 2 * allowed, (found, size)

    try_for(seconds, (*FENCES, *MARKS, *LETTERS), check)
