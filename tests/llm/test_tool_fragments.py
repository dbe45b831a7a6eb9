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


def joined(*deltas: object) -> list[tuple[str, str, str]]:
    tools = ToolFragments()
    for delta in deltas:
        tools.add(delta if isinstance(delta, list) else [delta])
    return [(request.call_id, request.name, request.arguments) for request in tools.requests()]


def test_the_protocols_own_way() -> None:
    assert joined(
        fragment("", name="f", call_id="a", index=0),
        fragment('{"x"', index=0),
        fragment(":1}", index=0),
    ) == [("a", "f", '{"x":1}')]


def test_interleaved_calls() -> None:
    assert joined(
        [fragment(name="f", call_id="a", index=0), fragment(name="g", call_id="b", index=1)],
        fragment("{1", index=0),
        fragment("{2", index=1),
        fragment("}", index=0),
        fragment("}", index=1),
    ) == [("a", "f", "{1}"), ("b", "g", "{2}")]


def test_interleaved_calls_known_by_their_ids_only() -> None:
    assert joined(
        fragment("{1", name="f", call_id="a"),
        fragment("{2", name="g", call_id="b"),
        fragment("}", call_id="a"),
        fragment("}", call_id="b"),
    ) == [("a", "f", "{1}"), ("b", "g", "{2}")]


def test_id_and_name_may_come_late() -> None:
    assert joined(
        fragment("{", index=0), fragment("}", index=0, name="f"), fragment(index=0, call_id="a")
    ) == [("a", "f", "{}")]


def test_id_and_name_may_be_repeated() -> None:
    same = {"name": "f", "call_id": "a", "index": 0}
    assert joined(*(fragment(piece, **same) for piece in ("{", '"x":', "1}"))) == [  # type: ignore[arg-type]
        ("a", "f", '{"x":1}')
    ]


def test_a_name_may_come_in_pieces() -> None:
    assert joined(fragment(name="get_", call_id="a", index=0), fragment(name="time", index=0)) == [
        ("a", "get_time", "{}")
    ]


def test_whole_calls_under_one_index() -> None:
    assert joined(
        fragment("{}", name="f", call_id="a", index=0),
        fragment("{}", name="f", call_id="b", index=0),
    ) == [("a", "f", "{}"), ("b", "f", "{}")]


def test_whole_calls_without_index() -> None:
    assert joined(
        fragment("{1}", name="f", call_id="a"),
        fragment("{", name="g", call_id="b"),
        fragment("2}"),
    ) == [("a", "f", "{1}"), ("b", "g", "{2}")]


def test_whole_calls_with_neither_index_nor_id() -> None:
    twins = [fragment("{}", name="f"), fragment("{}", name="f")]
    ids = [call[0] for call in joined(twins, fragment("{}", name="f"))]
    assert len(set(ids)) == 3
    assert all(ids)


def test_one_id_for_two_calls_is_made_two() -> None:
    first, second = joined(
        fragment(name="f", call_id="a", index=0), fragment(name="g", call_id="a", index=1)
    )
    assert first[0] == "a"
    assert second[0] != "a"


def test_arguments_may_be_an_object_or_missing() -> None:
    assert joined(
        fragment({"x": 1}, name="f", call_id="a", index=0),
        {"index": 1, "id": "b", "function": {"name": "g"}},
        fragment(None, name="h", call_id="c", index=2),
    ) == [("a", "f", '{"x":1}'), ("b", "g", "{}"), ("c", "h", "{}")]


def test_nonsense_is_passed_over() -> None:
    assert joined("x", [None, 1, []]) == []
    assert joined([{"function": 5}, {"id": "a", "index": 1}]) == []


def test_a_call_without_a_name_is_for_the_model_to_mend() -> None:
    assert joined(fragment('{"x":1}', call_id="a", index=0)) == [("a", NAMELESS, '{"x":1}')]


def test_text_is_made_fit_to_store() -> None:
    assert joined(
        fragment('"\ud83d', name="f\x00", call_id="a\ud83d", index=0), fragment('\ude00"', index=0)
    ) == [("a\ufffd", "f\ufffd", '"😀"')]


def test_there_is_an_end_to_it() -> None:
    with pytest.raises(ModelError, match="larger"):
        joined(*(fragment(name="f", index=n) for n in range(MAX_CALLS + 1)))
    with pytest.raises(ModelError, match="larger"):
        joined(*(fragment("x" * 100_000, name="f", index=0) for _ in range(3)))


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
    assert joined(first, *rest) == [("a", "f", '{"x":1}')]


@pytest.mark.parametrize("nothing", ["null", "{}", " ", '""', "[]", "{}{}", None, {}, '"{}"'])
def test_no_arguments_are_an_empty_object(nothing: object) -> None:
    assert joined(fragment(nothing, name="f", call_id="a", index=0)) == [("a", "f", "{}")]


@pytest.mark.parametrize("text", ['{"x": ', '{"x":1}{"x":2}', "x", "5", '["a"]', '"a"', "[" * 9999])
def test_what_is_no_object_stays_as_it_is(text: str) -> None:
    assert joined(fragment(text, name="f", call_id="a", index=0)) == [("a", "f", text)]


def test_large_integers_stay_exact() -> None:
    said = joined(fragment({"n": 10**30}, name="f", call_id="a", index=0))
    assert said == [("a", "f", f'{{"n":{10**30}}}')]


@pytest.mark.parametrize("index", [None, 0, "0"])
@pytest.mark.parametrize("name", [None, ""])
def test_an_id_may_change_while_the_name_is_away(index: object, name: str | None) -> None:
    assert joined(
        fragment("", name="f", call_id="a", index=index),
        fragment('{"x"', name=name, call_id="b", index=index),
        fragment(":1}", name=name, call_id="c", index=index),
    ) == [("a", "f", '{"x":1}')]


def test_an_id_may_change_in_the_middle_of_arguments() -> None:
    assert joined(
        fragment('{"x"', name="f", call_id="a", index=0),
        fragment(":1}", name="f", call_id="b", index=0),
        fragment("{}", name="f", call_id="c", index=0),
    ) == [("a", "f", '{"x":1}'), ("c", "f", "{}")]


def test_later_fragments_may_have_an_empty_name_and_id() -> None:
    assert joined(
        fragment("", name="f", call_id="a", index=0),
        fragment('{"x":1}', name="", call_id="", index=0),
    ) == [("a", "f", '{"x":1}')]


def test_names_and_arguments_may_stand_in_the_call_itself() -> None:
    assert joined({"id": "a", "name": "f", "arguments": '{"x":1}'}) == [("a", "f", '{"x":1}')]


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


def test_names_in_every_fragment_cost_no_more() -> None:
    tools = ToolFragments()
    began = time.process_time()
    tools.add([fragment('{"x":"', name="f", index=0)])
    for _ in range(80_000):
        tools.add([fragment("}", name="f", index=0)])
    assert time.process_time() - began < 5
