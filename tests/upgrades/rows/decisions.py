"""A conversation with tool calls that ended in every way, and remembered rules."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User

from chat.models import OpaquePart, ToolCall, ToolRule, Turn
from tests.upgrades.rows.talk import Talk

NOTE = '{"path": "notes/kept.md", "content": "Milk"}'
FINISHED, FAILED = ToolCall.Status.FINISHED, ToolCall.Status.FAILED
DENIED, UNKNOWN = ToolCall.Status.DENIED, ToolCall.Status.UNKNOWN
FROM = ToolCall.DecidedFrom


def make(owner: User) -> None:
    talk = Talk("with-calls", owner)
    talk.ask("Use every tool that you have.")
    turn = talk.answer("I used them.")
    _calls(talk, turn, owner)
    talk.end(seq=60)
    for tool, allow, imported in (
        ("write_file", True, False),
        ("delete_file", False, False),
        ("fetch", True, True),
    ):
        ToolRule.objects.create(
            conversation=talk.conversation, tool=tool, allow=allow, imported=imported,
            created_at=talk.begun,
        )  # fmt: skip


def _calls(talk: Talk, turn: Turn, owner: User) -> None:
    _call(talk, turn, "calculate", '{"expression": "6 * 7"}', FINISHED, result="42", offset=0)
    _call(talk, turn, "write_file", NOTE, FINISHED, by=owner, decided_from=FROM.PAGE,
          edited_arguments='{"path": "notes/é.md", "content": "Käse"}', result="Written.", offset=2)  # fmt: skip
    _call(
        talk, turn, "write_file", NOTE, DENIED, by=owner, decided_from=FROM.ADMIN, result="Denied."
    )
    _call(talk, turn, "calculate", '{"expression": "6 *', FAILED, result="These are no arguments.")
    _call(
        talk, turn, "write_file", NOTE, FAILED, decided_from=FROM.COMMAND, result="Full.", round=1
    )
    _call(talk, turn, "write_file", NOTE, FINISHED, decided_from=FROM.RULE, result="", round=1)
    _call(
        talk, turn, "write_file", NOTE, DENIED, decided_from=FROM.EXPIRY, result="Denied.", round=2
    )
    _call(talk, turn, "no_such_tool", "[]", UNKNOWN, result="It may have had its effect.", round=2)
    source, signed = "models.example.org/upgraded-model", '{"thought_signature":"U2lnbmVk"}'
    for call_id, kind, data, sent_by in (
        ("", "reasoning_content", "They want “all” tools.", source),
        ("call_1", "extra_content", signed, source),
        ("", OpaquePart.THOUGHT, "2", ""),
    ):
        OpaquePart.objects.create(
            message=turn.message, round=0, call_id=call_id, kind=kind, data=data, source=sent_by
        )


def _call(
    talk: Talk,
    turn: Turn,
    name: str,
    arguments: str,
    status: ToolCall.Status,
    *,
    by: User | None = None,
    **fields: object,
) -> None:
    """A finished call."""
    moment = turn.created_at + timedelta(seconds=4)
    decided_at = moment if "decided_from" in fields else None
    times = {"decided_at": decided_at, "ended_at": moment + timedelta(seconds=1)}
    if status != DENIED:
        times["started_at"] = moment
    talk.call(turn, name, arguments, status=status, decided_by=by, **times, **fields)
