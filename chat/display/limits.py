"""How much of messages, calls and their texts is shown."""

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
    """How much of messages is shown."""

    texts: int = MAX_FRAME_BYTES - SNAPSHOT_CALLS_BYTES
    """Bytes of all contents and reasonings."""
    live: int = MAX_ANSWER_BYTES
    """Likewise of the live turn's text."""
    results: int = SNAPSHOT_CALLS_BYTES
    """Likewise of all results, and of all arguments."""
    remarks: int = 8 * 1024
    """Likewise of what is said of one answer."""
    calls: int = SNAPSHOT_CALLS
    """Of one message."""
    cuts_open: bool = False
    """Also the arguments of calls that are not over."""
    is_each: bool = False
    """The bytes are those of one message, and not of all together; and what a person may have sent
    is whole, to be edited and sent again."""

    def halved(self) -> Self:
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
    """Content for a snapshot: at most so many bytes, whole code points; None: all."""
    return text if most is None else cut_for_json(cut(text, SNAPSHOT_CONTENT_BYTES), most)


def _size(text: str) -> int:
    return json_size(cut(text, SNAPSHOT_CONTENT_BYTES))


def share_of_texts(said: Iterable[SoFar], limits: Limits | None) -> int | None:
    if limits is None:
        return None
    texts = [text for one in said for text in (one.text, one.reasoning)]
    return fair_share(map(_size, texts), limits.texts)


class CallShare(NamedTuple):
    """What each text of some calls may take of a snapshot, in bytes; None: all."""

    result: int | None = None
    arguments: int | None = None


def share_of_calls(calls: Collection[ToolCall], limits: Limits | None) -> CallShare:
    if limits is None:
        return CallShare()
    return CallShare(
        fair_share(map(_size, (call.result for call in calls)), limits.results),
        fair_share(map(_size, (call.used_arguments for call in calls)), limits.results),
    )
