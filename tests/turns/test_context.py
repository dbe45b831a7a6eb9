"""The history that a model gets: valid, cut between turns, within its context window."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.access.owner import local_owner
from chat.errors import ContextFull
from chat.llm.base import (
    CALL_ID,
    AssistantMessage,
    ModelMessage,
    Opaque,
    Request,
    StreamEvent,
    ToolMessage,
    ToolRequest,
    UserMessage,
)
from chat.llm.catalogue import windows
from chat.llm.catalogue.models import Resolved
from chat.models import Conversation, Message, ModelPreference, OpaquePart, ToolCall
from chat.turns import context
from chat.turns.context import LEFT_OUT, fitting, tokens
from chat.turns.exchanges import GO_ON, Exchange, last, rounds
from chat.turns.live import LiveTurn
from tests.support.conversations import talk

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


# --- what is asked ------------------------------------------------------------------------------


class Silent:
    """A client that is never used."""

    def source(self, model: str) -> str:
        return f"here/{model}"

    def stream(self, request: Request) -> AsyncGenerator[StreamEvent]:
        raise NotImplementedError


def live(conversation: Conversation, *, context: int | None = None) -> LiveTurn:
    """Make the live turn of a conversation's last answer."""
    assert conversation.leaf_id
    return LiveTurn(
        turn_id=1,
        message_id=conversation.leaf_id,
        conversation_id=conversation.pk,
        owner_id=conversation.owner_id,
        client_id=None,
        model="m",
        context=context,
        seq=0,
        is_first=False,
    )


def resolved(name: str = "m", window: int | None = None) -> Resolved:
    return Resolved(name, Silent(), window)


def said(prepared: context.Prepared) -> list[str]:
    """Return the contents without the system prompt."""
    return [message.content for message in prepared.request.messages[1:]]


@pytest.mark.django_db
def test_parts_are_read_for_the_server_and_model_that_sent_them_alone() -> None:
    conversation = talk(local_owner(), "6*7?", "42", "Sure?", "")
    answer = Message.objects.get(content="42")
    made = call("a", round=0, offset=0)
    made.message, made.status = answer, ToolCall.Status.FINISHED
    made.save()
    for source in ("here/m", "here/other"):
        OpaquePart.objects.create(
            message=answer, round=0, kind="reasoning_content", source=source, data=source
        )
    OpaquePart.objects.create(message=answer, round=1, kind=OpaquePart.THOUGHT, data="1")
    for model in ("m", "other", "third"):
        messages = context.prepare(live(conversation), resolved(model)).request.messages
        parts = [
            each.data for m in messages if isinstance(m, AssistantMessage) for each in m.opaque
        ]
        assert parts == ([] if model == "third" else [f"here/{model}"])
        assert [m.content for m in messages[1:]] == ["6*7?", "", "r", "2", "Sure?"]


def test_parts_count_as_what_they_take() -> None:
    plain, signed = (
        AssistantMessage("", (ToolRequest("a", "a", "{}", parts),), parts)
        for parts in ((), (Opaque("reasoning_content", "here/m", "x" * 3000),))
    )
    assert tokens([signed]) - tokens([plain]) == 2000


@pytest.mark.django_db
def test_a_question_after_an_answer_of_blanks_does_not_go_on_with_it() -> None:
    """The model is asked to continue only if there is something to continue."""
    conversation = talk(local_owner(), "One?", " \n", "Two?", "")
    assert said(context.prepare(live(conversation), resolved())) == ["One?", "Two?"]
    for text, expected in ((" ", ["One?"]), ("Half", ["One?", "Half", GO_ON])):
        conversation = talk(local_owner(), "One?", text)
        conversation.leaf = Message.objects.create(
            conversation=conversation, owner=local_owner(), parent=conversation.leaf,
            role=Message.Role.ASSISTANT,
        )  # fmt: skip
        assert said(context.prepare(live(conversation), resolved())) == expected


@pytest.mark.django_db
def test_an_answer_that_broke_off_after_its_calls_goes_on_from_their_results() -> None:
    conversation = talk(local_owner(), "6*7?", "I'll see. ")
    answer = Message.objects.get(content="I'll see. ")
    made = call("a", round=0, offset=10)
    made.message, made.status = answer, ToolCall.Status.FINISHED
    made.save()
    conversation.leaf = Message.objects.create(
        conversation=conversation, owner=local_owner(), parent=answer, role=Message.Role.ASSISTANT
    )
    messages = context.prepare(live(conversation), resolved()).request.messages
    assert [type(message).__name__ for message in messages[1:]] == [
        "UserMessage", "AssistantMessage", "ToolMessage",
    ]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("whose", ["the conversation's", "the model's", "another model's"])
def test_tools_are_offered_where_nobody_chose_otherwise(whose: str) -> None:
    conversation = talk(local_owner(), "Hi", "")
    assert context.prepare(live(conversation), resolved()).request.tools
    if whose == "the conversation's":
        Conversation.objects.update(offers_tools=False)
    else:
        name = "m" if whose == "the model's" else "n"
        ModelPreference.objects.create(owner=local_owner(), model=name, offers_tools=False)
    offered = context.prepare(live(conversation), resolved()).request.tools
    assert bool(offered) == (whose == "another model's")
    assert not context.prepare(
        live(conversation), Resolved("m", Silent(), None, False)
    ).request.tools


LONG = ["a" * 3000, "b" * 3000, "c" * 3000, "d" * 3000, "e" * 3000, ""]


@pytest.mark.django_db
def test_what_does_not_fit_is_left_out_and_said_once() -> None:
    turn = live(talk(local_owner(), *LONG))
    for _ in range(2):
        asked = context.prepare(turn, resolved(window=4300))
        assert [text[0] for text in said(asked)] == ["c", "d", "e"]
    assert turn.note == LEFT_OUT
    turn = live(talk(local_owner(), *LONG))
    turn.remarks = [f"{LEFT_OUT} And more."]  # as stored while the turn waited
    context.prepare(turn, resolved(window=4300))
    assert turn.note == f"{LEFT_OUT} And more."


@pytest.mark.django_db
def test_what_a_person_left_out_is_not_said_to_be_too_long() -> None:
    turn = live(talk(local_owner(), *LONG), context=2)
    assert [text[0] for text in said(context.prepare(turn, resolved()))] == ["c", "d", "e"]
    assert turn.note == ""


@pytest.mark.django_db
@pytest.mark.parametrize(("window", "counted"), [(None, None), (3000, None), (4000, 9000)])
def test_what_a_server_finds_too_long_is_asked_with_less_until_one_question_is_left(
    window: int | None, counted: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "_learned", {})
    turn, model = live(talk(local_owner(), *LONG)), resolved(window=100_000)
    problem = ContextFull("Too long.", window=window, asked=counted)
    counts = []
    with pytest.raises(ContextFull):
        while True:
            asked = context.prepare(turn, model)
            counts.append(asked.exchanges)
            assert said(asked)[-1][0] == "e"
            context.learn(turn, model, problem)
            turn.budget = context.shrink(asked, problem)
    assert counts[0] == 3
    assert counts[-1] == 1
    assert counts == sorted(set(counts), reverse=True)
    assert turn.note == LEFT_OUT
    assert turn.context_window == (window or 100_000)
    later = context.prepare(live(talk(local_owner(), *LONG)), model)
    assert (later.exchanges < 3) == (window is not None)
