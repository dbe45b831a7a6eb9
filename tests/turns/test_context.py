"""The history that a model gets: valid, cut between turns, within its context window."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.llm.base import (
    CALL_ID,
    AssistantMessage,
    ModelMessage,
    Opaque,
    ToolMessage,
    ToolRequest,
    UserMessage,
)
from chat.models import Message, OpaquePart
from chat.turns.context import fitting, tokens
from chat.turns.exchanges import Exchange, last, rounds
from tests.turns.rows import call

ROLES = st.lists(st.sampled_from(["user", "assistant"]), max_size=30)


@given(ROLES, st.integers(0, 40))
def test_the_last_n_begin_with_a_user_message(roles: list[str], count: int) -> None:
    messages = [Message(role=role) for role in roles]
    kept = list(last(messages, count))
    assert len(kept) <= count
    assert kept == messages[len(messages) - len(kept) :]
    assert not kept or kept[0].role == "user"
    if count >= len(roles) and "user" in roles:
        assert len(kept) == len(roles) - roles.index("user")


EXCHANGES = st.lists(
    st.lists(st.text(max_size=200), min_size=1, max_size=4).map(
        lambda texts: [UserMessage(texts[0]), *(AssistantMessage(text) for text in texts[1:])]
    ),
    min_size=1,
    max_size=10,
)


@given(EXCHANGES, st.integers(-10, 800))
def test_what_does_not_fit_is_left_out_from_the_beginning_exchange_by_exchange(
    exchanges: list[Exchange], budget: int
) -> None:
    kept = list(fitting(exchanges, budget))
    assert kept
    assert kept == exchanges[-len(kept) :]
    if len(kept) > 1:
        assert sum(map(tokens, kept)) <= budget
    if len(kept) < len(exchanges):
        assert sum(map(tokens, exchanges[-len(kept) - 1 :])) > budget


def test_without_a_known_window_nothing_is_left_out() -> None:
    exchanges: list[Exchange] = [[UserMessage("x" * 10_000)] for _ in range(100)]
    assert fitting(exchanges, None) == exchanges


def test_an_answer_with_tools_is_rebuilt_round_by_round() -> None:
    calls = [
        call("a", round=0, offset=6),
        call("b", round=0, offset=6),
        call("c", round=1, offset=6),
    ]
    parts = list(rounds("First then", calls))
    assert [type(part).__name__ for part in parts] == [
        "AssistantMessage", "ToolMessage", "ToolMessage", "AssistantMessage", "ToolMessage",
        "AssistantMessage",
    ]  # fmt: skip
    assert isinstance(parts[0], AssistantMessage)
    assert parts[0].content == "First "
    assert [request.call_id for request in parts[0].tool_calls] == ["a", "b"]
    assert parts[-1] == AssistantMessage("then")


CALLS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.booleans()), max_size=8)


@given(st.text(max_size=30), CALLS)
def test_every_call_is_followed_by_its_result(text: str, made: list[tuple[int, int, bool]]) -> None:
    """Whatever happened to the calls: a provider refuses a history in which one has no result."""
    ordered = sorted(made, key=lambda item: item[0])
    offset = 0
    calls = []
    for number, (round_, length, has_result) in enumerate(ordered):
        offset = max(offset, min(length, len(text)))
        result = "r" if has_result else ""
        calls.append(call(f"c{number}", round=round_, offset=offset, result=result))
    parts = list(rounds(text, calls))
    assert_valid(parts)
    assert len([part for part in parts if isinstance(part, ToolMessage)]) == len(calls)


def assert_valid(parts: list[ModelMessage]) -> None:
    open_calls: list[str] = []
    for part in parts:
        if isinstance(part, ToolMessage):
            assert part.content
            open_calls.remove(part.call_id)
        else:
            assert not open_calls
            assert isinstance(part, AssistantMessage)
            assert part.content or part.tool_calls
            open_calls = [request.call_id for request in part.tool_calls]
    assert not open_calls


def test_the_text_of_an_answer_is_kept_whole() -> None:
    calls = [call("a", round=0, offset=3), call("b", round=1, offset=7)]
    parts = rounds("one two three", calls)
    assert (
        "".join(part.content for part in parts if isinstance(part, AssistantMessage))
        == "one two three"
    )


# --- what a model said for itself ---------------------------------------------------------------


def part(kind: str, data: str, *, round: int = 0, call_id: str = "") -> OpaquePart:  # noqa: A002
    return OpaquePart(kind=kind, source="here/m", data=data, round=round, call_id=call_id)


def answers(messages: Iterable[ModelMessage]) -> list[AssistantMessage]:
    return [message for message in messages if isinstance(message, AssistantMessage)]


def test_what_a_model_said_for_itself_stands_where_it_said_it() -> None:
    calls = [call("a", round=0, offset=0), call("b", round=1, offset=0)]
    parts = [
        part("reasoning_content", "first"),
        part("reasoning_content", "second", round=1),
        part(CALL_ID, "b:1", round=1, call_id="b"),
        part("reasoning_content", "third", round=2),
    ]
    first, second, end = answers(rounds("42", calls, parts))
    assert first.opaque == (Opaque("reasoning_content", "here/m", "first"),)
    assert second.opaque == (Opaque("reasoning_content", "here/m", "second"),)
    assert second.tool_calls == (ToolRequest("b", "b", "{}", (Opaque(CALL_ID, "here/m", "b:1"),)),)
    assert end == AssistantMessage("42", (), (Opaque("reasoning_content", "here/m", "third"),))


def test_text_that_was_thought_is_not_said_again() -> None:
    thought = [part(OpaquePart.THOUGHT, "4")]
    assert list(rounds("Hm. 42", [], thought)) == [AssistantMessage("42")]
    first, end = answers(rounds("Hm. Let's see. 42", [call("a", round=0, offset=15)], thought))
    assert (first.content, end.content) == ("Let's see. ", "42")
    later = [part(OpaquePart.THOUGHT, "8", round=1)]
    first, end = answers(rounds("See. Hm. 42", [call("a", round=0, offset=5)], later))
    assert (first.content, end.content) == ("See. ", " 42")


@pytest.mark.parametrize("data", ["", "-1", "x", "9" * 5000, "1e3"])
def test_a_place_that_an_import_made_up_is_none(data: str) -> None:
    assert list(rounds("42", [], [part(OpaquePart.THOUGHT, data)])) == [AssistantMessage("42")]


def test_all_of_an_answer_may_have_been_thought() -> None:
    assert list(rounds("Hm.", [], [part(OpaquePart.THOUGHT, "999")])) == []
