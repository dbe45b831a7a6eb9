"""From the decoded chunks of an OpenAI-style answer to our stream events.

Pure: no connection, no clock. Tolerant of what servers leave out or add; strict about an answer
that is too large, empty, or never said that it is finished.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from chat.llm import failures
from chat.llm.base import Reasoning, Stop, StreamEvent, Text, Usage
from chat.llm.text import PieceCleaner
from chat.llm.tool_fragments import ToolFragments

MAX_TEXT = 1024 * 1024  # bytes of text and reasoning: the contract's longest answer
MAX_TOKENS = 20_000_000  # of one count: a larger one is made up; a hundred rounds fit a column

Reason = Literal["stop", "length", "tool_calls", "content_filter"]

_REASONS: dict[str, Reason] = {  # whatever else a server says is "stop"
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
_BROKEN_OFF = frozenset({"error", "abort"})  # OpenRouter's and vLLM's words for a failure


class Answer:
    """One answer. Feed it chunks; `end` gives the last events or says what was wrong."""

    def __init__(self, names: failures.Names = failures.OPENAI) -> None:
        self._names = names
        self.reason: Reason | None = None
        self._usage: Usage | None = None
        self._text = PieceCleaner()
        self._reasoning = PieceCleaner()
        self._tools = ToolFragments()
        self._size = 0
        self._has_words = False

    @property
    def progress(self) -> int:
        """Grows with whatever the model wrote: tool calls too, which yield nothing until the end."""
        return self._size + self._tools.size

    def read(self, chunks: Iterable[dict[str, Any]]) -> Iterator[StreamEvent]:
        for chunk in chunks:
            yield from self._chunk(chunk)

    def _chunk(self, chunk: dict[str, Any]) -> Iterator[StreamEvent]:
        if chunk.get("error"):
            raise failures.in_stream(chunk["error"], self._names)
        if (usage := chunk.get("usage")) is not None:
            self._usage = _usage(usage) or self._usage
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            return
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict):
            yield from self._pieces(delta)
        if isinstance(reason := choice.get("finish_reason"), str) and reason:
            if reason in _BROKEN_OFF:
                raise failures.truncated()
            self.reason = _REASONS.get(reason, "stop")

    def _pieces(self, delta: dict[str, Any]) -> list[StreamEvent]:
        pieces: list[StreamEvent] = []
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        if reasoning and (piece := self._grown(self._reasoning.feed(_plain(reasoning)))):
            pieces.append(Reasoning(piece))
        content = delta.get("content") or delta.get("refusal")
        if content and (piece := self._said(self._text.feed(_plain(content)))):
            pieces.append(Text(piece))
        if calls := delta.get("tool_calls"):
            self._tools.add(calls)
        elif function := delta.get("function_call"):  # the protocol's older form: one call
            self._tools.add([{"index": 0, "function": function}])
        return pieces

    def _said(self, piece: str) -> str:
        self._has_words = self._has_words or bool(piece.strip())
        return self._grown(piece)

    def _grown(self, piece: str) -> str:
        self._size += len(piece.encode())
        if self._size > MAX_TEXT:
            raise failures.too_large()
        return piece

    def end(self) -> Iterator[StreamEvent]:
        if self.reason is None:
            raise failures.truncated()
        if piece := self._grown(self._reasoning.end()):
            yield Reasoning(piece)
        if piece := self._said(self._text.end()):
            yield Text(piece)
        requests = self._tools.requests()
        if not self._has_words and not requests:  # blanks and reasoning alone are no answer
            raise failures.empty(self.reason)
        yield from requests
        if self._usage is not None:
            yield self._usage
        yield Stop("tool_calls" if requests and self.reason == "stop" else self.reason)


def _plain(content: object) -> str:
    """Content is a string, or with some servers a list of parts; only their text is wanted."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    texts = (part.get("text") if isinstance(part, dict) else part for part in parts)
    return "".join(text for text in texts if isinstance(text, str))


def _usage(usage: object) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return Usage(
        _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")), _count(cached)
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value <= MAX_TOKENS else 0
