"""All experiments, by name: what is done, with whom, and at which size."""

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
OfServer = Callable[[Subject], Coroutine[Any, Any, Figures]]


@dataclass(frozen=True)
class Size:
    """How long a measurement is."""

    seconds: float
    """The window of what is paced or idle."""
    share: float
    """Fraction of the full number of turns and tokens, for the others."""
    conversations: int
    """In a long history."""


@dataclass(frozen=True)
class Experiment:
    """A measurement that gives figures by name."""

    name: str
    measure: Measure
    subjects: str = "Talos"
    """The subjects that it measures, separated by spaces: Talos, B and P."""


def experiments(size: Size) -> list[Experiment]:
    many, paced = size.share, partial(figures.paced, seconds=size.seconds)
    return [
        Experiment("paced 1", running(partial(paced, streams=1)), "B Talos"),
        Experiment("paced 20", running(partial(paced, streams=20)), "B Talos"),
        Experiment("paced 100", running(partial(paced, streams=100)), "P B Talos"),
        Experiment("burst 1", running(burst(1, 16_000 * many)), "B Talos"),
        Experiment("burst 20", running(burst(20, 3_000 * many)), "B Talos"),
        Experiment("burst 100", running(burst(100, 1_500 * many)), "B Talos"),
        Experiment("first", running(partial(figures.first_delta, turns=int(80 * many))), "B Talos"),
        Experiment("turns", running(partial(figures.turns, people=20, each=int(20 * many))), "B Talos"),
        Experiment("stop", partial(stop, times=int(100 * many))),
        Experiment("crowd", running(partial(figures.crowd, people=300, turns=int(1000 * many)))),
        Experiment("idle", fresh(partial(figures.idle, seconds=size.seconds))),
        Experiment("sockets", fresh(partial(figures.sockets, number=1000))),
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


def chosen(size: Size, only: str) -> list[Experiment]:
    """The one of this name, or those with this in their names. `Refused` when there is none."""
    every = experiments(size)
    found = [it for it in every if it.name == only] or [it for it in every if only in it.name]
    if not found:
        names = ", ".join(it.name for it in every)
        raise Refused(f"No experiment has {only!r} in its name. There are: {names}.")
    return found


def running(how: OfServer) -> Measure:
    """Measured on the server that runs."""
    return lambda stand: uvloop.run(how(stand.server))


def fresh(how: OfServer) -> Measure:
    """Measured on a server that was started a moment ago."""

    def measure(stand: Stand) -> Figures:
        with stand.fresh() as subject:
            return uvloop.run(how(subject))

    return measure


def burst(streams: int, tokens: float) -> OfServer:
    return partial(figures.burst, streams=streams, tokens=int(tokens))


def stop(stand: Stand, *, times: int) -> Figures:
    return uvloop.run(figures.stop(stand.server, stand.model, times=times))


def litellm(stand: Stand) -> Figures:
    """LiteLLM's import, which is done when it is first used, beside a running loop."""
    command = stand.checkout.command(str(ROOT / "benchmarks" / "litellm_import.py"))
    own = stand.checkout.environment()
    said = subprocess.run(command, env=own, check=True, stdout=subprocess.PIPE).stdout
    seconds, stall = map(float, said.split())
    return {"seconds": seconds, "stall": stall * 1000}
