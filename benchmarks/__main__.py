"""`python -m benchmarks`: measure, and print the table as Markdown.

The servers and the model server are processes of their own; this one is the load. In each round
the subjects take turns figure by figure, so that what disturbs the machine disturbs all of them.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from benchmarks import administration, figures, litellm_import, subjects, table
from benchmarks.history import History
from benchmarks.subjects import Subject

Measure = Callable[[Subject], Awaitable[figures.Figures]]


def experiments(model: Subject, *, quick: bool) -> dict[str, tuple[Measure, str]]:
    """By name: how to measure, and whom."""
    window = 1.5 if quick else 6.0
    many = 0.3 if quick else 1
    paced, burst = partial(figures.paced, seconds=window), figures.burst
    return {
        "paced 1": (partial(paced, streams=1), "B Talos"),
        "paced 20": (partial(paced, streams=20), "B Talos"),
        "paced 100": (partial(paced, streams=100), "P B Talos"),
        "burst 1": (partial(burst, streams=1, tokens=int(16_000 * many)), "B Talos"),
        "burst 20": (partial(burst, streams=20, tokens=int(3_000 * many)), "B Talos"),
        "burst 100": (partial(burst, streams=100, tokens=int(1_500 * many)), "B Talos"),
        "first": (partial(figures.first_delta, turns=int(80 * many)), "B Talos"),
        "turns": (partial(figures.turns, people=20, each=int(20 * many)), "B Talos"),
        "stop": (partial(figures.stop, model=model, times=int(100 * many)), "Talos"),
        "crowd": (partial(figures.crowd, people=300, turns=400 if quick else 1000), "Talos"),
    }


def of_a_fresh_server(*, quick: bool) -> dict[str, Measure]:
    return {
        "idle": partial(figures.idle, seconds=1 if quick else 5),
        "sockets": partial(figures.sockets, number=1000),
    }


async def measure(options: argparse.Namespace, folder: Path) -> table.Results:
    results: table.Results = defaultdict(list)
    with ExitStack() as processes:
        start = processes.enter_context
        model = start(subjects.model_server())
        bare, relay = start(subjects.bare_relay(model)), start(subjects.relay(model))
        talos = start(subjects.talos(model, folder / "data"))
        for number in range(options.rounds):
            for name, (how, whom) in experiments(model, quick=options.quick).items():
                for subject in (bare, relay, talos):
                    if subject.name in whom.split() and options.only in name:
                        await note(results, name, subject, how, number)
        talos.stop()
        for number in range(options.rounds):
            for name, how in of_a_fresh_server(quick=options.quick).items():
                if options.only in name:
                    # The data directory is that of before: there is nothing to prepare.
                    with subjects.talos(model, folder / "data") as fresh:
                        await note(results, name, fresh, how, number)
    return results


def measure_import(options: argparse.Namespace, results: table.Results) -> None:
    """LiteLLM's, which is imported when it is first used, beside running streams."""
    for number in range(options.rounds):
        if options.only in "litellm":
            found = litellm_import.figures()
            print(f"{number + 1} litellm: {found}", file=sys.stderr, flush=True)
            for figure, value in found.items():
                results["litellm", "Talos", figure].append(value)


def measure_history(options: argparse.Namespace, folder: Path, results: table.Results) -> None:
    """After all the others, which a long history would disturb."""
    if options.only not in "history":
        return
    history = History(folder / "history", 1_000 if options.quick else 10_000)
    for number in range(options.rounds):
        for name, how in (("export", history.export), ("import", history.import_)):
            found = how()
            print(f"{number + 1} history {name}: {found}", file=sys.stderr, flush=True)
            for figure, value in found.items():
                results[f"history {name}", "Talos", figure].append(value)
    uvloop.run(measure_administration(options, history, results))


async def measure_administration(
    options: argparse.Namespace, history: History, results: table.Results
) -> None:
    """With a server on that history; each round of the prune deletes its own tenth."""
    with subjects.model_server() as model, subjects.talos(model, history.data) as talos:
        for number in range(options.rounds):
            await note(results, "history admin", talos, administration.pages, number)
        for number in range(options.rounds):
            left = history.conversations * (9 - number) // 10
            prune = partial(administration.beside_a_prune, data=history.data, keep=left)
            await note(results, "history prune", talos, prune, number)


async def note(
    results: table.Results, name: str, subject: Subject, how: Measure, number: int
) -> None:
    found = await how(subject)
    print(f"{number + 1} {name} {subject.name}: {found}", file=sys.stderr, flush=True)
    for figure, value in found.items():
        results[name, subject.name, figure].append(value)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--rounds", type=int, help="3, or 1 when it is to be quick")
    parser.add_argument("--only", default="", help="experiments with this in their name")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 3)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
    with TemporaryDirectory(prefix="talos-bench-") as folder:
        results = uvloop.run(measure(options, Path(folder)))
        measure_import(options, results)
        measure_history(options, Path(folder), results)
    print(f"{table.machine()}; {options.rounds} rounds\n\n{table.table(results)}")


if __name__ == "__main__":
    main()
