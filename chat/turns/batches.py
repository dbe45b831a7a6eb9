"""The frames and writes of each turn in a tick: numbered here, and joined if there is a backlog."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from chat.protocol import Frame, QuickDelta, ReasoningData, ReasoningPiece
from chat.turns.live import Entry, LiveTurn

BACKLOG = 32
"""Pieces of one turn in one tick beyond which they are joined into one delta."""
LONGEST = 100_000
"""Code points of one delta: in JSON one may take six bytes, and a frame has at most 1 MiB."""


@dataclass(eq=False)
class Batch:
    """The frames and writes of one turn in a tick."""

    turn: LiveTurn
    text: str = ""
    reasoning: str = ""
    frames: list[Frame | QuickDelta] = field(default_factory=list)
    writes: list[tuple[Callable[[int], None], int]] = field(default_factory=list)
    then: list[Callable[[], None]] = field(default_factory=list)
    last_seq: int = 0
    is_numbered: bool = False
    """Some of its frames have a number."""
    thought: int = 0
    """Ordinal of its reasoning piece; 0 if it has none."""
    is_last: bool = False
    """The turn ends with it: its pieces are folded into the message, not appended."""
    thoughts: list[str] = field(default_factory=list)
    """Pieces of reasoning, while the batch is filled."""


def drain(turn: LiveTurn) -> Batch:
    """Take a turn's entries for the journal, and number them."""
    entries, turn.entries = turn.entries, []
    seq = turn.seq
    if len(entries) > BACKLOG:
        entries = join(entries)
    batch = Batch(turn)
    for entry in entries:
        if isinstance(entry, Entry):
            _take(batch, entry)
        elif len(entry) <= LONGEST:
            turn.seq += 1
            batch.frames.append(QuickDelta(turn.seq, entry))
        else:
            _take_long(batch, entry)
    batch.text = "".join([entry for entry in entries if isinstance(entry, str)])
    batch.reasoning = "".join(batch.thoughts)
    batch.last_seq, batch.is_numbered = turn.seq, turn.seq > seq
    if batch.reasoning:
        turn.thoughts += 1
        batch.thought = turn.thoughts
    return batch


def _parts(text: str) -> Sequence[str]:
    return [text[at : at + LONGEST] for at in range(0, len(text), LONGEST)]


def _take_long(batch: Batch, text: str) -> None:
    for part in _parts(text):
        batch.turn.seq += 1
        batch.frames.append(QuickDelta(batch.turn.seq, part))


def _take(batch: Batch, entry: Entry) -> None:
    turn = batch.turn
    if entry.reasoning:
        batch.thoughts.append(entry.reasoning)
        batch.frames += [
            ReasoningPiece(data=ReasoningData(content=part)) for part in _parts(entry.reasoning)
        ]
    if entry.frame is not None:
        turn.seq += 1
        batch.frames.append(entry.frame.with_number(turn.seq))
    if entry.write is not None:
        batch.writes.append((entry.write, turn.seq))
    if entry.then is not None:
        batch.then.append(entry.then)
    batch.is_last |= entry.ends


def join(entries: Iterable[Entry | str]) -> list[Entry | str]:
    """Join neighbouring pieces of text, and of reasoning."""
    result: list[Entry | str] = []
    for kind, group in groupby(entries, key=_kind):
        if kind == "text":
            result.append("".join(entry for entry in group if isinstance(entry, str)))
        elif kind == "reasoning":
            pieces = (entry.reasoning for entry in group if isinstance(entry, Entry))
            result.append(Entry(reasoning="".join(pieces)))
        else:
            result += group
    return result


def _kind(entry: Entry | str) -> str:
    if isinstance(entry, str):
        return "text"
    return "reasoning" if entry.reasoning else ""
