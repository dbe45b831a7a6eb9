"""The order in which to read a conversation with branches: the current branch, then the others.

Messages are numbered in that order, so that each can name the one it follows or replaces.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from chat.transfer.archive.rows import Json

Children = defaultdict[UUID | None, list[Json]]


@dataclass(frozen=True, slots=True)
class Place:
    """A message's place in the reading order."""

    message: Json
    number: int
    is_current: bool
    """Whether it is on the branch that the page shows."""
    after: int | None = None
    """At the start of another branch, the number of the message it follows (0: none); else None."""
    instead_of: int = 0
    """At the start of another branch, the number of its first version; 0 if there is none."""


def places(leaf: UUID, messages: Sequence[Json]) -> list[Place]:
    """Return the place of every message, without withdrawn ones."""
    found = {message["id"]: message for message in messages if not message["withdrawn"]}
    children: Children = defaultdict(list)
    for message in found.values():
        children[message["parent"]].append(message)
    current = _upwards(found, leaf)
    placed = [Place(message, number, True) for number, message in enumerate(current, start=1)]
    numbers: dict[UUID, int] = {}
    first: dict[UUID | None, int] = {}
    """By parent, the number of its first numbered child."""
    for place in placed:
        numbers[place.message["id"]] = first[place.message["parent"]] = place.number
    starts = deque(_parting(children, numbers, [None, *numbers]))
    while starts:
        branch = list(_downwards(children, starts.popleft()))
        parent = branch[0]["parent"]
        after: int | None = numbers.get(parent, 0)
        instead_of = first.get(parent, 0)
        for message in branch:
            numbers[message["id"]] = number = len(placed) + 1
            first.setdefault(message["parent"], number)
            placed.append(Place(message, number, False, after, instead_of))
            after, instead_of = None, 0
        starts.extend(_parting(children, numbers, [message["id"] for message in branch]))
    return placed


def _upwards(found: dict[UUID, Json], leaf: UUID) -> list[Json]:
    chain = []
    at: UUID | None = leaf
    while at in found:
        chain.append(found[at])
        at = found[at]["parent"]
    return chain[::-1]


def _downwards(children: Children, start: Json) -> Iterator[Json]:
    """Yield a message and its descendants, taking the latest version at each fork."""
    yield start
    while after := children.get(start["id"]):
        start = after[-1]
        yield start


def _parting(
    children: Children, numbers: Container[UUID], branch: Iterable[UUID | None]
) -> Iterator[Json]:
    """Yield the children of a branch's messages that have no number yet."""
    for parent in branch:
        for message in children.get(parent, ()):
            if message["id"] not in numbers:
                yield message
