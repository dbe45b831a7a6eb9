"""Every list of the admin answers in the same few queries, however much is stored.

And none of them reads all messages: the databases' own plans say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chat.access.owner import local_owner
from chat.admin.base import BoundedPaginator
from chat.models import (
    Audit,
    Conversation,
    Message,
    ModelPreference,
    Notice,
    OpaquePart,
    Piece,
    Preference,
    ProviderConnection,
    ToolRule,
    Turn,
)
from chat.turns import transitions
from tests.support.histories import make

pytestmark = pytest.mark.django_db

C = "/admin/chat/conversation/"
LISTS = [
    "/admin/",
    *(
        f"/admin/chat/{model._meta.model_name}/"
        for model in apps.get_app_config("chat").get_models()
    ),
    "/admin/admin/logentry/",
    "/admin/auth/user/",
]
SEARCHES = [
    C + "?o=1", C + "?p=2", C + "?q=word", C + "?q=nowhere", C + "?owner={owner}", C + "?model=demo",
    C + "?tool=calculate", C + "?pinned__exact=1", C + "?archived__exact=0",
    C + "?updated_at__gte=2020-01-01 00:00:00%2B00:00",
    *(f"{C}?state={status}" for status in Turn.Status.values),
    C + "?q={conversation}", C + "?q={message}", C + "{conversation}/change/",
    C + "?state=completed&owner={owner}&model=demo&tool=calculate&q=word",
    C + "?updated_at__from=2020-01-01&updated_at__to=2999-12-31", C + "?username=user 0",
    "/admin/chat/message/?q=word", "/admin/chat/message/?q={conversation}",
    "/admin/chat/message/?created_at__from=2020-01-01", "/admin/chat/message/?username=user 0",
    "/admin/chat/turn/?username=user 0", "/admin/chat/turn/?ended_at__from=2020-01-01",
    "/admin/chat/toolcall/?username=user 0", "/admin/chat/toolcall/?created_at__from=2020-01-01",
    "/admin/chat/turn/usage/", "/admin/chat/turn/usage/?username=user 0", "/admin/auth/user/{owner}/change/",
    "/admin/chat/message/{message}/change/",
    "/admin/chat/message/?created_at__gte=2020-01-01 00:00:00%2B00:00",
    "/admin/chat/turn/?q=word", "/admin/chat/turn/?q={message}", "/admin/chat/turn/?model=demo",
    "/admin/chat/turn/?q=1", "/admin/chat/turn/?status__exact=failed",
    "/admin/chat/toolcall/?q=word", "/admin/chat/toolcall/?q={conversation}",
    "/admin/chat/toolcall/?name=calculate", "/admin/chat/toolcall/?status__exact=pending",
    "/admin/chat/toolrule/?q=word", "/admin/chat/searchentry/?q=word",
    "/admin/chat/opaquepart/?q=word", "/admin/chat/opaquepart/?q={conversation}",
    "/admin/chat/opaquepart/?q={message}", "/admin/chat/modelpreference/?q=user",
    "/admin/chat/modelpreference/?offers_tools__exact=0", "/admin/chat/providerconnection/?q=word",
    "/admin/chat/piece/?q=word", "/admin/chat/notice/?q=word", "/admin/chat/audit/?q=prune",
]  # fmt: skip


def everything(number: int) -> None:
    """Make this many rows of every model."""
    owner = User.objects.create(username=f"user {User.objects.count()}")
    made = make(number, owner=owner, age=timedelta(3))
    for conversation in made:
        turn = Turn.objects.filter(conversation=conversation).earliest("pk")
        Piece.objects.create(turn=turn, seq=1, text="word")
        OpaquePart.objects.create(message_id=turn.message_id, round=0, kind="k", data="word")
        ModelPreference.objects.create(owner=owner, model=str(conversation.pk))
        ProviderConnection.objects.create(provider=str(conversation.pk), address="word")
        ToolRule.objects.create(conversation=conversation, tool="write_file", allow=True)
        Notice.objects.create(owner=owner, frame="{}")
        Audit.objects.create(action="prune", source="command", summary="word")
        LogEntry.objects.log_actions(owner.pk, [conversation], 2, "word", single_object=True)
    Preference.objects.create(owner=owner, system_prompt="word")
    # for each state, one turn that is the last of its conversation
    for turn, status in zip(Turn.objects.order_by("-pk"), Turn.Status.values, strict=False):
        Turn.objects.filter(pk=turn.pk).update(status=status)


def address(template: str) -> str:
    conversation = Conversation.objects.earliest("created_at")
    message = Message.objects.filter(conversation=conversation).earliest("created_at")
    return template.format(
        conversation=conversation.pk, message=message.pk, owner=conversation.owner_id
    )


@pytest.mark.slow
def test_a_list_costs_the_same_whatever_is_stored(client: Client) -> None:
    local_owner()
    everything(8)
    urls = [address(template) for template in (*LISTS, *SEARCHES)]
    queries(client, C)  # warms up what is read once per process
    few = {url: queries(client, url) for url in urls}
    for url, asked in few.items():
        for query in asked:
            for step in plan(query):
                assert not reads_all(step, Message), f"{url}: {step}\n{query}"
    everything(25)
    for url in urls:
        many = queries(client, url)
        assert len(many) <= len(few[url]) + 1, (url, many)  # one more page to count
        assert len(many) <= 22, url


def queries(client: Client, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in asked.captured_queries]


def test_the_poll_of_each_second_reads_few_turns() -> None:
    everything(8)
    for look in (transitions.unfinished, transitions.heartbeat):
        with CaptureQueriesContext(connection) as asked:
            look()
        steps = [step for query in asked.captured_queries for step in plan(query["sql"])]
        assert steps
        assert not any(reads_all(step, Turn) for step in steps), steps


def plan(statement: str) -> Iterator[str]:
    """The query plan, as if no table were too small for an index."""
    if not statement.startswith(("SELECT", "UPDATE")):
        return
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {statement}")
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        for row in cursor.fetchall():
            yield str(row[-1])


def reads_all(step: str, model: type[Model]) -> bool:
    """Whether a step reads all rows unordered; in index order, a list ends after a page."""
    table = model._meta.db_table
    if connection.vendor == "postgresql":
        return f"Seq Scan on {table}" in step
    words = step.split()
    return words[:2] == ["SCAN", table] and "INDEX" not in words


def test_a_list_counts_only_as_far_as_it_can_be_paged(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.admin.base.MOST", 5)
    make(7)
    page = client.get(C).content.decode()
    assert "The first 5 of more conversations. Search or filter to see others." in page
    found = BoundedPaginator(Conversation.objects.order_by("pk"), 50)
    assert (found.count, found.counted) == (5, 6)


def test_models_registered_by_others_are_covered() -> None:
    """A list with another base class would count and search in its own way."""
    ours = {type(registered).__module__ for registered in admin.site._registry.values()}
    assert {name for name in ours if not name.startswith("chat.admin")} <= {
        "django.contrib.auth.admin"
    }


def test_every_model_has_a_list() -> None:
    models: list[type[Model]] = list(apps.get_app_config("chat").get_models())
    assert [model for model in models if not admin.site.is_registered(model)] == []
