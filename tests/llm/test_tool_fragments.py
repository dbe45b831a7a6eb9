"""Fragments of tool calls are joined, in all the variants that servers send."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest

from chat.errors import ModelError
from chat.llm.stream.fragments import MAX_CALLS, ToolFragments
from chat.llm.stream.tool_call import NAMELESS


def fragment(
    arguments: object = "",
    *,
    name: str | None = None,
    call_id: str | None = None,
    index: object = None,
) -> dict[str, Any]:
    made: dict[str, Any] = {"function": {"arguments": arguments}}
    if name is not None:
        made["function"]["name"] = name
    if call_id is not None:
        made["id"] = call_id
    if index is not None:
        made["index"] = index
    return made


def calls_of(*deltas: object) -> list[tuple[str, str, str]]:
    tools = ToolFragments()
    for delta in deltas:
        tools.add(delta if isinstance(delta, list) else [delta])
    return [(request.call_id, request.name, request.arguments) for request in tools.requests()]


def test_the_protocols_own_way() -> None:
    assert calls_of(
        fragment("", name="f", call_id="a", index=0),
        fragment('{"x"', index=0),
        fragment(":1}", index=0),
    ) == [("a", "f", '{"x":1}')]


def test_interleaved_calls() -> None:
    assert calls_of(
        [fragment(name="f", call_id="a", index=0), fragment(name="g", call_id="b", index=1)],
        fragment("{1", index=0),
        fragment("{2", index=1),
        fragment("}", index=0),
        fragment("}", index=1),
    ) == [("a", "f", "{1}"), ("b", "g", "{2}")]


def test_interleaved_calls_identified_only_by_their_ids() -> None:
    assert calls_of(
        fragment("{1", name="f", call_id="a"),
        fragment("{2", name="g", call_id="b"),
        fragment("}", call_id="a"),
        fragment("}", call_id="b"),
    ) == [("a", "f", "{1}"), ("b", "g", "{2}")]


def test_id_and_name_may_come_late() -> None:
    assert calls_of(
        fragment("{", index=0), fragment("}", index=0, name="f"), fragment(index=0, call_id="a")
    ) == [("a", "f", "{}")]


def test_id_and_name_may_be_repeated() -> None:
    same = {"name": "f", "call_id": "a", "index": 0}
    assert calls_of(*(fragment(piece, **same) for piece in ("{", '"x":', "1}"))) == [  # type: ignore[arg-type]
        ("a", "f", '{"x":1}')
    ]


def test_a_name_may_come_in_pieces() -> None:
    assert calls_of(
        fragment(name="get_", call_id="a", index=0), fragment(name="time", index=0)
    ) == [("a", "get_time", "{}")]


def test_whole_calls_under_one_index() -> None:
    assert calls_of(
        fragment("{}", name="f", call_id="a", index=0),
        fragment("{}", name="f", call_id="b", index=0),
    ) == [("a", "f", "{}"), ("b", "f", "{}")]


def test_whole_calls_without_index() -> None:
    assert calls_of(
        fragment("{1}", name="f", call_id="a"),
        fragment("{", name="g", call_id="b"),
        fragment("2}"),
    ) == [("a", "f", "{1}"), ("b", "g", "{2}")]


def test_whole_calls_with_neither_index_nor_id() -> None:
    twins = [fragment("{}", name="f"), fragment("{}", name="f")]
    ids = [call[0] for call in calls_of(twins, fragment("{}", name="f"))]
    assert len(set(ids)) == 3
    assert all(ids)


def test_two_calls_with_one_id_get_two_ids() -> None:
    first, second = calls_of(
        fragment(name="f", call_id="a", index=0), fragment(name="g", call_id="a", index=1)
    )
    assert first[0] == "a"
    assert second[0] != "a"


def test_arguments_may_be_an_object_or_missing() -> None:
    assert calls_of(
        fragment({"x": 1}, name="f", call_id="a", index=0),
        {"index": 1, "id": "b", "function": {"name": "g"}},
        fragment(None, name="h", call_id="c", index=2),
    ) == [("a", "f", '{"x":1}'), ("b", "g", "{}"), ("c", "h", "{}")]


def test_nonsense_is_ignored() -> None:
    assert calls_of("x", [None, 1, []]) == []
    assert calls_of([{"function": 5}, {"id": "a", "index": 1}]) == []


def test_a_call_without_a_name_is_left_to_the_model() -> None:
    assert calls_of(fragment('{"x":1}', call_id="a", index=0)) == [("a", NAMELESS, '{"x":1}')]


def test_text_becomes_storable() -> None:
    assert calls_of(
        fragment('"\ud83d', name="f\x00", call_id="a\ud83d", index=0), fragment('\ude00"', index=0)
    ) == [("a\ufffd", "f\ufffd", '"😀"')]


def test_calls_have_limits() -> None:
    with pytest.raises(ModelError, match="larger"):
        calls_of(*(fragment(name="f", index=n) for n in range(MAX_CALLS + 1)))
    with pytest.raises(ModelError, match="larger"):
        calls_of(*(fragment("x" * 100_000, name="f", index=0) for _ in range(3)))


@pytest.mark.parametrize(
    "pieces",
    [
        ["{}", '{"x":1}'],
        ["{}", '{"x"', ":1}"],
        ["null", '{"x":1}'],
        ['{"x":1}', '{"x":1}'],
        ['{"x":1}', "{}"],
        ['{"x"', ":1}", '{"x":1}'],
        ['"{\\"x\\"', ':1}"'],
        [{"x": 1}],
        [{}, {"x": 1}],
    ],
)
def test_arguments_in_odd_wrappings(pieces: list[object]) -> None:
    first = fragment(pieces[0], name="f", call_id="a", index=0)
    rest = [fragment(piece, index=0) for piece in pieces[1:]]
    assert calls_of(first, *rest) == [("a", "f", '{"x":1}')]


@pytest.mark.parametrize("nothing", ["null", "{}", " ", '""', "[]", "{}{}", None, {}, '"{}"'])
def test_no_arguments_are_an_empty_object(nothing: object) -> None:
    assert calls_of(fragment(nothing, name="f", call_id="a", index=0)) == [("a", "f", "{}")]


@pytest.mark.parametrize("text", ['{"x": ', '{"x":1}{"x":2}', "x", "5", '["a"]', '"a"', "[" * 9999])
def test_anything_but_an_object_stays_as_it_is(text: str) -> None:
    assert calls_of(fragment(text, name="f", call_id="a", index=0)) == [("a", "f", text)]


def test_large_integers_stay_exact() -> None:
    said = calls_of(fragment({"n": 10**30}, name="f", call_id="a", index=0))
    assert said == [("a", "f", f'{{"n":{10**30}}}')]


@pytest.mark.parametrize("index", [None, 0, "0"])
@pytest.mark.parametrize("name", [None, ""])
def test_an_id_may_change_before_the_name_arrives(index: object, name: str | None) -> None:
    assert calls_of(
        fragment("", name="f", call_id="a", index=index),
        fragment('{"x"', name=name, call_id="b", index=index),
        fragment(":1}", name=name, call_id="c", index=index),
    ) == [("a", "f", '{"x":1}')]


def test_an_id_may_change_in_the_middle_of_arguments() -> None:
    assert calls_of(
        fragment('{"x"', name="f", call_id="a", index=0),
        fragment(":1}", name="f", call_id="b", index=0),
        fragment("{}", name="f", call_id="c", index=0),
    ) == [("a", "f", '{"x":1}'), ("c", "f", "{}")]


def test_later_fragments_may_have_an_empty_name_and_id() -> None:
    assert calls_of(
        fragment("", name="f", call_id="a", index=0),
        fragment('{"x":1}', name="", call_id="", index=0),
    ) == [("a", "f", '{"x":1}')]


def test_name_and_arguments_may_be_in_the_call_itself() -> None:
    assert calls_of({"id": "a", "name": "f", "arguments": '{"x":1}'}) == [("a", "f", '{"x":1}')]


SIGNED = {"google": {"thought_signature": "c2ln"}}


@pytest.mark.parametrize(
    ("of_call", "of_delta"),
    [
        ({"extra_content": SIGNED}, {}),
        ({"thought_signature": "c2ln"}, {}),
        ({"provider_specific_fields": {"thought_signature": "c2ln"}}, {}),
        ({}, {"extra_content": SIGNED}),
    ],
)
def test_extra_content_belongs_to_its_call(
    of_call: dict[str, Any], of_delta: dict[str, Any]
) -> None:
    tools = ToolFragments()
    signed = {**fragment("{}", name="f", call_id="a", index=0), **of_call}
    plain = fragment("{}", name="g", call_id="b", index=1)
    tools.add_delta({"tool_calls": [signed, plain], **of_delta})
    first, second = tools.requests("host/model")
    (extra,) = first.opaque
    assert (extra.kind, extra.source, orjson.loads(extra.data)) == (
        "extra_content",
        "host/model",
        SIGNED,
    )
    assert second.opaque == ()


def test_extra_content_may_come_late_and_in_pieces() -> None:
    tools = ToolFragments()
    tools.add([fragment("{}", name="f", call_id="a", index=0)])
    tools.add([{"index": 0, "extra_content": {"google": {"a": 1}}}])
    tools.add([{"index": 0, "extra_content": SIGNED}])
    (request,) = tools.requests()
    assert orjson.loads(request.opaque[0].data) == {"google": {"a": 1, **SIGNED["google"]}}


def test_extra_content_has_a_limit() -> None:
    tools = ToolFragments()
    with pytest.raises(ModelError, match="larger"):
        for n in range(10):
            tools.add([{"index": 0, "extra_content": {str(n): "x" * 50_000}}])


def test_repeated_names_do_not_cost_more() -> None:
    tools = ToolFragments()
    began = time.process_time()
    tools.add([fragment('{"x":"', name="f", index=0)])
    for _ in range(80_000):
        tools.add([fragment("}", name="f", index=0)])
    assert time.process_time() - began < 5
