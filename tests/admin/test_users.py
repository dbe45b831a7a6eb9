"""Users in the admin: their usage, and what is done to all their conversations."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Sum
from django.test import Client

from chat.access.owner import local_owner
from chat.models import Audit, Conversation, Message, Turn
from tests.admin.pages import LIST, found, posted
from tests.support.histories import make

pytestmark = pytest.mark.django_db

USERS = "/admin/auth/user/"


def test_a_users_usage_matches_the_rows(
    client: Client, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(3, owner=ann, messages=6)
    make(2)
    Turn.objects.filter(conversation__owner=ann).update(cost="0.25")
    of_her = Turn.objects.filter(conversation__owner=ann)
    sums = of_her.aggregate(read=Sum("input_tokens"), written=Sum("output_tokens"))
    hers = Message.objects.filter(owner=ann)
    use = next(row.use for row in found(client, USERS) if row == ann)
    assert (use.chats, use.messages, use.is_part) == (3, hers.count(), False)
    assert (use.read, use.written, use.cost) == (sums["read"], sums["written"], Decimal("2.25"))
    last = hers.filter(role="user").latest("created_at").created_at
    assert use.last_message == last
    monkeypatch.setattr("chat.admin.users.LATEST", 2)
    text = client.get(USERS).content.decode()
    assert "12+" in text  # of two chats
    page = client.get(f"{USERS}{ann.pk}/change/").content.decode()
    assert "3 chats, 18 messages, 900 tokens in and 180 out, $2.2500" in page


def test_all_conversations_of_a_user_are_exported(client: Client, ann: User) -> None:
    make(2, owner=ann)
    answer: Any = client.post(USERS, {"action": "export", "_selected_action": str(ann.pk)})
    assert 'filename="talos-ann-' in answer.headers["Content-Disposition"]
    assert answer.status_code == 200
    for close in answer._resource_closers:
        close()


def test_a_prune_shows_what_it_will_delete_and_deletes_that(client: Client, ann: User) -> None:
    make(3, owner=ann, age=timedelta(100))
    (used,) = make(1, owner=ann, age=timedelta(1))
    (mine,) = make(1, age=timedelta(100))
    asked = {"action": "prune", "_selected_action": str(ann.pk)}
    assert "ann has 4 conversations." in posted(client, USERS, **asked)
    page: Any = client.post(USERS, {**asked, "older_than": "90"})
    text = page.content.decode()
    assert "3 conversations with 12 messages" in text
    assert "Delete 3 conversations" in text
    assert Conversation.objects.count() == 5
    hidden = {name: str(value) for name, value in page.context["form"].data.items()}
    said = posted(client, USERS, **asked, **hidden, confirmed="1")
    assert "Deleted 3 conversations with 12 messages." in said
    assert set(Conversation.objects.all()) == {used, mine}
    audit = Audit.objects.get()
    assert (audit.action, audit.source, audit.by) == ("prune", "admin", local_owner())


def test_all_conversations_of_a_user_are_transferred(client: Client, ann: User) -> None:
    made = make(3)
    Turn.objects.filter(message=made[0].leaf_id).update(status="waiting")
    asked = {"action": "transfer", "_selected_action": str(local_owner().pk)}
    assert "3 conversations with 12 messages, owned by owner" in posted(client, USERS, **asked)
    said = posted(client, USERS, **asked, to="ann@example")
    assert "There is no user named “ann@example”. Did you mean one of these?" in said
    said = posted(client, USERS, **asked, pick="ann")
    assert "Transferred 2 conversations of owner to ann." in said
    assert "1 stays: " in said
    assert Conversation.objects.filter(owner=ann).count() == 2
    assert Audit.objects.get().summary == "Transferred 2 conversations of owner to ann."


@pytest.mark.parametrize("field", ["to", "pick"])
def test_nothing_is_transferred_to_the_current_owner(client: Client, ann: User, field: str) -> None:
    (hers,) = make(1, owner=ann)
    for url, chosen in ((USERS, ann.pk), (LIST, hers.pk)):
        action = "transfer" if url == USERS else "reassign"
        asked = {"action": action, "_selected_action": str(chosen), field: "ann"}
        said = posted(client, url, **asked)
        assert "ann already owns them." in said
        assert "1 conversation with 4 messages, owned by ann, will be" in said
    (mine,) = make(1)
    both = {"action": "reassign", "_selected_action": [str(hers.pk), str(mine.pk)], field: "ann"}
    assert "Transferred to ann: 1 conversation." in posted(client, LIST, **both)


def test_other_staff_may_not(client: Client, ann: User) -> None:
    User.objects.filter(pk=local_owner().pk).update(is_superuser=False)
    page = client.get(f"{USERS}{ann.pk}/change/")
    assert page.status_code == 403
    assert client.get("/admin/chat/turn/usage/").status_code == 403
    assert client.get("/admin/chat/turn/usage.csv").status_code == 403
