"""All experiments, by name: the measurement, its subjects and its size."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvloop

from benchmarks import figures, history, page
from benchmarks.checkouts import ROOT, Refused
from benchmarks.figures import Figures
from benchmarks.stands import Stand
from benchmarks.subjects import Subject

Measure = Callable[[Stand], Figures]
MeasureServer = Callable[[Subject], Coroutine[Any, Any, Figures]]


@dataclass(frozen=True)
class Size:
    """The size of a measurement."""

    seconds: float
    """The window for paced and idle measurements."""
    share: float
    """The fraction of the full number of turns and tokens, for all others."""
    conversations: int
    """The number of conversations in a long history."""


@dataclass(frozen=True)
class Experiment:
    """A measurement that returns figures by name."""

    name: str
    measure: Measure
    subjects: str = "Talos"
    """The subjects it measures, separated by spaces: Talos, B and P."""


def experiments(size: Size) -> list[Experiment]:
    many, paced = size.share, partial(figures.paced, seconds=size.seconds)
    return [
        Experiment("paced 1", on_running_server(partial(paced, streams=1)), "B Talos"),
        Experiment("paced 20", on_running_server(partial(paced, streams=20)), "B Talos"),
        Experiment("paced 100", on_running_server(partial(paced, streams=100)), "P B Talos"),
        Experiment("burst 1", on_running_server(burst(1, 16_000 * many)), "B Talos"),
        Experiment("burst 20", on_running_server(burst(20, 3_000 * many)), "B Talos"),
        Experiment("burst 100", on_running_server(burst(100, 1_500 * many)), "B Talos"),
        Experiment("first", on_running_server(partial(figures.first_delta, turns=int(80 * many))), "B Talos"),
        Experiment("turns", on_running_server(partial(figures.turns, people=20, each=int(20 * many))), "B Talos"),
        Experiment("stop", partial(stop, times=int(100 * many))),
        Experiment("crowd", on_running_server(partial(figures.crowd, people=300, turns=int(1000 * many)))),
        Experiment("idle", on_fresh_server(partial(figures.idle, seconds=size.seconds))),
        Experiment("sockets", on_fresh_server(partial(figures.sockets, number=1000))),
        Experiment("litellm", litellm),
        Experiment("page load", page.load),
        Experiment("page stream", page.stream),
        Experiment("page long", page.long),
        Experiment("page lists", partial(page.lists, conversations=size.conversations)),
        Experiment("history export", partial(history.export, conversations=size.conversations)),
        Experiment("history import", partial(history.import_, conversations=size.conversations)),
        Experiment("history admin", partial(history.admin, conversations=size.conversations)),
        Experiment("history prune", partial(history.prune, conversations=size.conversations)),
    ]  # fmt: skip


def choose(size: Size, only: str) -> list[Experiment]:
    """Return the experiment of this name, or all whose name contains it.

    Raises `Refused` if there is none.
    """
    every = experiments(size)
    found = [it for it in every if it.name == only] or [it for it in every if only in it.name]
    if not found:
        names = ", ".join(it.name for it in every)
        raise Refused(f"No experiment has {only!r} in its name. There are: {names}.")
    return found


def on_running_server(how: MeasureServer) -> Measure:
    """Measure on the server that is already running."""
    return lambda stand: uvloop.run(how(stand.server))


def on_fresh_server(how: MeasureServer) -> Measure:
    """Measure on a server started for this measurement."""

    def measure(stand: Stand) -> Figures:
        with stand.fresh() as subject:
            return uvloop.run(how(subject))

    return measure


def burst(streams: int, tokens: float) -> MeasureServer:
    return partial(figures.burst, streams=streams, tokens=int(tokens))


def stop(stand: Stand, *, times: int) -> Figures:
    return uvloop.run(figures.stop(stand.server, stand.model, times=times))


def litellm(stand: Stand) -> Figures:
    """Measure LiteLLM's import, which happens on first use, beside a running loop."""
    command = stand.checkout.command(str(ROOT / "benchmarks" / "litellm_import.py"))
    own = stand.checkout.environment()
    output = subprocess.run(command, env=own, check=True, stdout=subprocess.PIPE).stdout
    seconds, stall = map(float, output.split())
    return {"seconds": seconds, "stall": stall * 1000}
