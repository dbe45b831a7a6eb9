"""Promise 4: a call that is approved at any moment is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from chat import access, services
from chat.models import ToolCall
from chat.turns import calls, rows
from chat.turns.journal import Journal

pytestmark = [pytest.mark.django_db, pytest.mark.promise(5)]


def test_a_decision_between_two_looks_is_not_overlooked(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = access.local_owner()
    said = services.say(owner, conversation_id=uuid4(), text="Go", default_model="x", begins=True)
    turn = rows.take_next(said.conversation_id)
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
    looks = 0

    async def look_then_decide(look: Callable[..., Any], *args: object) -> Any:
        nonlocal looks
        found = look(*args)
        looks += 1
        if looks == 1:
            services.decide(
                owner, said.conversation_id, call.call_id, approved=True, by=owner,
                where=ToolCall.DecidedFrom.PAGE,
            )  # fmt: skip
        return found

    monkeypatch.setattr(calls, "read", look_then_decide)
    nothing = Journal(on_told=print, on_cancelled=print, on_lost=print)
    answering = calls.answer_open(turn, nothing)
    with pytest.raises(StopIteration) as over:  # without an event loop: nothing in it waits
        answering.send(None)
    assert over.value.value is False, "the model would be told that the call was never run"
    call.refresh_from_db()
    assert call.status == ToolCall.Status.APPROVED
