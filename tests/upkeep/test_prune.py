"""`prune_history` deletes exactly what its rules say, after reporting it."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.access.owner import local_owner
from chat.management.commands.prune_history import age
from chat.models import Audit, Conversation, Message, Notice, OpaquePart, ToolCall, Turn
from chat.upkeep.prune.batches import Prune
from chat.upkeep.prune.rules import Rules, measure
from tests.support.histories import make

pytestmark = pytest.mark.django_db

ALL_OLD = ("--older-than=90d",)


def prune(*arguments: str) -> str:
    out = io.StringIO()
    call_command("prune_history", *arguments, stdout=out)
    return out.getvalue()


def left() -> set[str]:
    return set(Conversation.objects.values_list("title", flat=True))


def titled(made: Iterable[Conversation], title: str) -> None:
    Conversation.objects.filter(pk__in=[c.pk for c in made]).update(title=title)


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


def test_pinned_ones_stay_if_asked() -> None:
    titled(make(1, pinned=True), "pinned")
    make(1)
    prune(*ALL_OLD, "--keep-pinned", "--yes")
    assert left() == {"pinned"}
    prune(*ALL_OLD, "--yes")
    assert not left()


def test_only_archived_ones_are_deleted_if_asked() -> None:
    make(1, archived=True)
    titled(make(1), "in the list")
    prune("--archived-only", "--yes")
    assert left() == {"in the list"}


def test_only_one_users_are_deleted_if_asked() -> None:
    make(1)
    titled(make(1, owner=User.objects.create(username="ann")), "ann's")
    prune(*ALL_OLD, "--user=owner", "--yes")
    assert left() == {"ann's"}


def test_the_newest_of_each_user_stay() -> None:
    for name in ("ann", "bob"):
        owner = User.objects.create(username=name)
        newest, *_ = make(3, owner=owner)
        titled([newest], f"{name}'s newest")
    titled(make(1, owner=User.objects.get(username="ann"), pinned=True), "pinned")
    said = prune("--keep-newest=1", "--keep-pinned", "--yes")
    assert left() == {"ann's newest", "bob's newest", "pinned"}
    assert "Deleted 4 conversations" in said


def test_the_newest_stay_however_old() -> None:
    make(3)
    prune(*ALL_OLD, "--keep-newest=2", "--yes")
    assert left() == {"Chat 0", "Chat 1"}


def test_an_empty_conversation_does_not_count() -> None:
    Conversation.objects.create(owner=local_owner(), title="empty")
    assert "There is nothing to delete." in prune("--older-than=0d", "--yes")


@pytest.mark.parametrize("status", Turn.UNFINISHED)
def test_a_conversation_with_an_unfinished_answer_stays(status: str) -> None:
    busy, *_ = make(2)
    titled([busy], "busy")
    Turn.objects.filter(pk=Turn.objects.filter(conversation=busy).latest("pk").pk).update(
        status=status
    )
    said = prune(*ALL_OLD, "--yes")
    assert "1 more is in use and stays." in said
    assert left() == {"busy"}


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


conversations = st.lists(
    st.tuples(
        st.integers(0, 1),  # whose
        st.integers(0, 5),  # days old: ties are likely
        st.booleans(),  # pinned
        st.booleans(),  # archived
    ),
    max_size=12,
)


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    chats=conversations,
    older=st.integers(0, 6),
    newest=st.integers(0, 4),
    keep_pinned=st.booleans(),
    archived_only=st.booleans(),
)
def test_any_rules_delete_exactly_the_right_ones(
    chats: list[tuple[int, int, bool, bool]],
    older: int,
    newest: int,
    keep_pinned: bool,
    archived_only: bool,
) -> None:
    Conversation.objects.all().delete()
    users = [User.objects.get_or_create(username=name)[0] for name in ("ann", "bob")]
    for number, (user, days, pinned, archived) in enumerate(chats):
        (made,) = make(
            1,
            messages=2,
            age=timedelta(days, seconds=30),
            owner=users[user],
            pinned=pinned,
            archived=archived,
        )
        same_moment = Conversation.objects.order_by("pk").exclude(pk=made.pk)
        twin = same_moment.filter(title__startswith=f"{days} ").first()
        Conversation.objects.filter(pk=made.pk).update(
            title=f"{days} {number}", updated_at=twin.updated_at if twin else made.updated_at
        )
    rules = Rules(
        older_than=timedelta(older),
        keep_newest=newest,
        keep_pinned=keep_pinned,
        archived_only=archived_only,
    )
    expected = stays(chats, older, newest, keep_pinned, archived_only)
    said = measure(rules)
    run = Prune(rules, Audit(action="prune", source="command"))
    while run.step() is not None:
        pass
    assert {int(title.split()[1]) for title in left()} == expected
    assert said.conversations == run.deleted == len(chats) - len(expected)
    assert said.messages == run.messages


def stays(
    chats: list[tuple[int, int, bool, bool]],
    older: int,
    newest: int,
    keep_pinned: bool,
    archived_only: bool,
) -> set[int]:
    """The rules again, in the simplest form."""
    kept = set()
    for user in (0, 1):
        mine = [(days, n) for n, (whose, days, *_) in enumerate(chats) if whose == user]
        spared = {
            n
            for _, n in mine
            if (keep_pinned and chats[n][2]) or (archived_only and not chats[n][3])
        }
        ages = sorted(days for days, n in mine if n not in spared)
        limit = ages[newest - 1] if 0 < newest <= len(ages) else 99 if newest else -1
        kept |= spared | {n for days, n in mine if days <= limit or days < older}
    return kept


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
