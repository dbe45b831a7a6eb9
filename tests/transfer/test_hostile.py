"""Broken and hostile files: refused with a place and a reason, never half imported, never a success."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.transfer.importers import items, kinds
from chat.transfer.importers.items import Item
from chat.transfer.importers.kinds import Kind
from chat.transfer.importers.reading import read
from tests.transfer.samples import (
    faults,
    found,
    line,
    sample,
)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is empty"),
        (b" \r\n\t\n", "it is empty"),
        (b"\xef\xbb\xbf", "it is empty"),
        (b"null", "Not a Talos or ChatGPT export"),
        (b"hello", "Not a Talos or ChatGPT export"),
        (b'"text"', "Not a Talos or ChatGPT export"),
        (b"\x00\x00", "Not a Talos or ChatGPT export"),
        (gzip.compress(line(sample())), "unpack it"),
        (b"PK\x03\x04...", "the ZIP file is damaged"),
        (json.dumps([sample()]).encode("utf-16"), "UTF-16"),
        (b"SQLite format 3\0", "restore"),
        (b"[", "the file ends in the middle"),
        (b"[" + line(sample()), "the file ends in the middle"),
        (b"[" + line(sample())[:-30], "the file ends in the middle"),
        (b'{"conversations":[', "the file ends in the middle"),
        (b'{"conversations":[]', "the file ends in the middle"),
        (b'{"conversations":[' + line(sample()) + b"]", "the file ends in the middle"),
        (line(sample())[:-30], "the file ends in the middle"),
        (b'{"a": {"b": [', "the file ends in the middle"),
        (b"[1, 2, 3]", "something that is not a conversation"),
        (b'["a", "b"]', "something that is not a conversation"),
        (b"[null]", "something that is not a conversation"),
        (b"[]]", "something that is not a conversation"),
        (b"[] x", "something that is not a conversation"),
        (b"[]" + line(sample()), "something that is not a conversation"),
        (b"[" + b" ," * 9000 + b"]", "something that is not a conversation"),
        (b'{"conversations":[1]}', "something that is not a conversation"),
        (b'{"conversations":[]} {}', "something that is not a conversation"),
        (b"[[]]", "object"),
        (b"{}", "neither a Talos nor a ChatGPT conversation"),
        (b"{]", "it is not JSON"),
        (b'{"conversations": 5}', "neither a Talos nor a ChatGPT conversation"),
    ],
)
def test_a_file_that_is_not_an_archive_is_recognised(data: bytes, words: str) -> None:
    assert any(words in fault for fault in faults(data)), faults(data)
    assert not any(
        one.conversation for one in found(data) if "middle" not in words and "[]" not in str(data)
    )


@pytest.mark.parametrize(
    "head",
    [
        b'"format":"talos-history","version":99,',
        b'"format":"other","version":1,',
        b'"format":"talos-history","version":3,',
        b'"format":"talos-history","version":1,"more":1,',
        b'"version":"1",',
    ],
)
@pytest.mark.parametrize("content", [b"", line(sample())])
def test_a_document_that_declares_another_format_is_not_read(head: bytes, content: bytes) -> None:
    data = b"{" + head + b'"conversations":[' + content + b"]}"
    assert len(faults(data)) == 1
    assert "declares a format or version" in faults(data)[0]
    assert not any(one.conversation for one in found(data))


def test_an_empty_archive_is_valid() -> None:
    for data in (
        b"[]",
        b" [ ] ",
        b'{"format":"talos-history","version":1,"conversations":[\n\n]}\n',
        b'{"format":"talos-history","version":2,"conversations":[\n\n]}\n',
    ):
        assert found(data) == []


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_where_chunks_are_cut_makes_no_difference(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "CHUNK_BYTES", size)
    odd = sample("title", 'a"]}\\"{[ü\\\\')
    documents = (
        json.dumps([odd, sample()], ensure_ascii=False),
        json.dumps([odd, sample()], indent=2),
    )
    for document in (
        *documents,
        f'{{"conversations": {documents[0]}}}',
        documents[1].strip("[]").replace("},\n  {", "}\n  {"),
    ):
        titles = [one.conversation and one.conversation.title for one in found(document.encode())]
        assert titles == ['a"]}\\"{[ü\\\\', "Ants"], document


def test_lines_are_counted_wherever_a_conversation_begins() -> None:
    broken = {"x": 1}
    laid_out = json.dumps([broken, broken, broken], indent=1)
    assert [one.line for one in found(laid_out.encode())] == [2, 5, 8]
    assert [one.line for one in found(b'{"x":1}\n\n\n{"x":1}\r\n{"x":1}')] == [1, 4, 5]
    assert [one.line for one in found(b'\n\n{"conversations":\n[\n{"x":\n1},{}]}')] == [5, 6]


def test_a_piece_that_is_too_long_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "MAX_BYTES", 3000)
    monkeypatch.setattr(items, "CHUNK_BYTES", 500)
    long = line(sample("title", "x" * 4000))
    for data in (
        line(sample()) + long + line(sample()) + long.strip(),
        b"[" + b",".join([line(sample()), long, line(sample()), long]) + b"]",
    ):
        assert ["longer than" in one.fault for one in found(data)] == [False, True, False, True]


class Endless(io.RawIOBase):
    """A line that is never held in memory."""

    def __init__(self, begin: bytes, size: int = 2**26) -> None:
        self.begin, self.left = begin, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.begin or b"x" * min(len(buffer), self.left)
        self.begin = b""
        self.left -= len(data)
        buffer[: len(data)] = data
        return len(data)


@pytest.mark.parametrize("begin", [b'{"title":"', b'[{"title":"'])
def test_a_line_of_any_length_takes_bounded_memory(
    begin: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "MAX_BYTES", 4 * 2**20)
    tracemalloc.start()
    try:
        file = io.BufferedReader(Endless(begin), 2**20)
        (only,) = read(file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert only.fault
    assert peak < 24 * 2**20


@pytest.mark.parametrize("kind", ["auto", "jsonl", "json", "chatgpt"])
@pytest.mark.parametrize("depth", [1000, 100_000])
def test_deep_nesting_is_a_fault_like_any_other(kind: Kind, depth: int) -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        deep = opening * depth + "1" + closing * depth
        for data in (
            f'{{"mapping": {deep}}}',
            f"[{deep}]",
            f'[{{"mapping": {{"a": {{"message": {deep}}}}}}}]',
        ):
            assert faults(data.encode(), kind)


@settings(suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=60) | st.lists(st.sampled_from(["{", "}", "[", "]", '"', "\\", ",", ":", "1", "\n", '"a"', '"conversations":[', "é"])).map("".join).map(str.encode))  # fmt: skip
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    for kind in ("auto", "jsonl", "json", "chatgpt"):
        for one in read(io.BytesIO(data), kind):
            assert one.conversation is None
            assert len(one.fault) < 600


def test_a_given_kind_applies_to_unrecognised_pieces() -> None:
    for kind in ("jsonl", "json", "chatgpt"):
        assert [one.conversation is not None for one in found(line(sample()), kind)] == [True]
    assert "mapping" in faults(b'{"a":1}', "chatgpt")[0]
    assert "neither" in faults(b'{"a":1}', "auto")[0]
    assert isinstance(next(kinds.split(io.BytesIO(b"{}"), "auto")), Item)
