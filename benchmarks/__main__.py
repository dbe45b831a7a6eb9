"""`python -m benchmarks`: measure, and print the table as Markdown.

The servers and the model server are separate processes; this one generates the load. In each round
the subjects alternate figure by figure, so that a disturbance of the machine affects all of them.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import client, subjects, table
from benchmarks.checkouts import Refused
from benchmarks.experiments import Experiment, Size, choose
from benchmarks.stands import Stand

LONG = Size(seconds=6, share=1, conversations=10_000)
QUICK = Size(seconds=1.5, share=0.4, conversations=1_000)


def measure(
    wanted: Sequence[Experiment], rounds: int, folder: Path, results: table.Results
) -> None:
    with ExitStack() as processes:
        model = processes.enter_context(subjects.model_server())
        stands = {
            "P": Stand(model, folder, start=subjects.bare_relay),
            "B": Stand(model, folder, start=subjects.relay),
            "Talos": Stand(model, folder),
        }
        for stand in stands.values():
            processes.enter_context(stand)
        for number in range(rounds):
            for experiment in wanted:
                for name in experiment.subjects.split():
                    found = experiment.measure(stands[name])
                    note = f"{number + 1} {experiment.name} {name}: {found}"
                    print(note, file=sys.stderr, flush=True)
                    for figure, value in found.items():
                        results[experiment.name, name, figure].append(value)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--rounds", type=int, help="default 3, or 1 with --quick")
    parser.add_argument("--only", default="", help="an experiment, or a part of several names")
    options = parser.parse_args()
    rounds = options.rounds or (1 if options.quick else 3)
    try:
        wanted = choose(QUICK if options.quick else LONG, options.only)
    except Refused as refused:
        print(refused, file=sys.stderr)
        sys.exit(2)
    client.allow_many()
    results: table.Results = defaultdict(list)
    try:
        with TemporaryDirectory(prefix="talos-bench-") as folder:
            measure(wanted, rounds, Path(folder), results)
    finally:  # keep the results measured before a failure
        number = "1 round" if rounds == 1 else f"{rounds} rounds"
        print(f"{table.machine()}; {number}\n\n{table.render(results)}")


if __name__ == "__main__":
    main()
