"""Limits on how much of messages, calls and their texts is shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from chat.models import SoFar, ToolCall
from chat.protocol import (
    MAX_ANSWER_BYTES,
    MAX_FRAME_BYTES,
    SNAPSHOT_CALLS,
    SNAPSHOT_CALLS_BYTES,
    SNAPSHOT_CONTENT_BYTES,
)
from chat.protocol.sizes import cut, cut_for_json, fair_share, json_size


@dataclass(frozen=True)
class Limits:
    """How much of some messages is shown."""

    texts: int = MAX_FRAME_BYTES - SNAPSHOT_CALLS_BYTES
    """Bytes of all contents and reasoning."""
    live: int = MAX_ANSWER_BYTES
    """Bytes of the live turn's text."""
    results: int = SNAPSHOT_CALLS_BYTES
    """Bytes of all results, and again of all arguments."""
    remarks: int = 8 * 1024
    """Bytes of each remark on an answer."""
    calls: int = SNAPSHOT_CALLS
    """Calls of one message."""
    cuts_open: bool = False
    """Whether the arguments of open calls are cut, too."""
    is_each: bool = False
    """The limits apply to each message, not to all together; and a person's own message is whole, so
    that it can be edited and sent again."""

    def halve(self) -> Self:
        return replace(
            self,
            texts=self.texts // 2,
            live=self.live // 2,
            results=self.results // 2,
            remarks=self.remarks // 2,
            calls=max(2, self.calls // 2),
            cuts_open=True,
        )


def cut_text(text: str, most: int | None) -> str:
    """Cut a text to at most `most` bytes, at a code point; None: not at all."""
    return text if most is None else cut_for_json(cut(text, SNAPSHOT_CONTENT_BYTES), most)


def _size(text: str) -> int:
    return json_size(cut(text, SNAPSHOT_CONTENT_BYTES))


def share_of_texts(said: Iterable[SoFar], limits: Limits | None) -> int | None:
    if limits is None:
        return None
    texts = [text for one in said for text in (one.text, one.reasoning)]
    return fair_share(map(_size, texts), limits.texts)


class CallShare(NamedTuple):
    """Bytes that each text of some calls may take; None: no limit."""

    result: int | None = None
    arguments: int | None = None


def share_of_calls(calls: Collection[ToolCall], limits: Limits | None) -> CallShare:
    if limits is None:
        return CallShare()
    return CallShare(
        fair_share(map(_size, (call.result for call in calls)), limits.results),
        fair_share(map(_size, (call.used_arguments for call in calls)), limits.results),
    )
