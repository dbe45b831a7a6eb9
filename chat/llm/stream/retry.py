"""Decides whether and when to retry a request that got no answer.

Applies only before the first byte of an answer.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from chat.errors import ContextFull, ModelError, ModelLoading
from chat.llm.failures import errors, kinds
from chat.llm.failures.details import Complaint
from chat.llm.failures.kinds import Kind
from chat.llm.stream.patience import Patience

LONGEST_WAIT = 30.0
"""Seconds: a person is waiting. A server that asks for more gets no further attempt."""
AT_ONCE = 5.0
"""Seconds: a connection that broke later may have carried the request, and a retry would make a
server start loading its model again."""
WHILE_LOADING = 3.0
"""Seconds between attempts while a server loads its model."""
RETRYABLE = frozenset({408, 409, 429, 500, 502, 503, 504, *range(520, 525), 529})

_NOTES = {
    Kind.RATE: "Rate-limited",
    Kind.OVERLOADED: "Overloaded",
    Kind.SLOW: "Timed out",
    Kind.BROKEN: "Server error",
    Kind.REFUSED: "Refused",
    Kind.BAD_CALL: "Bad tool call",
}
"""The kinds worth retrying, and the note shown meanwhile."""


@dataclass(frozen=True, slots=True)
class Pause:
    """The wait before the next attempt (also limited by `Patience`), and a note about it."""

    seconds: float
    note: str


class Retry:
    """The attempts of one request. `pauses`: seconds before the second attempt, the third, …"""

    def __init__(self, pauses: Sequence[float], names: errors.Names, patience: Patience) -> None:
        self._pauses = iter(pauses)
        self._attempts = len(pauses) + 1
        self._attempt = 1
        self._names = names
        self._patience = patience

    def after(self, complaint: Complaint) -> Pause:
        """Return the pause after a refusal. Raises the error if there is no further attempt."""
        problem = errors.of(complaint, self._names)
        if isinstance(problem, ModelLoading):  # limited by time, not by attempts
            return self._within(Pause(WHILE_LOADING, "The model is loading"), problem)
        kind = kinds.of(complaint)
        passes = complaint.status in RETRYABLE and kind in _NOTES
        if isinstance(problem, ContextFull) or not passes or complaint.wait > LONGEST_WAIT:
            raise problem
        return self._next(_NOTES[kind], complaint.wait, problem)

    def after_break(self, reason: str, *, seconds: float, was_reached: bool) -> Pause:
        """Return the pause after a connection that broke `seconds` into the attempt.

        Raises the error if there is no further attempt. `was_reached`: the server may have received
        the request.
        """
        problem = errors.unreachable(self._names, reason)
        if was_reached and seconds > AT_ONCE:
            raise errors.truncated(reason)
        return self._next("No connection", 0, problem)

    def _next(self, note: str, wait: float, problem: ModelError) -> Pause:
        pause = next(self._pauses, None)
        if pause is None:
            raise problem
        self._attempt += 1
        seconds = max(wait, pause * random.uniform(1, 1.25))  # noqa: S311  # no secret
        which = f"({self._attempt} of {self._attempts})"
        told = f"{note}, trying again in {max(1, round(seconds))} s {which}"
        return self._within(Pause(seconds, told), problem)

    def _within(self, pause: Pause, problem: ModelError) -> Pause:
        if pause.seconds > self._patience.left:
            raise problem
        return pause
