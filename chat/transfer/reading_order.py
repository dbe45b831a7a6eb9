"""The order in which a conversation with branches is read: the current one, then what parts from it.

Messages get numbers in that order, so that each can say what it follows and what it replaces.
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
    """A message's place in what is read."""

    said: Json
    number: int
    is_current: bool
    """On the branch that the page shows."""
    after: int | None = None
    """Where another branch begins: the number that it follows, 0 at the very beginning."""
    instead_of: int = 0
    """Likewise: the number of an earlier version of it; 0: there is none."""


def places(leaf: UUID, said: Sequence[Json]) -> list[Place]:
    """All messages but those that were withdrawn, each once."""
    found = {message["id"]: message for message in said if not message["withdrawn"]}
    children: Children = defaultdict(list)
    for message in found.values():
        children[message["parent"]].append(message)
    current = _upwards(found, leaf)
    placed = [Place(message, number, True) for number, message in enumerate(current, start=1)]
    numbers: dict[UUID, int] = {}
    first: dict[UUID | None, int] = {}
    """By parent the first of its versions that got a number."""
    for place in placed:
        numbers[place.said["id"]] = first[place.said["parent"]] = place.number
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
    """A message and what follows it, the latest where branches part."""
    yield start
    while after := children.get(start["id"]):
        start = after[-1]
        yield start


def _parting(
    children: Children, numbers: Container[UUID], branch: Iterable[UUID | None]
) -> Iterator[Json]:
    """What follows the messages of a branch and is not yet placed."""
    for parent in branch:
        for message in children.get(parent, ()):
            if message["id"] not in numbers:
                yield message
