"""`prune_history`: its report and confirmation, and how it deletes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.db import connection

from chat.management.commands.prune_history import age
from chat.models import Audit, Conversation, Message, Notice, OpaquePart, ToolCall, Turn
from chat.upkeep.prune.batches import Prune
from chat.upkeep.prune.rules import Rules, measure
from tests.support.histories import make
from tests.upkeep.pruning import ALL_OLD, left, prune, titled

pytestmark = pytest.mark.django_db


def with_opaque_parts() -> None:
    """Add an opaque part of two bytes to each answer."""
    for answer in Message.objects.filter(role="assistant"):
        OpaquePart.objects.create(message=answer, round=0, kind="k", data="é")


def test_it_deletes_old_conversations_with_everything_in_them() -> None:
    make(3)
    titled(make(2, age=timedelta(10)), "young")
    with_opaque_parts()
    said = prune(*ALL_OLD, "--yes")
    assert "3 with 12 messages" in said
    assert "Deleted 3 conversations with 12 messages." in said
    assert left() == {"young"}
    assert (Message.objects.count(), Turn.objects.count(), ToolCall.objects.count()) == (8, 4, 2)
    assert OpaquePart.objects.count() == 4
    connection.check_constraints()


def test_a_dry_run_reports_and_deletes_nothing() -> None:
    made = make(2)
    said = prune(*ALL_OLD, "--dry-run", "--yes")
    assert "2 with 8 messages" in said
    assert Conversation.objects.count() == len(made)
    assert not Audit.objects.exists()


def test_the_size_is_that_of_the_text_in_bytes() -> None:
    make(1, messages=2, text="é" * 500)
    calls = len('{"expression": "6 * 7"}') + len("42")
    assert measure(Rules()).size == 2 * 1000 + calls
    with_opaque_parts()
    assert measure(Rules()).size == 2 * 1000 + calls + 2


def test_without_a_terminal_it_asks_for_yes() -> None:
    make(1)
    with pytest.raises(CommandError, match="add --yes"):
        prune(*ALL_OLD)
    assert left()


@pytest.mark.parametrize(
    ("answer", "goes"), [("y", True), ("yes", True), ("", False), ("n", False)]
)
def test_at_a_terminal_it_asks(monkeypatch: pytest.MonkeyPatch, answer: str, goes: bool) -> None:
    make(1)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    prune(*ALL_OLD)
    assert bool(left()) is not goes


@pytest.mark.parametrize(
    "change",
    [
        {"pinned": True},
        {"updated_at": "2999-01-01T00:00Z"},
        {"archived": False},
    ],
)
def test_a_conversation_that_changes_after_the_report_stays(change: dict[str, object]) -> None:
    made = make(2, archived=True)
    rules = Rules(older_than=timedelta(90), keep_pinned=True, archived_only=True)
    run = Prune(rules, Audit(action="prune", source="command"))
    assert run._find()  # the ids are known
    Conversation.objects.filter(pk=made[0].pk).update(title="changed", **change)
    while run.step() is not None:
        pass
    assert left() == {"changed"}


def test_open_pages_are_told_and_the_deletion_is_recorded() -> None:
    (made,) = make(1)
    prune(*ALL_OLD, "--yes")
    assert Notice.objects.filter(gone=made.pk, frame__contains="conversation_deleted").exists()
    audit = Audit.objects.get()
    assert (audit.action, audit.source) == ("prune", "command")
    assert "last used before" in audit.summary
    assert "1 with 4 messages were deleted" in audit.summary


def test_deletion_takes_short_steps() -> None:
    make(30)
    run = Prune(Rules(), Audit(action="prune", source="command"))
    steps = 0
    while (pause := run.step()) is not None:
        steps += 1
        assert pause > 0
    assert run.deleted == 30
    assert steps > 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Which ones?"),
        (("--keep-pinned",), "Which ones?"),
        (("--older-than=90",), "use a number and h, d, w or y"),
        (("--older-than=6m",), "use a number and h, d, w or y"),
        (("--older-than=-1d",), "use a number and h, d, w or y"),
        (("--older-than=999999y",), "more than a hundred years"),
        (("--keep-newest=0",), "use 1 or more"),
        ((*ALL_OLD, "--user=nobody"), "no user 'nobody'"),
    ],
)
def test_impossible_options_are_refused(arguments: tuple[str, ...], words: str) -> None:
    make(1)
    with pytest.raises(CommandError, match=words):
        prune(*arguments, "--yes")
    assert left()


def test_ages() -> None:
    assert [age(text) for text in ("12h", "90d", "2 W", "1y", "0d")] == [
        timedelta(hours=12), timedelta(90), timedelta(14), timedelta(365), timedelta(0),
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_locked_database_is_explained() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite only")
    make(1)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    try:
        with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(CommandError, match="The database is busy"):
                prune(*ALL_OLD, "--yes")
    finally:
        connection.close()  # the next one waits as configured
    assert left()


def test_the_database_is_intact_afterwards() -> None:
    make(5)
    prune("--keep-newest=2", "--yes")
    connection.check_constraints()
