"""Lists of chats over HTTP, with links and plain forms."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.models import Conversation, ToolCall
from chat.search import index_messages
from tests.support import histories
from tests.support.conversations import talk
from tests.support.hostile_texts import TEXTS
from tests.views.samples import HTMX, aged, get

pytestmark = pytest.mark.django_db


def titles(page: str) -> list[str]:
    """The titles of the rows of the history."""
    found = re.findall(r'<bdi class="title">(.*?)</bdi>', page.partition('id="results"')[2])
    return [re.sub(r"</?mark>", "", title) for title in found]


def of_sidebar(page: str) -> dict[str, list[str]]:
    """The sidebar's groups with their titles."""
    groups = re.findall(r'<h2 class="label" id="group-(\w+)">.*?<ul(.*?)</ul>', page, re.DOTALL)
    return {name: re.findall(r'<bdi class="title">(.*?)</bdi>', rows) for name, rows in groups}


# --- the sidebar --------------------------------------------------------------------------------


def test_pinned_chats_have_a_group_of_their_own(client: Client, owner: User) -> None:
    for number in range(5):
        aged(owner, f"Chat {number}", number, pinned=number in (0, 4))
    page = get(client, "/sidebar/")
    assert of_sidebar(page) == {
        "pinned": ["Chat 0", "Chat 4"],
        "recent": ["Chat 1", "Chat 2", "Chat 3"],
    }
    assert "See all chats" not in page  # all are shown
    aged(owner, "Chat 9", 9)
    assert "See all chats" in get(client, "/sidebar/")


def test_archived_chats_are_hidden_but_reachable(client: Client, owner: User) -> None:
    aged(owner, "Hidden", 1, archived=True, pinned=True)
    page = get(client, "/sidebar/")
    assert of_sidebar(page) == {}
    assert "See all chats" in page
    assert titles(get(client, "/chats/")) == []
    assert titles(get(client, "/chats/?archived=1")) == ["Hidden"]


def test_an_unread_answer_and_a_waiting_call_are_marked(client: Client, owner: User) -> None:
    unread = aged(owner, "Answered", 1, unread=True)
    waits = aged(owner, "Waits", 2)
    ToolCall.objects.create(
        message=waits.message_set.get(turn__isnull=False),
        call_id="1",
        round=0,
        offset=0,
        name="x",
        status="pending",
    )
    for path in ("/sidebar/", "/chats/"):
        page = get(client, path)
        assert "Unread" in page
        assert "Needs your approval" in page
    client.get(f"/c/{unread.pk}/")
    assert "Unread" not in get(client, "/sidebar/")


# --- the history --------------------------------------------------------------------------------


def test_chats_are_ordered_by_time(client: Client, owner: User) -> None:
    for days in (0, 1, 5, 20, 500):
        aged(owner, f"{days} days", days)
    page = get(client, "/chats/")
    assert titles(page) == ["0 days", "1 days", "5 days", "20 days", "500 days"]
    headings = re.findall(r'<li class="label">(.*?)</li>', page)
    assert headings[:4] == ["Today", "Yesterday", "Last 7 days", "Last 30 days"]


def test_further_pages_have_each_chat_once_even_if_some_move(client: Client, owner: User) -> None:
    histories.make(65, messages=2)
    seen: list[str] = []
    path = "/chats/"
    while path:
        page = get(client, path)
        seen += titles(page)
        more = re.search(r'id="more-chats" href="([^"]+)"', page)
        path = more[1].replace("&amp;", "&") if more else ""
        # a message in the last chat that was listed moves it to the top
        Conversation.objects.filter(title=seen[-1]).update(updated_at=timezone.now())
    assert len(seen) == len(set(seen)) == 65


@pytest.mark.parametrize(
    "query", ["after=", "q=x&after=0", "q=x&after=99999", "q=%ff", "archived"]
)  # fmt: skip
def test_any_words_are_a_query(client: Client, owner: User, query: str) -> None:
    aged(owner, "One", 1)
    get(client, f"/chats/?{query}")


def test_found_words_are_shown_in_context(client: Client, owner: User) -> None:
    conversation = aged(owner, "Gardening", 1)
    aged(owner, "Other", 2)
    page = get(client, "/chats/?q=garden")
    assert titles(page) == ["Gardening"]
    assert "About <mark>Garden</mark>ing" in page
    assert f"/c/{conversation.pk}/?at=" in page
    assert "Nothing found" in get(client, "/chats/?q=nothing+like+it")


def test_a_page_of_results_links_to_the_next(client: Client, owner: User) -> None:
    for made in histories.make(31, messages=2, text="tea"):
        index_messages(made.message_set.all())
    first = get(client, "/chats/?q=tea")
    more = re.search(r'id="more-chats" href="([^"]+)"', first)
    assert more is not None
    rest = get(client, more[1].replace("&amp;", "&"))
    assert len(set(titles(first) + titles(rest))) == 31


