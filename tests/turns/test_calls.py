"""Promise 4: a call that is approved at any moment is run."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from chat import services
from chat.access.owner import local_owner
from chat.display.cards import STATES
from chat.models import ToolCall, Turn
from chat.turns import calls, transitions
from chat.turns.journal import Journal

pytestmark = [pytest.mark.django_db, pytest.mark.promise(5)]


def test_a_decision_after_the_last_read_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = local_owner()
    said = services.say(owner, conversation_id=uuid4(), text="Go", default_model="x", begins=True)
    turn = transitions.take_next(said.conversation_id)
    assert turn is not None
    turn.has_calls = True
    call = ToolCall.objects.create(
        message_id=turn.message_id,
        call_id="call_1",
        round=0,
        offset=0,
        name="write_file",
        arguments='{"path": "a", "content": "b"}',
        status=ToolCall.Status.PENDING,
    )
    seen = calls._unanswered(turn)
    services.decide(
        owner, said.conversation_id, call.call_id, approved=True, by=owner,
        where=ToolCall.DecidedFrom.PAGE,
    )  # fmt: skip

    async def read_stale(*_: object) -> list[ToolCall]:
        return seen

    monkeypatch.setattr(calls, "read", read_stale)
    nothing = Journal(on_told=print, on_cancelled=print, on_lost=print)
    is_answered = asyncio.run(calls.answer_open(turn, nothing))
    assert is_answered is False, "the model would be told that the call was never run"
    transitions.wait(turn)
    assert Turn.objects.get().status == Turn.Status.QUEUED, "the call would wait for nobody"


def test_the_page_has_a_word_for_each_state_of_a_call() -> None:
    assert set(STATES) == set(ToolCall.Status.values)
