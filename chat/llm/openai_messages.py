"""A conversation as messages of OpenAI's chat completions that the strictest servers take.

Roles take turns, nothing is empty, and what other models wrote fits everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, assert_never

from chat.llm import given_back
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
from chat.llm.openai_calls import CallIds, arguments_object, fitting_name

NO_ANSWER = "(no answer)"
NO_TEXT = "(empty)"

Message = dict[str, Any]


def messages_of(messages: Iterable[ModelMessage], demands: Demands, source: str) -> list[Message]:
    """For the server and model of `source`. Every call is followed by its result, as in `Request`."""
    conversation = _Conversation(demands, source)
    for message in messages:
        conversation.add(message)
    return conversation.messages


class _Conversation:
    def __init__(self, demands: Demands, source: str) -> None:
        self.messages: list[Message] = []
        self._demands = demands
        self._source = source
        self._ids = CallIds(demands.call_ids)

    def add(self, message: ModelMessage) -> None:
        match message:
            case UserMessage(content):
                self._ask(content)
            case AssistantMessage():
                self._answer(message)
            case ToolMessage(call_id, _, content):
                result = {"role": "tool", "tool_call_id": self._ids.of_result(call_id)}
                self.messages.append({**result, "content": _or_empty(content)})
            case SystemMessage(content) if _is_blank(content):
                pass
            case SystemMessage(content):
                role = "system" if self._demands.system_role else "user"
                self._append({"role": role, "content": content})
            case _:
                assert_never(message)

    def _ask(self, content: str) -> None:
        if self._demands.answers_results and self.messages and self.messages[-1]["role"] == "tool":
            self.messages.append({"role": "assistant", "content": NO_ANSWER})
        self._append({"role": "user", "content": _or_empty(content)})

    def _answer(self, message: AssistantMessage) -> None:
        # Blanks beside calls are refused by some servers; null is in the protocol.
        content = None if _is_blank(message.content) else message.content
        if content is None and not message.tool_calls:
            return
        answer: Message = {"role": "assistant", "content": content}
        if message.opaque:
            answer |= given_back.of_message(self._returned(message.opaque))
        if message.tool_calls:
            self._ids.begin_round()
            answer["tool_calls"] = [self._call(call) for call in message.tool_calls]
            if self._demands.wants_reasoning:
                answer.setdefault("reasoning_content", "")
        self._append(answer)

    def _call(self, call: ToolRequest) -> Message:
        parts = self._returned(call.opaque)
        function = {
            "name": fitting_name(call.name),
            "arguments": arguments_object(call.arguments),
        }
        return {
            "id": self._ids.of_call(call.call_id, given_back.call_id(parts)),
            "type": "function",
            "function": function,
            **given_back.of_call(parts),
        }

    def _returned(self, parts: Sequence[Opaque]) -> list[Opaque]:
        """Those that its server takes back."""
        if not self._demands.takes_back:
            return []
        return [part for part in parts if part.source == self._source]

    def _append(self, message: Message) -> None:
        """Roles take turns: two questions, with no answer between, are one."""
        before = self.messages[-1] if self.messages else None
        if before is None or before["role"] != message["role"] or "tool_calls" in before:
            self.messages.append(message)
            return
        texts = filter(None, (before["content"], message["content"]))
        before |= {**message, "content": "\n\n".join(texts)}


def _is_blank(text: str) -> bool:
    return not text or text.isspace()


def _or_empty(text: str) -> str:
    return NO_TEXT if _is_blank(text) else text
