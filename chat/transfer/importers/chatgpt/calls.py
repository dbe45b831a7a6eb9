"""Tool calls of an answer and their results, which are separate nodes in the export."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from datetime import datetime

from chat.models import ToolCall
from chat.transfer.archive.format import MAX_TEXT, ArchivedCall

_NOT_SHOWN = "The result is not in the export."
_NONE = "The export has no result of this call."


@dataclass(eq=False)
class _Call:
    call_id: str
    round: int
    offset: int
    name: str
    arguments: str
    created_at: datetime
    ended_at: datetime
    status: ToolCall.Status = ToolCall.Status.UNKNOWN
    result: str = _NONE

    @property
    def is_open(self) -> bool:
        return self.status == ToolCall.Status.UNKNOWN


class Calls:
    """Tool calls in the order in which they were made."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._ids: set[str] = set()
        self._times: Counter[str] = Counter()
        self._open: defaultdict[str, deque[_Call]] = defaultdict(deque)
        """Open calls by name, the latest last."""

    def add(self, node_id: str, name: str, arguments: str, offset: int, at: datetime) -> None:
        call = _Call(
            call_id=self._id(node_id),
            round=len(self._calls),
            offset=offset,
            name=_name(name) or "tool",
            arguments=_object(arguments),
            created_at=at,
            ended_at=at,
        )
        self._calls.append(call)
        self._open[call.name].append(call)

    def add_result(
        self, node_id: str, name: str, text: str, offset: int, at: datetime, *, has_failed: bool
    ) -> None:
        """Add a result to the first open call of that tool, else to the last call if it is open.

        Otherwise the export does not show its call: add one.
        """
        call = self._find_open(name)
        if call is None:
            self.add(node_id, name, "{}", offset, at)
            call = self._calls[-1]
        self._end(
            call, text, at, ToolCall.Status.FAILED if has_failed else ToolCall.Status.FINISHED
        )

    def add_hidden_result(self, name: str, text: str, at: datetime) -> None:
        """Add a result of which the export shows nothing, or only what a search found."""
        if call := self._find_open(name):
            self._end(call, text or _NOT_SHOWN, at, ToolCall.Status.FINISHED)

    def archive(self, length: int) -> tuple[ArchivedCall, ...]:
        """Return the archived calls. `length` is that of the answer's text."""
        was_continued = False
        for call in reversed(self._calls):
            was_continued = was_continued or call.offset < length or not call.is_open
            if call.is_open and was_continued:
                self._end(call, _NOT_SHOWN, call.ended_at, ToolCall.Status.FINISHED)
        return tuple(_archive_call(call, length) for call in self._calls)

    def _find_open(self, name: str) -> _Call | None:
        same = self._open[_name(name)]
        while same:
            if (call := same.popleft()).is_open:
                return call
        return self._calls[-1] if self._calls and self._calls[-1].is_open else None

    def _end(self, call: _Call, text: str, at: datetime, status: ToolCall.Status) -> None:
        call.result, call.ended_at, call.status = text[:MAX_TEXT], max(at, call.created_at), status

    def _id(self, node_id: str) -> str:
        """Return a unique id of characters that every provider accepts."""
        found = plain = _name(node_id) or "call"
        while found in self._ids:
            self._times[plain] += 1
            found = f"{plain[:48]}-{self._times[plain] + 1}"
        self._ids.add(found)
        return found


def _name(text: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", text[:64])


def _object(text: str) -> str:
    """Return the arguments if they are a JSON object; else wrap them in one."""
    try:
        if len(text) <= MAX_TEXT and isinstance(json.loads(text), dict):
            return text
    except (ValueError, RecursionError):
        pass
    return json.dumps({"input": text[: MAX_TEXT // 2]}, ensure_ascii=False)


def _archive_call(call: _Call, length: int) -> ArchivedCall:
    return ArchivedCall(
        call_id=call.call_id,
        round=call.round,
        offset=min(call.offset, length),
        name=call.name,
        arguments=call.arguments,
        edited_arguments="",
        status=call.status,
        result=call.result,
        decided_by=None,
        decided_at=None,
        decided_from="",
        created_at=call.created_at,
        started_at=call.created_at,
        ended_at=call.ended_at,
    )
