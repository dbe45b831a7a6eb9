"""Several nodes of the export that make one answer: its texts, its tool calls, its reasoning."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from chat.models import Message as Row
from chat.models import ToolCall, Turn
from chat.transfer.chatgpt.exported import Message
from chat.transfer.chatgpt.texts import cleaned, reasoning, words
from chat.transfer.format import ArchivedCall, ArchivedMessage, ArchivedTurn

UNKNOWN_MODEL = "chatgpt"
_NO_RESULT = "The export has no result of this call."
_ENDS = {
    "in_progress": Turn.Status.INTERRUPTED,
    "finished_partial_completion": Turn.Status.CANCELLED,
}


@dataclass(eq=False)
class Answer:
    """An answer that grows node by node."""

    id: UUID
    parent: UUID
    created_at: datetime
    model: str = ""
    ended_at: datetime | None = None
    status: Turn.Status = Turn.Status.COMPLETED
    _texts: list[str] = field(default_factory=list)
    _length: int = 0
    """Code points of the texts, joined."""
    _reasoning: list[str] = field(default_factory=list)
    _calls: list[dict[str, Any]] = field(default_factory=list)

    def add(self, node_id: str, message: Message, at: datetime) -> None:
        self.ended_at = at
        self.status = _ENDS.get(message.status or "", Turn.Status.COMPLETED)
        slug = (message.metadata or {}).get("model_slug")
        if isinstance(slug, str) and slug:
            self.model = cleaned(slug)[:200]
        if thought := reasoning(message):
            self._reasoning.append(thought)
        if message.author.role == "tool":
            self._result(node_id, message, at)
        elif message.recipient not in (None, "", "all"):
            self._call(node_id, message, at)
        elif text := words(message):
            self._texts.append(f"\n\n{text}" if self._texts else text)
            self._length += len(self._texts[-1])

    def _call(self, node_id: str, message: Message, at: datetime) -> None:
        text = words(message)
        self._add_call(node_id, message.recipient or "", _arguments(text), at)

    def _add_call(self, node_id: str, name: str, arguments: str, at: datetime) -> None:
        self._calls.append(
            {
                # of characters that all providers take
                "call_id": re.sub(r"[^a-zA-Z0-9_-]", "_", node_id)[:64] or "call",
                "round": len(self._calls),
                "offset": self._length,
                "name": re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "tool",
                "arguments": arguments,
                "created_at": at,
                "result": None,
                "ended_at": at,
            }
        )

    def _result(self, node_id: str, message: Message, at: datetime) -> None:
        """The output of the last call that has none; of a call that the export does not show."""
        if not self._calls or self._calls[-1]["result"] is not None:
            self._add_call(node_id, message.author.name or "tool", "{}", at)
        self._calls[-1] |= {"result": words(message), "ended_at": at}

    def archived(self, default_model: str) -> ArchivedMessage:
        return ArchivedMessage(
            id=self.id,
            parent=self.parent,
            role=Row.Role.ASSISTANT,
            content="".join(self._texts),
            reasoning="\n\n".join(self._reasoning),
            client_id=None,
            withdrawn=False,
            created_at=self.created_at,
            turn=self._turn(default_model),
            calls=tuple(_archived_call(call) for call in self._calls),
        )

    def _turn(self, default_model: str) -> ArchivedTurn:
        return ArchivedTurn(
            status=self.status,
            model=self.model or cleaned(default_model)[:200] or UNKNOWN_MODEL,
            context=None,
            client_id=None,
            input_tokens=None,
            output_tokens=None,
            cached_tokens=None,
            cost=None,
            error_code="",
            error="",
            created_at=self.created_at,
            started_at=self.created_at,
            ended_at=self.ended_at,
            cancel_requested_at=None,
        )


def _arguments(text: str) -> str:
    """The call's own, if it is a JSON object; else an object around it."""
    try:
        if isinstance(json.loads(text), dict):
            return text
    except (ValueError, RecursionError):
        pass
    return json.dumps({"input": text}, ensure_ascii=False)


def _archived_call(call: dict[str, Any]) -> ArchivedCall:
    has_result = call["result"] is not None
    return ArchivedCall(
        **{**call, "result": call["result"] if has_result else _NO_RESULT},
        edited_arguments="",
        status=ToolCall.Status.FINISHED if has_result else ToolCall.Status.FAILED,
        decided_by=None,
        decided_at=None,
        decided_from="",
        started_at=call["created_at"],
    )
