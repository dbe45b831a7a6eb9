"""From the decoded chunks of an OpenAI-style answer to our stream events.

Pure: no connection, no clock. Tolerant of what servers leave out or add; strict about an answer
that is too large, empty, or never said that it is finished.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from chat.llm import failures
from chat.llm.base import Reasoning, Stop, StreamEvent, Text, Usage
from chat.llm.deltas import divided, reasoning_of, unsaid
from chat.llm.endings import Reason, error_in, interruption, reason_of
from chat.llm.opaque import OpaqueParts
from chat.llm.text import PieceCleaner
from chat.llm.thinking import Part, ThinkTags
from chat.llm.tool_fragments import ToolFragments
from chat.llm.usage import usage_of

MAX_TEXT = 1024 * 1024  # bytes of text, reasoning and opaque parts: the contract's longest answer


class Answer:
    """One answer. Feed it chunks; `end` gives the last events or says what was wrong."""

    def __init__(self, names: failures.Names = failures.OPENAI, source: str = "") -> None:
        """`source` is the model's (`ModelClient.source`), for what only it may be given back."""
        self._names = names
        self._source = source
        self.reason: Reason | None = None
        self.has_words = False
        self.has_reasoning = False
        self._finished_at = 0  # the progress when the reason came
        self._of_messages = 0  # the progress that came in messages, not in deltas
        self._has_text = False
        self._usage: Usage | None = None
        self._text = PieceCleaner()
        self._tags = ThinkTags()
        self._reasoning = PieceCleaner()
        self._tools = ToolFragments()
        self._opaque = OpaqueParts()
        self._size = 0

    @property
    def progress(self) -> int:
        """Grows with whatever the model wrote: tool calls too, which yield nothing until the end."""
        return self._size + self._opaque.size + self._tools.size

    @property
    def is_finished(self) -> bool:
        """A reason came after the last word or call. Some servers say one before they begin."""
        has_something = self.has_words or self._tools.size > 0
        return self.reason is not None and has_something and self.progress == self._finished_at

    def read(self, chunks: Iterable[dict[str, Any]]) -> Iterator[StreamEvent]:
        for chunk in chunks:
            yield from self._chunk(chunk)

    def _chunk(self, chunk: dict[str, Any]) -> Iterator[StreamEvent]:
        choices = chunk.get("choices")
        counts = chunk.get("usage")
        if choices and isinstance(choices, list):
            error, word = chunk.get("error"), None
            for choice in choices:
                if isinstance(choice, dict):
                    yield from self._choice(choice)
                    error = error or choice.get("error")
                    word = choice.get("finish_reason") or word
                    counts = counts or choice.get("usage")  # Moonshot's place
        else:
            error, word = error_in(chunk), None
            counts = counts or ("eval_count" in chunk and chunk)
        if counts := counts or chunk.get("x_groq"):
            self._count(counts)
        if error:
            yield from self.held()
            raise failures.in_stream(error, self._names)
        if word and isinstance(word, str):
            yield from self._finish(word)

    def _finish(self, word: str) -> Iterator[StreamEvent]:
        reason = reason_of(word)
        if reason is None:
            yield from self.held()
            raise failures.interrupted(interruption(word))
        self.reason, self._finished_at = reason, self.progress

    def _count(self, counts: object) -> None:
        if isinstance(counts, dict) and isinstance(inner := counts.get("usage"), dict):
            counts = inner  # Groq's
        self._usage = usage_of(counts, self._usage)

    def _choice(self, choice: dict[str, Any]) -> list[Part]:
        delta, message = choice.get("delta"), choice.get("message")
        pieces = self._pieces(delta) if delta and isinstance(delta, dict) else []
        if message and isinstance(message, dict):
            pieces += self._message(message)
        return pieces

    def _message(self, message: dict[str, Any]) -> list[Part]:
        """The whole message that some servers send beside deltas, others in their place."""
        if self.progress > self._of_messages:
            has_text, has_calls = self._has_text, self._tools.size > 0
            message = unsaid(message, said=has_text, thought=self.has_reasoning, called=has_calls)
        before = self.progress
        pieces = self._pieces(message)
        self._of_messages += self.progress - before
        return pieces

    def _pieces(self, delta: dict[str, Any]) -> list[Part]:
        said = delta.get("content")
        if len(delta) == 1 and type(said) is str:  # nearly every chunk
            return self._said(said)
        name, thought = reasoning_of(delta)
        said = said or delta.get("refusal")
        if said and not isinstance(said, str):
            inner, said = divided(said)
            thought = thought or inner
        self._opaque.add(delta)
        pieces: list[Part] = self._thought(name, thought) if thought else []
        if said:
            pieces += self._said(said)
        self._tools.add_delta(delta)
        self._check_size()
        return pieces

    def _said(self, said: str) -> list[Part]:
        piece = self._text.feed(said)
        if not piece:
            return []
        self._grow(piece)
        self._has_text = True
        if not self._tags.passes(piece):
            return self._noted(self._tags.feed(piece))
        self.has_words = self.has_words or not piece.isspace()
        return [Text(piece)]

    def _noted(self, parts: list[Part]) -> list[Part]:
        for part in parts:
            if isinstance(part, Reasoning):
                self.has_reasoning = True
            elif isinstance(part, Text) and not part.content.isspace():
                self.has_words = True
        return parts

    def _thought(self, name: str, thought: str) -> list[Part]:
        self._opaque.add_text(name, thought)
        piece = self._reasoning.feed(thought)
        self._grow(piece)
        self.has_reasoning = self.has_reasoning or bool(piece)
        return [Reasoning(piece)] if piece else []

    def _grow(self, piece: str) -> None:
        self._size += len(piece.encode())
        self._check_size()

    def _check_size(self) -> None:
        if self._size + self._opaque.size > MAX_TEXT:
            raise failures.too_large()

    def held(self) -> Iterator[StreamEvent]:
        """What was held back because more might have belonged to it: also for who fails."""
        if piece := self._reasoning.end():
            self._grow(piece)
            yield Reasoning(piece)
        if piece := self._text.end():
            self._grow(piece)
            yield from self._noted(self._tags.feed(piece))
        yield from self._noted(self._tags.end())

    def end(self, said_done: bool = False) -> Iterator[StreamEvent]:
        """The last events. `said_done`: the server said `[DONE]`, which ends an answer as well.

        Raises `ModelError` where there is no answer, or no end.
        """
        yield from self.held()
        reason = self.reason or ("stop" if said_done else None)
        if reason is None:
            raise failures.truncated()
        requests = self._tools.requests(self._source)
        if self._usage is not None:
            yield self._usage
        if not self.has_words and not requests:  # blanks and reasoning alone are no answer
            raise failures.empty(reason)
        yield from self._opaque.parts(self._source, has_calls=bool(requests))
        yield from requests
        yield Stop("tool_calls" if requests and reason == "stop" else reason)
