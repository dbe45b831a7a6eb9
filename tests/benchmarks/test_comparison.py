"""`make bench BASE=…`: the interval is correct, and the sides take turns."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import comb
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import compare, pairs
from benchmarks.experiments import Experiment
from benchmarks.stands import Stand
from tests.support.processes import environment


@pytest.mark.parametrize(
    ("number", "rank"),
    [(6, 1), (8, 1), (9, 2), (10, 2), (12, 3), (15, 4), (20, 6), (25, 8), (30, 10)],
)
def test_the_interval_is_that_of_the_sign_tests_tables(number: int, rank: int) -> None:
    assert pairs.interval(range(number, 0, -1)) == (rank, number + 1 - rank)


@pytest.mark.parametrize("number", range(6, 80))
def test_it_covers_the_median_often_enough_and_is_no_wider_than_it_must(number: int) -> None:
    def coverage(rank: int) -> float:
        inside = range(rank, number - rank + 1)
        return sum(comb(number, below) for below in inside) / 2.0**number

    rank = int(pairs.interval(range(1, number + 1))[0])
    assert coverage(rank) >= 0.95 > coverage(rank + 1)


@given(st.lists(st.floats(0.01, 100), min_size=6))
def test_it_holds_the_pairs_median(values: list[float]) -> None:
    low, high = pairs.interval(values)
    assert low <= median(values) <= high


def test_five_pairs_have_none() -> None:
    with pytest.raises(ValueError, match="5 values have no interval"):
        pairs.interval([1.0] * 5)


def test_the_table_shows_no_ratio_where_there_is_none() -> None:
    ours = [{"cpu": 100.0 + step, "failed": 0.0, "memory": step - 1} for step in range(10)]
    results = {"crowd": [(found, {"cpu": 100.0, "failed": 0.0, "memory": 5.0}) for found in ours]}
    assert pairs.render(results).splitlines() == [
        "| experiment | figure | ours | base | ratio | 95 % interval | pairs |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| crowd | cpu | 104 | 100 | 1.045 | 1.010 to 1.080 | 10 |",
        "| crowd | failed | 0 | 0 |  |  | 10 |",
        "| crowd | memory | 3.5 | 5 |  |  | 10 |",
    ]


def test_the_sides_take_turns_after_a_warm_up_each_time_on_a_new_server(tmp_path: Path) -> None:
    happened: list[str] = []

    @contextmanager
    def server(model: Any) -> Iterator[Any]:
        yield "server"
        happened.append("stop")

    def stand(name: str) -> Stand:
        model: Any = None
        return Stand(model, tmp_path / name, start=server)

    def measure(stand: Stand) -> dict[str, float]:
        assert str(stand.server) == "server"
        happened.append(stand.folder.name)
        return {"cpu": float(len(happened))}

    found = pairs.measure(Experiment("turns", measure), stand("ours"), stand("base"), 3)
    assert happened[::2] == ["base", "ours", "ours", "base", "base", "ours", "ours", "base"]
    assert happened[1::2] == ["stop"] * 8
    assert found == [
        ({"cpu": 5}, {"cpu": 7}),
        ({"cpu": 11}, {"cpu": 9}),
        ({"cpu": 13}, {"cpu": 15}),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-branch"], "Git knows no commit 'no-such-branch' here.\n"),
        (["HEAD:chat"], "Git knows no commit 'HEAD:chat' here.\n"),
        (["HEAD", "--pairs", "9"], "9 pairs are too few: at least 10 are needed.\n"),
        (
            ["HEAD", "--only", "nothing"],
            "No experiment has 'nothing' in its name. There are: paced 1,",
        ),
    ],
)
def test_a_comparison_that_cannot_be_measured_is_refused_in_a_sentence(
    arguments: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["compare", *arguments])
    with pytest.raises(SystemExit) as ended:
        compare.main()
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert err.startswith(said)
    assert err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("program", [("benchmarks",), ("benchmarks.compare", "HEAD")])
def test_the_programs_start_by_themselves(program: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *program, "--only", "nothing"],
        cwd=settings.BASE_DIR,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("No experiment has 'nothing' in its name. There are: paced 1,")
