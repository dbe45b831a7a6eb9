"""Ids for converted messages and conversations, which stay the same across later exports.

They equal those of the first version of this importer, so that its imports are recognised.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from uuid import NAMESPACE_URL, UUID, uuid5

from chat.transfer.importers.chatgpt.exported import Exported
from chat.transfer.importers.chatgpt.markup import replace_unstorable
from chat.transfer.importers.chatgpt.texts import raw

_BEGAN = "began"
_MAX_MARK = 1000


def conversation_id(exported: Exported, first: str) -> UUID:
    """Return its own id, or one made from the least id of its nodes.

    If that is not a UUID, another conversation may have it: then the first node's text counts too.
    """
    own = exported.fields.text("conversation_id") or exported.fields.text("id")
    least = own or min(exported.mapping, default="")
    try:
        return UUID(least)
    except ValueError:
        pass
    message = exported.mapping[first].message if first else None
    if message and not own:
        least = f"{least}\n{message.time}\n{raw(message)}"
    return uuid5(NAMESPACE_URL, f"chatgpt:{without_marks(least)}")


class Names:
    """Names that message ids are made from: node ids, kept distinct as a database stores them."""

    def __init__(self, node_ids: Iterable[str]) -> None:
        stored = {node_id: without_marks(node_id) for node_id in node_ids}
        times = Counter(stored.values())
        self._names = {key: name for key, name in stored.items() if times[name] == 1 or key == name}
        self._taken = set(self._names.values())
        for node_id in stored:
            if node_id not in self._names:
                self._names[node_id] = self._free(ascii(node_id))

    def of(self, node_id: str) -> str:
        return self._names[node_id]

    def beginning(self, node_id: str) -> str:
        """Return the name for a question invented for an answer."""
        return self._free(_BEGAN + self._names[node_id])

    def _free(self, name: str) -> str:
        while name in self._taken:
            name = ascii(name)
        self._taken.add(name)
        return name


def without_marks(text: str) -> str:
    """Remove marks that only ChatGPT's page understands, in linear time."""
    return "".join(_split_at_marks(replace_unstorable(text)))


def _split_at_marks(text: str) -> Iterator[str]:
    at = 0
    for end in re.finditer("\ue201", text):
        begin = text.find("\ue200", max(at, end.start() - _MAX_MARK - 1), end.start())
        if begin >= 0:
            yield text[at:begin]
            at = end.end()
    yield text[at:]
