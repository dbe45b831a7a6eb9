"""Hostile inputs and their readers: small pieces that are repeated, and the reader's limit.

Each target says of what its input is made and what is done with it. Nothing in here needs a
database: those only look words up.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from chat.errors import TalosError
from chat.llm.demands import Demands
from chat.llm.failures import details, errors, hints, learned
from chat.llm.openai.models import parse_models
from chat.llm.stream.chunks import Answer
from chat.llm.stream.code_marks import CodeMarks
from chat.llm.stream.fragments import ToolFragments
from chat.llm.stream.sse import EventStream
from chat.protocol import MAX_FRAME_BYTES, arguments_object, parse
from chat.search.excerpts import excerpt, mark
from chat.search.query import _expression, _split
from chat.search.words import words
from chat.transfer.importers import reading
from chat.transfer.importers.chatgpt.marks import translate
from chat.transfer.importers.chatgpt.references import References
from chat.transfer.markdown import _close_fence
from chat.transfer.reading_order import places
from chat.turns import batches, title_text
from chat.turns.live import Entry, LiveTurn
from tests.chaos.hostile_pieces import (
    CITED,
    CODE,
    EVENTS,
    FILES,
    FRAGMENTS,
    JSON,
    LETTERS,
    MARKS,
    SHAPES,
    TAGS,
    WORDS,
)
from tests.transfer.shapes import archive, export, tree
from tools.core.declaration import tool
from tools.core.registry import Registry
from tools.core.runner import ToolRunner

Work = Callable[[], object]


@dataclass(frozen=True)
class Target:
    """One of our readers."""

    pieces: tuple[str, ...]
    """Pieces that make up its input."""
    work: Callable[[str], Work]
    """Prepares an input and returns the work to be measured."""
    most: int = 256 * 1024
    """Most characters that it may have to read."""
    longest: float = 3.0
    """Seconds that all of it may take: about ten times the usual."""


@tool
def anything(values: dict[str, Any] | list[int] | str | None = None) -> str:
    """Take anything."""
    return ""


_runner = ToolRunner(lambda: Registry([anything]))
_NUMBERED = "#"
"""Stands for a number that differs each time."""


def _numbered(text: str) -> str:
    first, *rest = text.split(_NUMBERED)
    return first + "".join(f"{number}{part}" for number, part in enumerate(rest))


def _arguments(text: str) -> Work:
    given = f'{{"values":{_numbered(text)}}}'
    return lambda: (_runner.validate("anything", given), arguments_object(given))


def _object(text: str) -> Work:
    given = "{" + _numbered(text)[:-1] + "}"
    twice = given[:-1] + ',"values":1,"values":2}'
    return lambda: [_runner.validate("anything", each) for each in (given, twice)]


def _fragments(text: str) -> Work:
    """Read fragments of a call, one per line."""
    deltas = [{"tool_calls": [json.loads(line)]} for line in _numbered(text).splitlines()]

    def work() -> None:
        fragments = ToolFragments()
        for delta in deltas:
            fragments.add_delta(delta)
        fragments.requests()

    return work


def _one_call(text: str) -> Work:
    """Read the arguments of one call as they arrive."""

    def work() -> None:
        fragments = ToolFragments()
        fragments.add([{"index": 0, "function": {"name": "a", "arguments": text}}])
        fragments.add([{"index": 0, "function": {"name": "a", "arguments": "}"}}])
        fragments.requests()

    return work


def _stream(size: int, text: str) -> Work:
    """Read a server's bytes, so many at a time."""
    data = _numbered(text).encode()

    def work() -> None:
        stream, answer = EventStream(), Answer()
        for at in range(0, len(data), size):
            list(answer.read(stream.feed(data[at : at + size])))
        list(answer.read(stream.end()))
        list(answer.end(is_marked_done=True))

    return work


def _said(size: int, text: str) -> Work:
    """Read a model's text, so many characters at a time."""
    chunks = [
        {"choices": [{"delta": {"content": text[at : at + size], "role": "assistant"}}]}
        for at in range(0, len(text), size)
    ]

    def work() -> None:
        answer = Answer()
        list(answer.read(chunks))
        list(answer.end(is_marked_done=True))

    return work


def _refusal(text: str) -> Work:
    bodies = [text.encode(), json.dumps({"error": {"message": text}}).encode()]

    def work() -> None:
        for body in bodies:
            complaint = details.read(400, body)
            errors.of(complaint)
            learned.lesson_of(complaint, Demands(), lambda _: False)
            hints.wait_in_words(complaint.message)

    return work


