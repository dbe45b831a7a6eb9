"""Event streams are read alike however their bytes are split, and have limits."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.errors import ModelError
from chat.llm.stream.sse import MAX_EVENT, EventStream

INTEGERS = st.integers(-(2**63), 2**64 - 1)
"""Integers that are read exactly; larger ones become floats, which no field of a stream needs."""
OBJECTS = st.dictionaries(st.text(max_size=5), st.text(max_size=20) | INTEGERS, max_size=3)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def read(*parts: bytes) -> list[dict[str, Any]]:
    stream = EventStream()
    events = [event for part in parts for event in stream.feed(part)]
    return events + list(stream.end())


def torn(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in itertools.pairwise(edges)]


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[dict[str, Any]]]:
    """A stream's bytes in one of the allowed forms, and its events."""
    objects = draw(st.lists(OBJECTS, max_size=5))
    end = draw(ENDS)
    text = draw(st.sampled_from(["", "\ufeff"]))
    for value in objects:
        if draw(st.booleans()):
            text += f": keep-alive{end}"
        lines = json.dumps(
            value, ensure_ascii=draw(st.booleans()), indent=draw(st.none() | st.just(1))
        )
        for line in lines.split("\n"):
            text += draw(st.sampled_from(["data: ", "data:"])) + line + end
        text += end * draw(st.integers(1, 3))
    return text.encode(), objects


@given(streams(), st.lists(st.integers(0, 5000), max_size=20))
def test_any_split_gives_the_same_events(
    stream: tuple[bytes, list[dict[str, Any]]], cuts: list[int]
) -> None:
    data, objects = stream
    assert read(data) == objects
    assert read(*torn(data, cuts)) == objects
    assert read(*(data[at : at + 1] for at in range(len(data)))) == objects


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=10))
def test_any_bytes_at_all_give_events_or_a_model_error(data: bytes, cuts: list[int]) -> None:
    def outcome(parts: list[bytes]) -> list[dict[str, Any]] | str:
        try:
            return read(*parts)
        except ModelError as error:
            return error.message

    assert outcome([b"data:" + data]) == outcome(torn(b"data:" + data, cuts))


def test_done_ends_the_stream() -> None:
    stream = EventStream()
    assert list(stream.feed(b'data: {"a":1}\n\ndata: [DONE]\n\ndata: {"b":2}\n\n')) == [{"a": 1}]
    assert stream.done


def test_other_fields_and_empty_events_are_ignored() -> None:
    assert read(b"event: x\nid: 1\nretry: 5\n\ndata\ndata:\n\ndata: {}\n\n") == [{}]


def test_the_last_blank_line_may_be_missing() -> None:
    assert read(b'data: {"a":1}') == [{"a": 1}]
    assert read(b'data: {"a":') == []


def test_events_before_a_malformed_one_are_yielded() -> None:
    events = EventStream().feed(b'data: {"a":1}\n\ndata: nonsense\n\n')
    assert next(events) == {"a": 1}
    with pytest.raises(ModelError):
        next(events)


@pytest.mark.parametrize("payload", [b"[1]", b"1", b"null", b'"x"', b"{", b"[" * 100_000])
def test_only_objects_are_events(payload: bytes) -> None:
    with pytest.raises(ModelError):
        read(b"data: " + payload + b"\n\n")


def test_lone_surrogates_and_bad_utf8_are_read() -> None:
    assert read(b'data: {"a":"\\ud83d"}\n\n') == [{"a": "\ud83d"}]
    assert read(b'data: {"a":"\xff"}\n\n') == [{"a": "\ufffd"}]


@pytest.mark.parametrize("start", [b"data: ", b": "])
def test_a_line_has_a_limit(start: bytes) -> None:
    block = b"x" * 16_384
    with pytest.raises(ModelError, match="larger"):
        read(start, *[block] * (MAX_EVENT // len(block) + 1))


def test_an_event_of_many_lines_has_a_limit() -> None:
    with pytest.raises(ModelError, match="larger"):
        read(*[b"data: " + b"x" * 10_000 + b"\n"] * 300)


def test_four_times_as_many_lines_cost_about_four_times_as_much() -> None:
    """If each line copied those before it, the cost would be sixteenfold."""

    def cost(lines: int) -> float:
        began = time.process_time()
        with pytest.raises(ModelError):
            read(b"data:x\n" * lines + b"\n")
        return time.process_time() - began

    assert cost(320_000) < 9 * min(cost(80_000) for _ in range(3))


def test_an_event_of_many_lines_does_not_leak_into_the_next() -> None:
    assert read(b'data: {"a":\ndata: 1}\n\ndata: {"b":2}\n\ndata: {\ndata:}\n\n') == [
        {"a": 1},
        {"b": 2},
        {},
    ]


def test_any_amount_after_done_is_ignored() -> None:
    stream = EventStream()
    assert not [*stream.feed(b"data: [DONE]\n\n")]
    for _ in range(5):
        assert not [*stream.feed(b"data: " + b"x" * (MAX_EVENT // 3) + b"\ndata:\n\n")]


def test_an_event_may_follow_without_an_empty_line() -> None:
    assert read(b'data: {"a":1}\ndata:{"b":2}\nevent: x\ndata: {"c":3}\ndata: [DONE]\n') == [
        {"a": 1},
        {"b": 2},
        {"c": 3},
    ]
    assert read(b'data: {"a":\ndata: {"b":2}}\n\n') == [{"a": {"b": 2}}]


def test_done_needs_no_empty_line_before_it() -> None:
    stream = EventStream()
    assert list(stream.feed(b'data: {"a":1}\ndata: [DONE]\n\n')) == [{"a": 1}]
    assert stream.done


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b'{"error": {"code": 5}}', {"code": 5}),
        (b'{"message": "x"}', {"message": "x"}),
        (b'"x"', "x"),
        (b"it broke", "it broke"),
        (b"{torn", "{torn"),
    ],
)
def test_an_event_named_error_is_an_error(data: bytes, error: object) -> None:
    said = read(b"event: error\ndata: " + data + b'\n\ndata: {"a":1}\n\n')
    assert said == [{"error": error}, {"a": 1}]


def test_bare_json_in_the_stream_is_read() -> None:
    assert read(b'data: {"a":1}\n\n{"error": "x"}\n{"torn\n') == [{"a": 1}, {"error": "x"}]


@pytest.mark.parametrize("space", ["", " "])
def test_integers_in_arguments_stay_exact(space: str) -> None:
    data = f'{{"arguments":{space}{{"n":{10**30 + 1}}}}}'
    assert read(f"data: {data}\n\n".encode()) == [{"arguments": {"n": 10**30 + 1}}]
