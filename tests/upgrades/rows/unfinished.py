"""The work of a killed server: a conversation for each state in which a turn may be left."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User

from chat.models import ToolCall, Turn
from tests.upgrades.rows.talk import Talk

QUEUED, RUNNING, WAITING = Turn.UNFINISHED
"""Of the live answer."""


def make(owner: User) -> None:
    _seen(owner)
    _unseen(owner)
    _being_stopped(owner)
    _with_a_running_call(owner, "running-call", "write_file", '{"path": "n.md", "content": "x"}')
    _with_a_running_call(owner, "running-sum", "calculate", '{"expression": "6 * 7"}')
    _waiting(owner)
    _decided(owner)
    _not_begun(owner)


def _running(talk: Talk, **turn: object) -> Turn:
    beat = talk.begun + timedelta(minutes=9)
    return talk.answer("", reasoning="", status=RUNNING, heartbeat_at=beat, **turn)


def _seen(owner: User) -> None:
    """The live turn, with text and reasoning; another message is queued behind it."""
    talk = Talk("seen", owner)
    talk.ask("Tell me much.", client_id="client-seen")
    turn = _running(talk, client_id="client-seen")
    talk.ask("And then?", client_id="client-behind")
    talk.answer(status=QUEUED, client_id="client-behind", started_at=None, process="")
    talk.end(seq=100)
    talk.pieces(
        turn, (1, "", 0), (1, "They want ", 1), (2, "much.", 2), (2, "", 0),
        (3, "What was ", 0), (5, "seen of it ", 0), (6, "is kept", 0),
    )  # fmt: skip


def _unseen(owner: User) -> None:
    talk = Talk("unseen", owner)
    talk.ask("Has it begun?")
    turn = _running(talk)
    talk.end()
    talk.pieces(turn, (1, "", 0))


def _being_stopped(owner: User) -> None:
    talk = Talk("being-stopped", owner)
    talk.ask("Count to a million.")
    turn = _running(talk, cancel_requested_at=talk.begun + timedelta(minutes=3))
    talk.end()
    talk.pieces(turn, (1, "", 0), (4, "1, 2, 3", 0))


def _with_a_running_call(owner: User, name: str, tool: str, arguments: str) -> None:
    talk = Talk(name, owner)
    talk.ask("Do it.")
    turn = _running(talk)
    talk.end(seq=7)
    talk.pieces(turn, (1, "", 0), (2, "At once. ", 0), (4, "", 0))
    started = turn.created_at + timedelta(seconds=3)
    status = ToolCall.Status.RUNNING
    talk.call(turn, tool, arguments, status=status, offset=9, started_at=started)


def _waiting(owner: User) -> None:
    """A turn that waits for two decisions; another message is queued behind it."""
    talk = Talk("waiting", owner)
    talk.ask("Write two notes.")
    turn = talk.answer(status=WAITING, input_tokens=100, output_tokens=20, cached_tokens=0)
    talk.ask("Thanks!")
    talk.answer(status=QUEUED, started_at=None, process="")
    talk.end()
    talk.pieces(turn, (1, "", 0), (2, "Two notes. ", 0), (8, "", 0))
    for name in ("one", "two"):
        arguments = f'{{"path": "{name}.md", "content": "{name}"}}'
        pending = ToolCall.Status.PENDING
        talk.call(turn, "write_file", arguments, status=pending, offset=11)


def _decided(owner: User) -> None:
    """A turn queued again after its calls were decided, not taken since."""
    talk = Talk("decided", owner)
    talk.ask("Write a note, delete nothing.")
    turn = talk.answer(status=QUEUED, input_tokens=100, output_tokens=20, cached_tokens=0)
    talk.end(seq=3)
    talk.pieces(turn, (1, "", 0), (2, "A note. ", 0), (8, "", 0))
    moment = turn.created_at + timedelta(seconds=30)
    for name, status in (
        ("approved", ToolCall.Status.APPROVED),
        ("denied", ToolCall.Status.DENIED),
    ):
        talk.call(
            turn, "write_file", f'{{"path": "{name}.md", "content": "{name}"}}', status=status,
            offset=8, decided_by=owner, decided_at=moment, decided_from=ToolCall.DecidedFrom.PAGE,
        )  # fmt: skip


def _not_begun(owner: User) -> None:
    talk = Talk("not-begun", owner, titled_by="person")
    talk.ask("Is anybody there?", client_id="client-not-begun")
    talk.answer(status=QUEUED, client_id="client-not-begun", started_at=None, process="")
    talk.end()
