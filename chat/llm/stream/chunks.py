"""Turns the decoded chunks of an OpenAI-style answer into stream events.

Pure: no connection, no clock. Tolerant of missing and additional fields; strict about an answer
that is too large, empty, or has no end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from chat.errors import ModelError
from chat.llm.base import Reasoning, Stop, StreamEvent, Text, Usage
from chat.llm.failures import errors
from chat.llm.stream.deltas import CALLED, THOUGHT, reasoning_of, split_content, without_given
from chat.llm.stream.endings import Reason, error_in, interruption, reason_of
from chat.llm.stream.fragments import ToolFragments
from chat.llm.stream.opaque import OpaqueParts
from chat.llm.stream.thinking import Part, ThinkTags
from chat.llm.stream.usage import counts_in, usage_of
from chat.llm.text import PieceCleaner

MAX_TEXT = 1024 * 1024  # bytes of text, reasoning and opaque parts: the contract's longest answer
_BESIDE = frozenset((*THOUGHT, *CALLED, "refusal", "thinking_blocks"))
"""Fields that a delta may have besides its content."""


class Answer:
    """One answer. Feed it chunks with `read`; `end` yields the last events or raises."""

    def __init__(self, names: errors.Names = errors.OPENAI, source: str = "") -> None:
        """`source` is the model's (`ModelClient.source`), the only one to get opaque parts back."""
        self._names = names
        self._source = source
        self.reason: Reason | None = None
        self.has_words = False
        self.has_reasoning = False
        self._finished_at = 0  # `progress` when the reason came
        self._of_messages = 0  # `progress` from messages rather than deltas
        self._has_text = False
        self._problem: ModelError | None = None
        self._usage: Usage | None = None
        self._text = PieceCleaner()
        self._tags = ThinkTags()
        self._reasoning = PieceCleaner()
        self._tools = ToolFragments()
        self._opaque = OpaqueParts()
        self._size = 0

    @property
    def progress(self) -> int:
        """Grows with everything the model writes, even tool calls, which yield only at the end."""
        return self._size + self._opaque.size + self._tools.size

    @property
    def is_finished(self) -> bool:
        """Whether a reason came after the last word or call. Some servers send one first."""
        has_something = self.has_words or self._tools.size > 0
        return self.reason is not None and has_something and self.progress == self._finished_at

    def read(self, chunks: Iterable[dict[str, Any]]) -> Iterator[StreamEvent]:
        for chunk in chunks:
            if piece := self._text_alone(chunk):
                yield Text(piece)
                continue
            yield from self._chunk(chunk)
            if self._problem is not None:  # what came before it still counts
                yield from self.flush()
                raise self._problem

    def _text_alone(self, chunk: dict[str, Any]) -> str:
        """Return the text of a chunk that has only text, as nearly all do; empty for any other."""
        try:
            (choice,) = chunk["choices"]
            delta = choice["delta"]
            said = delta["content"]
        except (KeyError, TypeError, ValueError):
            return ""
        if len(delta) > 1 or type(said) is not str or not _is_bare(chunk, choice):
            return ""
        if not self._text.is_whole(said) or not self._tags.passes(said):
            return ""
        self._grow(said)
        self._has_text = True
        if not self.has_words:
            self.has_words = not said.isspace()
        return said

    def _chunk(self, chunk: dict[str, Any]) -> list[Part]:
        pieces: list[Part] = []
        choices = chunk.get("choices")
        if choices and isinstance(choices, list):
            error, counts = chunk.get("error"), chunk.get("usage") or chunk.get("x_groq")
            for choice in choices:
                if isinstance(choice, dict):
                    pieces += self._choice(choice)
        else:
            error, counts = error_in(chunk), counts_in(chunk)
        if counts:
            self._usage = usage_of(counts, self._usage)
        if error:
            self._problem = errors.in_stream(error, self._names)
        return pieces

    def _choice(self, choice: dict[str, Any]) -> list[Part]:
        delta = choice.get("delta")
        pieces = self._pieces(delta) if delta and isinstance(delta, dict) else []
        if (message := choice.get("message")) and isinstance(message, dict):
            pieces += self._message(message)
        if word := choice.get("finish_reason"):
            self._finish(word)
        if counts := choice.get("usage"):  # Moonshot's place
            self._usage = usage_of(counts, self._usage)
        if error := choice.get("error"):
            self._problem = errors.in_stream(error, self._names)
        return pieces

    def _finish(self, word: object) -> None:
        if not isinstance(word, str) or word.lower() in ("null", "none"):
            return
        if reason := reason_of(word):
            self.reason, self._finished_at = reason, self.progress
        else:
            self._problem = errors.interrupted(interruption(word))

    def _message(self, message: dict[str, Any]) -> list[Part]:
        """Read a whole message, which some servers send besides deltas or instead of them."""
        if self.progress > self._of_messages:
            has_text, has_calls = self._has_text, self._tools.size > 0
            message = without_given(
                message, said=has_text, thought=self.has_reasoning, called=has_calls
            )
        before = self.progress
        pieces = self._pieces(message)
        self._of_messages += self.progress - before
        return pieces

    def _pieces(self, delta: dict[str, Any]) -> list[Part]:
        said = delta.get("content")
        name, thought = "", ""
        beside = not _BESIDE.isdisjoint(delta) and any(map(delta.get, _BESIDE))
        if beside:
            name, thought = reasoning_of(delta)
            said = said or delta.get("refusal")
        if said and not isinstance(said, str):
            inner, said = split_content(said)
            thought = thought or inner
        pieces = self._add_reasoning(name, thought) if thought else []
        if said:
            pieces += self._add_text(said)
        if beside:
            self._tools.add_delta(delta)
        if beside or delta.get("reasoning_content") == "":
            self._opaque.add(delta)
            self._grow("")
        return pieces

    def _add_text(self, said: str) -> list[Part]:
        piece = self._text.feed(said)
        if not piece:
            return []
        self._grow(piece)
        self._has_text = True
        if not self._tags.passes(piece):
            return self._note(self._tags.feed(piece))
        return self._note([Text(piece)])

    def _note(self, parts: list[Part]) -> list[Part]:
        for part in parts:
            if isinstance(part, Reasoning):
                self.has_reasoning = True
            elif isinstance(part, Text) and not part.content.isspace():
                self.has_words = True
        return parts

    def _add_reasoning(self, name: str, thought: str) -> list[Part]:
        self._opaque.add_text(name, thought)
        piece = self._reasoning.feed(thought)
        self._grow(piece)
        self.has_reasoning = self.has_reasoning or bool(piece)
        return [Reasoning(piece)] if piece else []

    def _grow(self, piece: str) -> None:
        self._size += len(piece.encode())
        if self._size + self._opaque.size > MAX_TEXT:
            raise errors.too_large()

    def flush(self) -> Iterator[StreamEvent]:
        """Yield text held back as a possible start of a tag. Also called when the stream fails."""
        if piece := self._reasoning.end():
            self._grow(piece)
            yield Reasoning(piece)
        if piece := self._text.end():
            self._grow(piece)
            yield from self._note(self._tags.feed(piece))
        yield from self._note(self._tags.end())

    def end(self, is_marked_done: bool = False) -> Iterator[StreamEvent]:
        """Yield the last events. `is_marked_done`: the server sent `[DONE]`, also a proper end.

        Raises `ModelError` if there is no answer or no end.
        """
        yield from self.flush()
        reason = self.reason or ("stop" if is_marked_done else None)
        if reason is None:
            raise errors.truncated()
        requests = self._tools.requests(self._source)
        if self._usage is not None:
            yield self._usage
        if not self.has_words and not requests:  # whitespace and reasoning alone are no answer
            raise errors.empty(reason)
        yield from self._opaque.parts(self._source, has_calls=bool(requests))
        yield from requests
        yield Stop("tool_calls" if requests and reason == "stop" else reason)


def _is_bare(chunk: dict[str, Any], choice: dict[str, Any]) -> bool:
    """Whether they contain only a delta: no end, no error, no usage."""
    return not (
        choice.get("finish_reason")
        or choice.get("message")
        or choice.get("error")
        or choice.get("usage")
        or chunk.get("usage")
        or chunk.get("error")
        or "x_groq" in chunk
    )
