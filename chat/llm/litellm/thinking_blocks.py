"""Claude's thinking blocks, which it wants back unchanged and in their places.

LiteLLM yields them in pieces and moves them all before an answer's text and calls. Here they are
joined, and put back in place. Each block carries its place, in a field of our own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chat.llm.base import Opaque
from chat.llm.failures import errors
from chat.llm.stream.opaque import json_text

KIND = "thinking_blocks"
"""Also LiteLLM's name for the field that returns them."""
_TYPES = ("thinking", "redacted_thinking")
MAX_SIZE = 2 * 1024 * 1024  # code points of one answer's blocks, including signatures
PLACE = "talos_place"
"""The field with the counts of code points and calls before a block; absent if both are 0."""

Block = dict[str, Any]


class ThinkingBlocks:
    """The thinking blocks of one answer."""

    def __init__(self) -> None:
        self._whole: list[Block] = []
        self._open: Block | None = None
        self._texts: list[str] = []
        self._size = 0
        self._place = (0, 0)

    def advance(self, text: str | None, calls: Iterable[Mapping[str, Any]]) -> None:
        """Move the place past text and calls. A call counts with its first piece."""
        said, called = self._place
        begun = sum(1 for call in calls if call["id"])
        self._place = (said + len(text or ""), called + begun)

    def add(self, pieces: Iterable[Mapping[str, Any]]) -> None:
        """Add one delta's `thinking_blocks`. A signature ends a block, whose text may be empty."""
        for piece in pieces:
            self._size += sum(len(value) for value in piece.values() if isinstance(value, str))
            if self._size > MAX_SIZE:
                raise errors.too_large()
            if piece.get("type") != "thinking":
                self._whole.append(self._with_place(piece))  # redacted blocks arrive whole
                continue
            if self._open is None:
                self._open = self._with_place({"type": "thinking"})
            self._texts.append(piece.get("thinking") or "")
            if signature := piece.get("signature"):
                self._end(signature)

    def _end(self, signature: str) -> None:
        if self._open is not None:
            text = "".join(self._texts)
            self._whole.append(self._open | {"thinking": text, "signature": signature})
        self._open = None
        self._texts.clear()

    def _with_place(self, block: Mapping[str, Any]) -> Block:
        return {**block, PLACE: self._place} if any(self._place) else {**block}

    def opaque(self, source: str) -> Iterator[Opaque]:
        """Yield all blocks as one part. Unsigned ones are not wanted back."""
        if self._whole:
            yield Opaque(KIND, source, json_text(self._whole))


def blocks_to_return(blocks: Iterable[Block], *, places: bool) -> list[Block]:
    """Return stored blocks as they go back, with or without their places."""
    found = []
    for block in blocks:
        if block.get("type") in _TYPES:
            returned = {name: block[name] for name in block if name != PLACE}
            found.append(block if places and _is_place(block.get(PLACE)) else returned)
    return found


def put_in_place(body: Mapping[str, Any]) -> None:
    """Move blocks back into place in the body of a request to Anthropic."""
    for message in body.get("messages", ()):
        content = message["content"]
        if isinstance(content, list) and any(PLACE in block for block in content):
            message["content"] = _in_place(content)


def _in_place(content: list[Block]) -> list[Block]:
    """Reorder LiteLLM's content: thinking, then at most one text, then calls."""
    thoughts = [block for block in content if block["type"] in _TYPES]
    text = "".join(block["text"] for block in content if block["type"] == "text")
    calls = [block for block in content if block["type"] == "tool_use"]
    placed: list[Block] = []
    said = called = 0
    for block in thoughts:
        upto, call_count = map(max, block.pop(PLACE, (0, 0)), (said, called))
        placed += [*_texts(text[said:upto]), *calls[called:call_count], block]
        said, called = upto, call_count
    return [*placed, *_texts(text[said:]), *calls[called:]]


def _is_place(place: object) -> bool:
    return isinstance(place, list) and list(map(type, place)) == [int, int]


def _texts(text: str) -> Iterator[Block]:
    if text.strip():  # Anthropic refuses blank texts
        yield {"type": "text", "text": text}
