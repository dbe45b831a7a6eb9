"""Every URL with odd values: refused with a page, never a server error."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from chat.admin.base import PLAIN
from chat.models import Conversation, Message, Turn
from tests.support import histories

pytestmark = pytest.mark.django_db

ODD = (
    "a%00b",
    "%ff%ed%a0%80",
    "-1",
    "99999999999999999999",
    "0001-01-01T00:00:00%2B14:00",
    "x" * 5000,
)
"""Odd values, as they appear in a URL."""
QUERIES = ("after", "at", "again", "before", "chosen", "provider", "q", "part", "from")
LISTS = {
    "conversation": ("owner", "updated_at__gte", "p", "o", "state", "id__exact"),
    "turn": ("ended_at__gte", "error_code", "q"),
    "toolcall": ("created_at__lt", "decided_from__exact"),
}
"""Queries for lists of the admin."""
VALUES = ("0", "-1", "(", "1", "1,2,3", "x", "10000", "1e400", "nan", "9" * 30, "0001-01-01")
"""Values to compare a column with."""


def status(http: Client, path: str) -> int:
    answer: Any = http.get(path)
    for close in answer._resource_closers:  # closes streams, which are not read
        close()
    return int(answer.status_code)


def routes(
    patterns: list[URLPattern | URLResolver], before: str = ""
) -> Iterator[tuple[str, dict[str, str]]]:
    """Every URL, with `{name}` for its parameters, and their kinds."""
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            kinds = dict(re.findall(r"<(?:\w+:)?(\w+)>()", route))
            yield "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route), kinds


ROUTES = [
    (route, kinds)
    for route, kinds in routes(get_resolver().url_patterns)
    if not re.search(r"\(\?P|logout|password|/(history|delete|add)/$", route)
    and route != "/import/{job_id}/"  # reads in its own thread: see `test_import_served.py`
]


@pytest.mark.parametrize(("route", "names"), ROUTES, ids=[route for route, _ in ROUTES])
def test_a_url_with_odd_parts_is_answered(
    http: Client, conversation: Conversation, route: str, names: dict[str, str]
) -> None:
    right = {name: str(conversation.pk) for name in names}
    right |= {"message_id": str(conversation.leaf_id), "suffix": "json"}
    for odd in ODD:
        for name in names:
            assert status(http, route.format(**{**right, name: odd})) < 500, odd
        asked = "&".join(f"{query}={odd}" for query in QUERIES)
        assert status(http, f"{route.format(**right)}?{asked}") < 500, odd


@pytest.mark.parametrize("name", LISTS)
def test_an_admin_list_survives_odd_queries(
    http: Client, conversation: Conversation, name: str
) -> None:
    assert http.get(f"/admin/chat/{name}/?q=%00").status_code == 400
    for query in LISTS[name]:
        for odd in ODD[1:5]:
            path = f"/admin/chat/{name}/?{query}={odd}"
            assert http.get(path).status_code < 500, path


def lookups(field: Any) -> list[str]:
    """All lookups that Django offers for a field."""
    known: Any = getattr(field, "get_lookups", dict)()
    return [field.name, *(f"{field.name}__{lookup}" for lookup in (*known, "id", "unheard_of"))]


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model.__name__)
def test_an_admin_list_takes_only_plain_comparisons(model: type[Model], rf: RequestFactory) -> None:
    for field in model._meta.get_fields():
        for lookup in lookups(field):
            if admin.site._registry[model].lookup_allowed(lookup, "1", rf.get("/")):
                assert lookup.partition("__")[2] in ("", *PLAIN), lookup


COLUMNS: dict[Any, tuple[type[Model], Any]] = {
    type(field): (model, field)
    for model in admin.site._registry
    for field in model._meta.get_fields()
}
"""One of each kind."""


@pytest.mark.filterwarnings("ignore:.*received a naive datetime")
@pytest.mark.parametrize("kind", COLUMNS, ids=lambda kind: kind.__name__)
def test_an_admin_list_accepts_all_of_its_filters(
    http: Client, conversation: Conversation, kind: type[object]
) -> None:
    model, field = COLUMNS[kind]
    path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    for lookup in lookups(field):
        for value in VALUES:
            answer = http.get(path, {lookup: value})
            assert answer.status_code in (200, 302, 400), f"{path}?{lookup}={value}"


@pytest.mark.parametrize("lookup", ["title", "owner__exact", "created_at__gt", "pinned__exact"])
def test_a_column_is_compared_with_many_values(http: Client, owner: User, lookup: str) -> None:
    many = http.get("/admin/chat/conversation/", {lookup: ["1"] * 990})
    assert many.status_code in (200, 302, 400)


@pytest.mark.parametrize(
    "query",
    [
        "created_at__year=0", "created_at__iso_year=1", "created_at__date__year=0", "title__regex=(",
        "title__range=1", "title__contains=x", "instructions=x", "leaf__content=x", "owner__email=x",
        "message=1", "pk__in=1", "unheard_of=1",
    ],
)  # fmt: skip
def test_queries_that_no_list_sends_are_refused(
    http: Client, conversation: Conversation, query: str
) -> None:
    answer = http.get(f"/admin/chat/conversation/?{query}")
    assert answer.status_code == 400
    assert b"The server can't understand this request." in answer.content


@pytest.mark.parametrize(
    "query",
    [
        "title=x",
        "created_at__lt=2026-01-31T00:00%2B00:00",
        "leaf__isnull=1",
        "seq__gte=1",
        "owner_id=1",
        "state=x",
    ],
)
def test_plain_comparisons_and_filters_are_answered(http: Client, owner: User, query: str) -> None:
    assert http.get(f"/admin/chat/conversation/?{query}").status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/chats/?after=0001-01-01T00:00:00%2B14:00~{id}", 404),
        ("/chats/?after=9999-12-31T23:59:59-14:00~{id}", 404),
        ("/chats/?after=nonsense", 404),
        ("/chats/?q=tea&after=-1", 404),
        ("/chats/?q=%00", 400),
        ("/c/{id}/?before={first}", 404),
        ("/c/{id}/?before={other}", 404),
        ("/c/{id}/?before=x", 404),
        ("/c/{id}/?at={other}", 404),
        ("/admin/chat/conversation/{id}/change/?before={first}", 404),
        ("/admin/chat/conversation/?owner=99999999999999999999", 400),
        ("/admin/chat/conversation/?updated_at__gte=0001-01-01T00:00:00%2B14:00", 400),
        ("/api/chat/sessions?before=x", 404),
        ("/api/chat/sessions/{id}/messages?before={other}", 404),
        ("/api/chat/sessions/{id}/messages?before=%00", 400),
        ("/api/nothing", 404),
    ],
)
def test_invalid_urls_get_an_error_page_of_ours(
    http: Client, conversation: Conversation, path: str, status: int
) -> None:
    other = histories.make(1, messages=2, text="coffee", owner=conversation.owner)[0]
    first = Message.objects.get(conversation=conversation, parent=None)
    known = {"id": conversation.pk, "first": first.pk, "other": other.leaf_id}
    answer = http.get(path.format(**known))
    if path.startswith("/admin/chat/conversation/?") and answer.status_code == 200:
        pytest.skip("this database compares such a value")
    assert answer.status_code == status
    if path.startswith("/api/"):
        assert json.loads(answer.content)["error"]
    else:
        assert b"All chats</a>" in answer.content


def test_a_cursor_from_a_list_still_works(http: Client, owner: User) -> None:
    histories.make(40, messages=2, text="tea", owner=owner)
    page = http.get("/chats/").content.decode()
    more = re.search(r'id="more-chats" href="([^"]+)"', page)
    assert more is not None
    assert http.get(more[1].replace("&amp;", "&")).status_code == 200
    now = quote(timezone.now().isoformat())
    assert http.get(f"/chats/?after={now}~{uuid4()}").status_code == 200
    assert Turn.objects.exists()
