"""The request to a model: its history, its tools, and how much is left out."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from chat.access.owner import local_owner
from chat.errors import ContextFull
from chat.llm.base import AssistantMessage, Opaque, Request, StreamEvent, ToolRequest
from chat.llm.catalogue import windows
from chat.llm.catalogue.models import Resolved
from chat.models import Conversation, Message, ModelPreference, OpaquePart, ToolCall
from chat.turns import context
from chat.turns.context import LEFT_OUT, tokens
from chat.turns.exchanges import GO_ON
from chat.turns.live import LiveTurn
from tests.support.conversations import talk
from tests.turns.rows import call


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