def test_htmx_gets_only_the_requested_part(client: Client, owner: User) -> None:
    aged(owner, "One", 1)
    dialog = get(client, "/chats/", **HTMX, **{"HX-Target": "dialog"})
    results = get(client, "/chats/?q=one", **HTMX, **{"HX-Target": "results"})
    assert ("<html" in dialog, 'id="find"' in dialog, "Close" in dialog) == (False, True, True)
    assert ('id="find"' in results, "<mark>One</mark>" in results) == (False, True)


def test_a_list_takes_the_same_few_queries_however_long(client: Client, owner: User) -> None:
    client.get("/chats/")
    for number in (2, 40):
        for made in histories.make(number, messages=2, text="tea"):
            index_messages(made.message_set.all())
        with CaptureQueriesContext(connection) as queries:
            get(client, "/chats/", **HTMX, **{"HX-Target": "dialog"})
        assert len(queries) <= 3
        with CaptureQueriesContext(connection) as queries:
            get(client, "/chats/?q=tea", **HTMX, **{"HX-Target": "results"})
        assert len(queries) <= 7


def test_the_list_is_read_by_an_index(owner: User) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's plan")
    plan = Conversation.objects.of(owner).listed().filter(updated_at__lte=timezone.now()).explain()
    assert "conversation_listed" in plan
    assert "TEMP B-TREE" not in plan


def test_a_found_message_is_shown_in_its_conversation(client: Client, owner: User) -> None:
    conversation = talk(owner, *(f"said-{number:03}" for number in range(120)))
    messages = {m.content: m.pk for m in conversation.message_set.all()}
    page = get(client, f"/c/{conversation.pk}/?at={messages['said-010']}")
    assert f'id="m-{messages["said-010"]}"' in page
    assert ("said-030" in page, "said-031" in page) == (True, False)
    assert "Go to the latest messages" in page
    # and on from there, in pages
    later = f"/c/{conversation.pk}/?at={messages['said-030']}#m-{messages['said-030']}"
    assert f'href="{later}"' in page
    assert "said-050" in get(client, later.partition("#")[0])
    latest = get(client, f"/c/{conversation.pk}/?at={messages['said-100']}")
    assert 'data-session="' in latest  # it is on the live page
    assert client.get(f"/c/{conversation.pk}/?at=nonsense").status_code == 404
    assert client.get(f"/c/{conversation.pk}/?at={uuid.uuid4()}").status_code == 404


class Elements(HTMLParser):
    """Collects the elements of a page, regardless of its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # found words are marked
        if tag != "mark":
            self.found.append((tag, [name for name, _ in attrs]))


def test_a_hostile_text_changes_no_page(client: Client, owner: User) -> None:
    """As a title or in results, it leaves the page with the same elements as harmless text."""
    storable = [text for text in TEXTS if "\0" not in text]  # others are never stored
    chats = histories.make(len(storable), messages=1)

    def pages(texts: Iterable[str]) -> list[list[tuple[str, list[str]]]]:
        for chat, text in zip(chats, texts, strict=True):
            title = " ".join(text.split())[:200] or "x"
            Conversation.objects.filter(pk=chat.pk).update(title=title)
            chat.message_set.update(content=f"needle {text}")
            index_messages(chat.message_set.all())
        lists = [f"/chats/?q=needle&after={after}" for after in range(0, len(chats), 30)]
        one = [f"/c/{chats[0].pk}/{part}/" for part in ("menu", "title", "delete")]
        return [
            Elements(get(client, path)).found for path in (*lists, *one, "/chats/", "/sidebar/")
        ]

    assert pages(storable) == pages("harmless" for _ in storable)


# --- the look -----------------------------------------------------------------------------------


def test_the_theme_is_in_the_html(client: Client) -> None:
    assert "data-theme" not in get(client, "/")
    for theme in ("dark", "light"):
        answer = client.post("/settings/theme/", {"theme": theme})
        assert answer["Location"] == "/settings/"
        for path in ("/", "/chats/", "/settings/"):
            assert f'data-theme="{theme}"' in get(client, path)
    client.post("/settings/theme/", {"theme": '"><script>'})
    assert "data-theme" not in get(client, "/")


def test_a_cookie_is_not_trusted(client: Client) -> None:
    client.cookies["talos_theme"] = '"><script>alert(1)</script>'
    client.cookies["talos_sidebar"] = "hidden"
    page = get(client, "/")
    assert "alert(1)" not in page
    assert '<html lang="en" data-sidebar="hidden">' in page


def test_the_shortcuts_are_a_page_too(client: Client) -> None:
    assert "<html" in get(client, "/shortcuts/")
    assert "<html" not in get(client, "/shortcuts/", **HTMX)
