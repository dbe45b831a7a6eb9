"""The pages over HTTP: readable without JavaScript, and only by their owner."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from chat.models import Conversation, Message, Piece, ToolCall, Turn
from tests.support.conversations import talk
from tests.views.samples import HTMX

pytestmark = pytest.mark.django_db


def test_a_conversation_is_readable_in_the_html(client: Client, owner: User) -> None:
    conversation = talk(owner, "What is an *ant*?", "An **insect**.")
    page = client.get(f"/c/{conversation.pk}/").content.decode()
    assert "What is an *ant*?" in page  # a question is plain text
    assert "<strong>insect</strong>" in page
    assert '<h1 id="title" dir="auto">About ants</h1>' in page


def test_no_inline_script_or_style(client: Client, owner: User) -> None:
    for path in ("/", "/chats/", f"/c/{talk(owner, 'Hi', 'Ho').pk}/", "/nothing/"):
        page = client.get(path).content.decode()
        assert " style=" not in page
        assert "<style" not in page
        assert "onclick" not in page
        assert all(
            tag.startswith((" src=", ' type="module" src=')) for tag in page.split("<script")[1:]
        )


def test_the_text_so_far_of_a_live_answer_is_readable(client: Client, owner: User) -> None:
    conversation = talk(owner, "Hi", "")
    turn = Turn.objects.get()
    Turn.objects.update(status=Turn.Status.RUNNING)
    Piece.objects.create(turn=turn, seq=2, text="Half of ")
    Piece.objects.create(turn=turn, seq=3, text="*it*")
    page = client.get(f"/c/{conversation.pk}/").content.decode()
    assert '<div class="plain" dir="auto">Half of *it*</div>' in page


def test_a_tool_call_is_shown_where_it_was_made(client: Client, owner: User) -> None:
    conversation = talk(owner, "Sum", "Before. After.")
    ToolCall.objects.create(
        message=Message.objects.get(role="assistant"),
        call_id="c1",
        round=0,
        offset=len("Before. "),
        name="calculate",
        arguments='{"expression": "1+1"}',
        status=ToolCall.Status.FINISHED,
        result="2",
    )
    page = client.get(f"/c/{conversation.pk}/").content.decode()
    assert page.index("Before.") < page.index("calculate") < page.index("After.")


def test_a_long_conversation_is_shown_in_stretches(client: Client, owner: User) -> None:
    conversation = talk(owner, *(f"said-{number:03}" for number in range(120)))
    url = f"/c/{conversation.pk}/"
    latest = client.get(url)
    assert "said-119" in latest.content.decode()
    assert "said-070" in latest.content.decode()
    assert "said-069" not in latest.content.decode()

    earlier_url = f"{url}?before={latest.context['stretch'].first_id}"
    earlier = client.get(earlier_url).content.decode()
    assert "said-069" in earlier
    assert "said-070" not in earlier
    assert "Go to the latest messages" in earlier
    assert "data-live" not in earlier  # only the latest stretch is live

    part = client.get(earlier_url, headers=HTMX).content.decode()
    assert "said-069" in part
    assert "<html" not in part


@pytest.mark.parametrize("before", ["nonsense", str(uuid.UUID(int=1))])
def test_an_invalid_cursor_is_404(client: Client, owner: User, before: str) -> None:
    conversation = talk(owner, "Hi", "Ho")
    assert client.get(f"/c/{conversation.pk}/?before={before}").status_code == 404


def test_versions_have_links_without_javascript(client: Client, owner: User) -> None:
    conversation = talk(owner, "Hi", "First")
    first = Message.objects.get(content="First")
    second = Message.objects.create(
        conversation=conversation, owner=owner, parent=first.parent, role="assistant", content="2nd"
    )
    Turn.objects.create(message=second, conversation=conversation, status="cancelled")
    Conversation.objects.update(leaf=second)
    page = client.get(f"/c/{conversation.pk}/").content.decode()
    assert "<span>2 / 2</span>" in page
    assert f'value="{first.pk}" aria-label="Previous version"' in page
    assert 'data-do="continue"' in page
    Turn.objects.filter(message=second).update(status="failed")
    assert 'data-do="again">Try again<' in client.get(f"/c/{conversation.pk}/").content.decode()


def test_a_message_is_copied_as_it_was_written(client: Client, owner: User) -> None:
    conversation = talk(owner, "Hi", "**Ho** <b>")
    answer = client.get(f"/c/{conversation.pk}/messages/{conversation.leaf_id}/source/")
    assert answer.content.decode() == "**Ho** <b>"
    assert answer["Content-Type"].startswith("text/plain")
    assert client.get(f"/c/{conversation.pk}/messages/{uuid.uuid4()}/source/").status_code == 404


def test_finished_blocks_of_a_live_answer_are_rendered(client: Client, owner: User) -> None:
    conversation = talk(owner, "Hi", "")
    Turn.objects.update(status=Turn.Status.RUNNING)
    Piece.objects.create(turn=Turn.objects.get(), seq=2, text="*One*.\n\nTwo *th")
    page = client.get(f"/c/{conversation.pk}/").content.decode()
    assert '<div class="prose" data-begin="0" data-ends="8"><p dir="auto"><em>One</em>.</p>' in page
    assert '<div class="plain" dir="auto">Two *th</div>' in page


def test_a_message_is_a_fragment(client: Client, owner: User) -> None:
    conversation = talk(owner, "Hi", "**Ho**")
    part = client.get(f"/c/{conversation.pk}/messages/{conversation.leaf_id}/").content.decode()
    assert part.strip().startswith("<article")
    assert "<strong>Ho</strong>" in part


@pytest.mark.promise(8)
def test_somebody_elses_conversation_is_404(
    client: Client, owner: User, somebody_elses: Conversation
) -> None:
    theirs, nobodys = somebody_elses.pk, uuid.uuid4()
    mine = talk(owner, "Hi", "Ho").pk
    message = somebody_elses.leaf_id
    for path in (
        "",
        "delete/",
        f"messages/{message}/",
        f"messages/{message}/source/",
        f"?before={message}",
    ):
        found, missing = client.get(f"/c/{theirs}/{path}"), client.get(f"/c/{nobodys}/{path}")
        assert found.status_code == missing.status_code == 404
        assert "Page not found." in found.content.decode()
    assert client.get(f"/c/{mine}/messages/{message}/").status_code == 404
    assert client.get(f"/c/{mine}/?before={message}").status_code == 404
    assert client.post(f"/c/{theirs}/delete/").status_code == 404
    assert Conversation.objects.filter(pk=theirs).exists()
    for path in ("/", "/chats/", "/sidebar/"):
        assert "Secrets" not in client.get(path).content.decode()


def test_the_sidebar_has_three_and_the_current_one(client: Client, owner: User) -> None:
    chats = [talk(owner, "Hi", "Ho", title=f"Chat {number}") for number in range(5)]
    for number, chat in enumerate(chats):
        Conversation.objects.filter(pk=chat.pk).update(
            updated_at=timezone.now() + timedelta(seconds=number)
        )
    recent = client.get("/sidebar/").content.decode()
    assert [title in recent for title in ("Chat 4", "Chat 3", "Chat 2", "Chat 1")] == [True] * 3 + [
        False
    ]
    assert "See all chats" in recent
    here = {**HTMX, "HX-Current-URL": f"http://testserver/c/{chats[0].pk}/"}
    with_current = client.get("/sidebar/", headers=here).content.decode()
    assert "Chat 0" in with_current
    assert with_current.count('aria-current="page"') == 1


def test_a_conversation_without_a_message_is_not_listed(client: Client, owner: User) -> None:
    Conversation.objects.create(owner=owner, title="Empty")
    assert "Empty" not in client.get("/").content.decode()
    assert "Empty" not in client.get("/chats/").content.decode()


def test_all_chats_come_in_pages(client: Client, owner: User) -> None:
    for number in range(31):
        talk(owner, "Hi", "Ho", title=f"Chat-{number:02}")
    first = client.get("/chats/").content.decode()
    assert first.count('class="chat-row') == 30
    more = re.search(r'id="more-chats" href="([^"]+)"', first)
    assert more is not None
    rest = client.get(more[1]).content.decode()
    assert rest.count('class="chat-row') == 1
    assert "more-chats" not in rest
    assert "Back to the first" in rest


def test_deleting_asks_first_and_names_the_chat(client: Client, owner: User) -> None:
    conversation = talk(owner, "Hi", "Ho", title="<Ants>")
    whole = client.get(f"/c/{conversation.pk}/delete/").content.decode()
    part = client.get(f"/c/{conversation.pk}/delete/", headers=HTMX).content.decode()
    assert "&lt;Ants&gt;" in part
    assert "<html" in whole
    assert "<html" not in part
    assert Conversation.objects.count() == 1


def test_deleting(client: Client, owner: User) -> None:
    conversation = talk(owner, "Hi", "Ho")
    answer = client.post(f"/c/{conversation.pk}/delete/")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert not Conversation.objects.exists()
    assert not Message.objects.exists()


def test_deleting_over_htmx_renders_the_sidebar_again(client: Client, owner: User) -> None:
    gone, stays = (talk(owner, "Hi", "Ho", title=title) for title in ("Gone", "Stays"))
    here = {**HTMX, "HX-Current-URL": f"http://testserver/c/{stays.pk}/"}
    answer = client.post(f"/c/{gone.pk}/delete/", headers=here)
    assert (
        str(gone.pk) in answer["HX-Trigger-After-Swap"]
    )  # the dialog closes and the row is removed
    assert "Stays" in answer.content.decode()
    assert "Gone" not in answer.content.decode()
    assert client.post(f"/c/{stays.pk}/delete/", headers=here)["HX-Redirect"] == "/"


def test_a_form_without_its_token_is_refused(owner: User) -> None:
    conversation = talk(owner, "Hi", "Ho")
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"/c/{conversation.pk}/delete/").status_code == 403
    assert Conversation.objects.exists()


@pytest.mark.parametrize("path", ["/", "/chats/", "/sidebar/"])
def test_pages_are_read_only(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
