"""`prune_history` deletes exactly the conversations that its rules name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.access.owner import local_owner
from chat.models import Audit, Conversation, Turn
from chat.upkeep.prune.batches import Prune
from chat.upkeep.prune.rules import Rules, measure
from tests.support.histories import make
from tests.upkeep.pruning import ALL_OLD, left, prune, titled

pytestmark = pytest.mark.django_db


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
