"""The table: for each figure the cost of Talos and B, how they compare, and the target."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Literal

Results = dict[tuple[str, str, str], list[float]]
"""One value per round, by experiment, subject and figure."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    title: str
    experiment: str
    figure: str
    unit: str
    by: Literal["ratio", "difference", "value"] = "value"
    limit: float | None = None
    """The target: at most this, or with `at_least` at least this."""
    subject: str = "Talos"
    against: str = "B"
    at_least: bool = False


ROWS = (
    Row("B is valid: CPU per paced token, 100 streams", "paced 100", "cpu", "µs", "ratio", 2.7, "B", "P"),
    Row("CPU per paced token, 1 stream", "paced 1", "cpu", "µs", "ratio"),
    Row("CPU per paced token, 20 streams", "paced 20", "cpu", "µs", "ratio"),
    Row("CPU per paced token, 100 streams", "paced 100", "cpu", "µs", "ratio", 1.8),
    Row("CPU per token in a burst, 1 stream", "burst 1", "cpu", "µs", "ratio", 2),
    Row("CPU per token in bursts, 20 streams", "burst 20", "cpu", "µs", "ratio", 2),
    Row("CPU per token in bursts, 100 streams", "burst 100", "cpu", "µs", "ratio", 2),
    Row("Token latency, p50, 1 stream", "paced 1", "p50", "ms", "difference", 5),
    Row("Token latency, p50, 20 streams", "paced 20", "p50", "ms", "difference", 5),
    Row("Token latency, p50, 100 streams", "paced 100", "p50", "ms", "difference", 15),
    Row("Token latency, p99, 1 stream", "paced 1", "p99", "ms", "difference"),
    Row("Token latency, p99, 20 streams", "paced 20", "p99", "ms", "difference"),
    Row("Token latency, p99, 100 streams", "paced 100", "p99", "ms", "difference", 40),
    Row("Time to the first delta, p50", "first", "p50", "ms", "difference", 8),
    Row("CPU per turn", "turns", "cpu", "ms", "ratio", 12),
    Row("From stop to closed upstream, p50", "stop", "p50", "ms"),
    Row("From stop to closed upstream, p99", "stop", "p99", "ms", "value", 50),
    Row("300 people send at once, failed turns", "crowd", "failed", "", "value", 0),
    Row("300 people send at once, answers", "crowd", "per_second", "a second"),
    Row("Memory per idle connection", "sockets", "memory", "KiB", "value", 60),
    Row("Memory per stream, without its connection", "paced 100", "memory", "KiB", against=""),
    Row("Start-up, to the ready line", "idle", "seconds", "s", "value", 2),
    Row("Memory after the start", "idle", "memory", "MiB"),
    Row("CPU of an idle server, per second", "idle", "cpu", "ms"),
    Row("LiteLLM's import, on first use", "litellm", "seconds", "s"),
    Row("… the longest stall of a stream", "litellm", "stall", "ms", "value", 100),
    Row("Page: first load, with everything", "page load", "size", "KiB", "value", 80_000 / 1024),
    Row("… requests", "page load", "requests", ""),
    Row("… requests to another host", "page load", "foreign", "", "value", 0),
    Row("… first contentful paint", "page load", "paint", "ms", "value", 300),
    Row("… longest task while 5,000 deltas arrive; 0 is below 50", "page stream", "task", "ms", "value", 50),
    Row("… with 1,000 messages, the server's answer", "page long", "answer", "ms", "value", 100),
    Row("… with 1,000 messages, first contentful paint", "page long", "paint", "ms", "value", 300),
    Row("A new chat with many chats", "page lists", "new", "ms", "value", 100),
    Row("The sidebar with many chats", "page lists", "sidebar", "ms", "value", 100),
    Row("All chats", "page lists", "all", "ms", "value", 100),
    Row("Search for two words in titles and all messages", "page lists", "search", "ms", "value", 100),
    Row("Search for a word that occurs nowhere", "page lists", "nowhere", "ms", "value", 100),
    Row("Export, messages", "history export", "per_second", "a second", "value", 20_000, at_least=True),
    Row("Export, CPU per message", "history export", "cpu", "µs"),
    Row("Import, messages", "history import", "per_second", "a second"),
    Row("Import, peak memory", "history import", "memory", "MiB"),
    Row("Export, peak memory", "history export", "memory", "MiB", "value", 200),
    Row("The admin's start page", "history admin", "start", "ms", "value", 300),
    Row("The admin's slowest list", "history admin", "list", "ms", "value", 300),
    Row("The admin's slowest search", "history admin", "search", "ms", "value", 300),
    Row("Longest wait for a first delta", "history prune", "alone", "ms"),
    Row("… during a prune", "history prune", "during", "ms", "value", 200),
    Row("… during a prune, p50", "history prune", "p50", "ms"),
    Row("Prune, conversations", "history prune", "per_second", "a second"),
)  # fmt: skip


def render(results: Results) -> str:
    """Return the table of all figures, in Markdown."""
    rows = [cells for row in ROWS if (cells := _cells(row, results))]
    return markdown(("", "Talos", "B", "Talos against B", "target", ""), rows)


def markdown(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cells(row: Row, results: Results) -> tuple[str, ...] | None:
    ours = results.get((row.experiment, row.subject, row.figure))
    theirs = results.get((row.experiment, row.against, row.figure))
    if not ours:
        return None
    compared = _compare(row, ours, theirs)
    sign = {
        "ratio": "{:.2f} x",
        "difference": "{:+.1f} " + row.unit,
        "value": "{:,.5g} " + row.unit,
    }
    write = sign[row.by].format
    whose = "" if row.subject == "Talos" else f" ({row.subject} against {row.against})"
    target = verdict = ""
    if row.limit is not None:
        target = f"{'≥' if row.at_least else '≤'} {write(row.limit).strip()}"
        is_met = compared >= row.limit if row.at_least else compared <= row.limit
        verdict = "met" if is_met else "MISSED"
    return (
        row.title + whose,
        amount(median(ours), row.unit),
        amount(median(theirs), row.unit) if theirs else "",
        "" if row.by == "value" else write(compared),
        target,
        verdict,
    )


def _compare(row: Row, ours: Sequence[float], theirs: Sequence[float] | None) -> float:
    """Compare per round, because a disturbance slows both sides of a round."""
    if row.by == "value" or not theirs:
        return median(ours)
    pairs = zip(ours, theirs, strict=True)
    return median([a / b if row.by == "ratio" else a - b for a, b in pairs])


def unit(experiment: str, figure: str) -> str:
    """Return the unit of a figure that has a row, in this experiment or another of its kind."""
    wanted = (experiment.split()[0], figure)
    rows = (row for row in ROWS if (row.experiment.split()[0], row.figure) == wanted)
    return next((row.unit for row in rows), "")


def amount(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}".strip() if abs(value) < 1000 else f"{value:,.0f} {unit}".strip()


def machine() -> str:
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    name = model[1] if model else platform.machine()
    today = datetime.now(UTC).date()
    python, load = platform.python_version(), os.getloadavg()[1]
    return f"{name}, {os.cpu_count()} cores, load {load:.1f}; Python {python}; {today}"
