"""Arranging nodes into a forest by their declared parents and children, breaking circles."""

from __future__ import annotations

from collections import defaultdict

from chat.transfer.importers.chatgpt.exported import Node
from chat.transfer.importers.chatgpt.fields import Notes
from chat.transfer.importers.chatgpt.markup import line

Children = defaultdict[str | None, list[str]]
"""The children of each node, and of none, in the export's order."""


def tree(mapping: dict[str, Node], notes: Notes) -> Children:
    parents = _parents(mapping)
    for node_id in _circles(parents):
        parents[node_id] = None
        notes.add(
            f"message {line(node_id, 60)}: it is its own ancestor, and was made a first message"
        )
    found: Children = defaultdict(list)
    for node_id, parent in parents.items():
        found[parent].append(node_id)
    for above, children in found.items():
        if above is not None and len(children) > 1:
            places = {child: place for place, child in enumerate(mapping[above].children)}
            children.sort(key=lambda child: places.get(child, len(places)))
    return found


def _parents(mapping: dict[str, Node]) -> dict[str, str | None]:
    """Return each node's declared parent or, if that is missing, the node that lists it as a child."""
    listed: dict[str, str] = {}
    for node_id, node in mapping.items():
        for child in node.children:
            if child != node_id:
                listed.setdefault(child, node_id)
    return {
        node_id: node.parent if node.parent in mapping else listed.get(node_id)
        for node_id, node in mapping.items()
    }


def _circles(parents: dict[str, str | None]) -> list[str]:
    """Return one node of each circle, the first in the export."""
    places = {node_id: place for place, node_id in enumerate(parents)}
    ended: set[str] = set()
    found = []
    for start in parents:
        chain: dict[str, None] = {}
        at: str | None = start
        while at is not None and at not in ended and at not in chain:
            chain[at] = None
            at = parents[at]
        if at is not None and at in chain:
            ids = list(chain)
            found.append(min(ids[ids.index(at) :], key=places.__getitem__))
        ended.update(chain)
    return found
