"""Turns a conversation into chat completions messages that the strictest servers accept.

Roles alternate, nothing is empty, and calls by any model are valid everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, assert_never

from chat.llm.base import (
    AssistantMessage,
    ModelMessage,
    Opaque,
    SystemMessage,
    ToolMessage,
    ToolRequest,
    UserMessage,
)
from chat.llm.demands import Demands
from chat.llm.openai import opaque_fields
from chat.llm.openai.calls import CallIds, arguments_object, valid_name

NO_ANSWER = "(no answer)"
EMPTY = "(empty)"
NO_REASONING = " "
"""DeepSeek V4 Pro treats an empty text that it did not send as missing."""

Message = dict[str, Any]
_NONE: Message = {}


def messages_of(messages: Iterable[ModelMessage], demands: Demands, source: str) -> list[Message]:
    """Return the messages for the server and model of `source`.

    Every call must be followed by its result, as in `Request`.
    """
    conversation = _Conversation(demands, source)
    for message in messages:
        conversation.add(message)
    conversation.join()
    return conversation.messages


class _Conversation:
    def __init__(self, demands: Demands, source: str) -> None:
        self.messages: list[Message] = []
        self._last = ""
        """The last message's role, or `calls`."""
        self._more: list[str] = []
        """Texts to append to the last message; joining them singly would copy them repeatedly."""
        self._demands = demands
        self._source = source
        self._ids = CallIds(demands.call_ids)

    def add(self, message: ModelMessage) -> None:
        match message:
            case UserMessage(content):
                self._ask(content)
            case AssistantMessage():
                self._answer(message)
            case ToolMessage(_, name, content) if not self._demands.tools:
                self._append("user", f"Result of {name}:\n{_or_empty(content)}")
            case ToolMessage(call_id, _, content):
                sent_id = self._ids.of_result(call_id)
                self._append("tool", _or_empty(content), {"tool_call_id": sent_id})
            case SystemMessage(content) if not _is_blank(content):
                self._append("system" if self._demands.system_role else "user", content)
            case SystemMessage():
                pass
            case _:
                assert_never(message)

    def _ask(self, content: str) -> None:
        if self._last == "tool" and self._demands.answers_results:
            self._append("assistant", NO_ANSWER)
        self._append("user", _or_empty(content))

    def _answer(self, message: AssistantMessage) -> None:
        if message.tool_calls and not self._demands.tools:
            self._tell(message)
            return
        content: str | None = message.content
        if _is_blank(message.content):
            if not message.tool_calls:
                return
            content = None  # some servers refuse an empty text beside calls
        if not message.tool_calls and not message.opaque:
            self._append("assistant", content)
            return
        fields = opaque_fields.of_message(self._own_parts(message.opaque))
        if message.tool_calls:
            self._ids.begin_round()
            fields["tool_calls"] = [self._call(call) for call in message.tool_calls]
            if self._demands.wants_reasoning:
                fields.setdefault("reasoning_content", NO_REASONING)
        self._append("assistant", content, fields)

    def _tell(self, message: AssistantMessage) -> None:
        """Write calls as text: a server without tools may not accept messages about them either."""
        if not _is_blank(message.content):
            self._append("assistant", message.content)
        for call in message.tool_calls:
            self._append("assistant", f"Call of {call.name}: {call.arguments}")

    def _call(self, call: ToolRequest) -> Message:
        parts = self._own_parts(call.opaque)
        function = {
            "name": valid_name(call.name),
            "arguments": arguments_object(call.arguments),
        }
        return {
            "id": self._ids.of_call(call.call_id, opaque_fields.call_id(parts)),
            "type": "function",
            "function": function,
            **opaque_fields.of_call(parts),
        }

    def _own_parts(self, parts: Sequence[Opaque]) -> list[Opaque]:
        """Return the parts that this server sent and takes back."""
        if not self._demands.takes_back:
            return []
        return [part for part in parts if part.source == self._source]

    def _append(self, role: str, content: str | None, fields: Message = _NONE) -> None:
        """Append a message, or join it with the last one of the same role: roles must alternate."""
        if role == self._last and role != "tool":
            self.messages[-1] |= fields
            if content:
                self._more.append(content)
        else:
            self.join()
            self.messages.append({"role": role, "content": content, **fields})
        self._last = "calls" if "tool_calls" in fields else role

    def join(self) -> None:
        """Complete the last message."""
        if self._more:
            message = self.messages[-1]
            message["content"] = "\n\n".join((message["content"], *self._more))
            self._more.clear()


def _is_blank(text: str) -> bool:
    return not text or text.isspace()


def _or_empty(text: str) -> str:
    return EMPTY if _is_blank(text) else text
