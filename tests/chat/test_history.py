"""What the model is given: valid, cut at turn borders, within its context window."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chat.llm.base import AssistantMessage, ModelMessage, ToolMessage, UserMessage
from chat.models import Message, ToolCall
from chat.turns.history import Exchange, fitting, last, rounds, tokens

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


def call(name: str, *, round: int, offset: int, result: str = "r") -> ToolCall:  # noqa: A002
    return ToolCall(
        call_id=name, name=name, round=round, offset=offset, arguments="{}", result=result
    )


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
    """Whatever became of the calls: a provider refuses a history in which one has no result."""
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