def _journal(text: str) -> Work:
    """Read pieces of text, reasoning or something else, one per letter."""
    one = UUID(int=1)
    turn = LiveTurn(1, one, one, 1, None, "model", None, 0, True)
    entries: dict[str, Entry | str] = {"t": "a", "r": Entry(reasoning="b" * 100), "e": Entry()}

    def work() -> None:
        turn.entries = [entries[letter] for letter in text]
        batches.drain(turn)

    return work


def _found(text: str) -> Work:
    """Search a text for its own end."""
    sought = _split(text[-2000:])
    return lambda: (words(text), _expression(sought), excerpt(text, sought), mark(text, sought))


def _asked(text: str) -> Work:
    """Search a text for a long query that it nearly contains."""
    sought = _split(f"{text[:900]}z {text[:900]}q")
    return lambda: (excerpt(text, sought), _split(text))


def _read(data: bytes) -> None:
    for found in reading.read(io.BytesIO(data)):
        assert found.fault or found.is_empty or found.conversation


def _file(text: str) -> Work:
    return partial(_read, text.encode())


def _translated(text: str) -> None:
    links = {"turn0search1": ("a", "http://a.example/")}
    translate(text, References(links=links, citations=[(None, "a")] * (len(text) // 10)))


TARGETS: dict[str, Target] = {
    "the arguments of a call": Target(JSON, _arguments),
    "the keys of a call's arguments": Target(('"k#":1,', '"k#":"a",', '"a#":[],', '"#":{},'), _object),
    "a call in fragments": Target(FRAGMENTS, _fragments, 2 * 1024 * 1024),
    "a call in one piece": Target((*JSON, "{} ", '{"a":1} ', "1 "), _one_call),
    "a stream, a few bytes at a time": Target(EVENTS, partial(_stream, 16), 1024 * 1024),
    "a stream, much at a time": Target(EVENTS, partial(_stream, 64 * 1024), 1024 * 1024),
    "what a model says, piece by piece": Target((*TAGS, *MARKS, *LETTERS), partial(_said, 3), 128 * 1024),
    "what a model says at once": Target((*TAGS, *MARKS, *LETTERS), partial(_said, 2**30), 1024 * 1024),
    "what a server says of an error": Target((*WORDS, *TAGS, *LETTERS), _refusal),
    "what a server says of its models": Target(
        ('"a#",', '{"id":"a#"},', "[],", "{},"), lambda text: partial(parse_models, f"[{_numbered(text)[:-1]}]".encode()), 1024 * 1024
    ),
    "what the journal has not stored": Target(("t", "r", "e"), _journal, 64 * 1024),
    "a frame": Target(
        JSON, lambda text: partial(parse, f'{{"action":"cancel","x":{_numbered(text)}}}'), MAX_FRAME_BYTES
    ),
    "a title": Target((*TAGS, *MARKS, *LETTERS, "Title: "), lambda text: partial(title_text.extract_title, text)),
    "words, and where they stand": Target((*LETTERS, *MARKS), _found, 1024 * 1024),
    "a long query": Target((*LETTERS, "ab", "b"), _asked, 1024 * 1024),
    "a file to import": Target(FILES, _file, 1024 * 1024, longest=35.0),  # 350,000 broken conversations
    "an archive": Target(SHAPES, lambda text: partial(_read, archive(text)), 16 * 1024),
    "a ChatGPT export": Target(SHAPES, lambda text: partial(_read, export(text)), 16 * 1024),
    "the order of versions": Target(SHAPES, lambda text: partial(places, *tree(text)), 64 * 1024),
    "a text for Markdown": Target((*MARKS, *LETTERS), lambda text: partial(_close_fence, text), 1024 * 1024),
    "the marks of a ChatGPT export": Target(CITED, lambda text: partial(_translated, text)),
    "where a text is code": Target(CODE, lambda text: lambda: CodeMarks().read(text), 1024 * 1024),
}  # fmt: skip


def prepared(target: Target, text: str) -> Work:
    """Do the work. A reader may also refuse its input."""
    refused = (TalosError, ValueError)
    try:
        work = target.work(text)
    except refused:
        return lambda: None

    def answered() -> None:
        with suppress(*refused):
            work()

    return answered
