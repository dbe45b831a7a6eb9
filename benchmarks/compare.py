"""`python -m benchmarks.compare BASE --only NAME`: measure this checkout against another commit.

Both are copied and measured in turn, at least ten times each. For each figure the Markdown table
gives the median of the pairs' ratios, ours / base, and its 95 % interval.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import checkouts, client, pairs, subjects, table
from benchmarks.checkouts import Refused
from benchmarks.experiments import Experiment, Size, choose
from benchmarks.pairs import Pair
from benchmarks.stands import Stand

NORMAL = Size(seconds=3, share=0.6, conversations=3_000)
QUICK = Size(seconds=1, share=0.4, conversations=1_000)
FEWEST = 10
LEGEND = (
    "A ratio is ours / base, the median of the pairs. For `per_second` and `tokens` higher is "
    "better, for all others lower."
)


def measure(
    base: str, wanted: list[Experiment], number: int, folder: Path, results: dict[str, list[Pair]]
) -> str:
    """Measure both sides into `results` and return a heading. Raises `Refused` if `base` cannot run."""
    theirs = checkouts.copy_commit(base, folder / "base")
    ours = checkouts.copy_working_tree(folder / "ours")
    client.allow_many()
    with subjects.model_server() as model:
        mine, other = (Stand(model, side.root / "data", side) for side in (ours, theirs))
        for it in wanted:
            results[it.name] = pairs.measure(it, mine, other, number)
    return f"This checkout ({ours.name}) against {base} ({theirs.name}): {table.machine()}"


def main() -> None:
    options = _options()
    results: dict[str, list[Pair]] = {}
    try:
        if options.pairs < FEWEST:
            raise Refused(f"{options.pairs} pairs are too few: at least {FEWEST} are needed.")
        wanted = choose(QUICK if options.quick else NORMAL, options.only)
        with TemporaryDirectory(prefix="talos-bench-") as folder:
            print(measure(options.base, wanted, options.pairs, Path(folder), results), end="\n\n")
    except Refused as refused:
        print(refused, file=sys.stderr)
        sys.exit(2)
    finally:  # keep the results measured before a failure
        if results:
            print(f"{pairs.render(results)}\n\n{LEGEND}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("base", help="a commit, by any name that git knows")
    parser.add_argument("--only", default="", help="an experiment, or a part of several names")
    parser.add_argument("--pairs", type=int, default=FEWEST, help=f"at least {FEWEST}")
    parser.add_argument("--quick", action="store_true", help="short measurements")
    return parser.parse_args()


if __name__ == "__main__":
    main()
