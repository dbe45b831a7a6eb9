from __future__ import annotations

from typing import Any

import pytest

from chat.errors import ModelError
from chat.llm.tool_fragments import MAX_CALLS, ToolFragments


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
    with pytest.raises(ModelError):
        joined([{"function": 5}])


def test_text_is_made_fit_to_store() -> None:
    assert joined(
        fragment('"\ud83d', name="f\x00", call_id="a\ud83d", index=0), fragment('\ude00"', index=0)
    ) == [("a\ufffd", "f\ufffd", '"😀"')]


def test_there_is_an_end_to_it() -> None:
    with pytest.raises(ModelError, match="larger"):
        joined(*(fragment(name="f", index=n) for n in range(MAX_CALLS + 1)))
    with pytest.raises(ModelError, match="larger"):
        joined(*(fragment("x" * 100_000, name="f", index=0) for _ in range(3)))
