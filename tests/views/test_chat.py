"""The pages over HTTP: readable without JavaScript, and only by their owner."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from chat.access.owner import local_owner
from chat.models import Conversation, Message, Piece, ToolCall, Turn
from chat.turns.context import LEFT_OUT

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def owner() -> User:
    return local_owner()


def talk(owner: User, *said: str, title: str = "About ants") -> Conversation:
    """A conversation of questions and answers, in turns."""
    conversation = Conversation.objects.create(owner=owner, title=title)
    begin = timezone.now() - timedelta(hours=1)
    parent = None
    for number, content in enumerate(said):
        role = Message.Role.ASSISTANT if number % 2 else Message.Role.USER
        parent = Message.objects.create(
            conversation=conversation,
            owner=owner,
            parent=parent,
            role=role,
            content=content,
            created_at=begin + timedelta(seconds=number),
        )
        if number % 2:
            status = Turn.Status.COMPLETED
            Turn.objects.create(
                message=parent, conversation=conversation, status=status, model="demo"
            )
    conversation.leaf = parent
    conversation.save()
    return conversation


@pytest.fixture
def somebody_elses() -> Conversation:
    return talk(User.objects.create(username="stranger"), "A secret", "Kept", title="Secrets")


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


def test_an_answer_shows_how_it_ended(client: Client, owner: User) -> None:
    conversation = talk(owner, "Hi", "Ho")
    for status, error, words in [
        ("cancelled", "", "Stopped"),
        ("interrupted", "", "Interrupted"),
        ("failed", "The key was refused.", "The key was refused."),
    ]:
        Turn.objects.update(status=status, error=error)
        assert words in client.get(f"/c/{conversation.pk}/").content.decode()


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


# --- how an answer ended ------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "messages/{answer}/"])
def test_the_details_of_an_error_are_text(client: Client, owner: User, path: str) -> None:
    conversation = talk(owner, "Hi", "")
    said = {"status": Turn.Status.FAILED, "error": "It <i>failed</i>."}
    Turn.objects.update(**said, error_details="400\n<script>alert(1)</script>\u202e")
    path = path.format(answer=conversation.leaf_id)
    page = client.get(f"/c/{conversation.pk}/{path}").content.decode()
    assert "It &lt;i&gt;failed&lt;/i&gt;." in page
    details = page.partition('<details class="cause">')[2].partition("</details>")[0]
    assert "400\n&lt;script&gt;alert(1)&lt;/script&gt;\\u202e</pre>" in details


def test_an_error_without_details_has_nothing_to_unfold(client: Client, owner: User) -> None:
    conversation = talk(owner, "Hi", "")
    Turn.objects.update(status=Turn.Status.FAILED, error="No.")
    answer = client.get(f"/c/{conversation.pk}/messages/{conversation.leaf_id}/").content.decode()
    assert "No." in answer
    assert "cause" not in answer


@pytest.mark.parametrize(
    ("tokens", "window", "words"),
    [
        (0, 128_000, "0 of 128k tokens (0%)"),
        (999, 1000, "999 of 1k tokens (99%)"),
        (1_500, 8_192, "1.5k of 8.2k tokens (18%)"),
        (54_321, 128_000, "54k of 128k tokens (42%)"),
        (999_500, 1_000_000, "1M of 1M tokens (99%)"),
        (1_100_000, 1_048_576, "1.1M of 1M tokens (100%)"),
        (54_321, None, "54k tokens"),
        (54_321, 0, "54k tokens"),
    ],
)
def test_a_gauge_shows_how_full_the_context_is(
    client: Client, owner: User, tokens: int, window: int | None, words: str
) -> None:
    conversation = talk(owner, "Hi", "Ho")
    Turn.objects.update(
        context_tokens=tokens, context_window=window, ended_at=timezone.now(), started_at=None
    )
    for path in (f"messages/{conversation.leaf_id}/", "settings/"):
        page = client.get(f"/c/{conversation.pk}/{path}").content.decode()
        gauge = page.partition('<dd class="gauge">')[2].partition("</dd>")[0]
        assert gauge.partition("<meter")[0].strip() == words
        assert ("<meter" in gauge) is bool(window)


@pytest.mark.parametrize(
    ("tokens", "note", "warns"),
    [(79, "", False), (80, "", True), (80, "Beside the point.", True), (90, LEFT_OUT, False)],
)
def test_a_nearly_full_context_gets_a_warning(
    client: Client, owner: User, tokens: int, note: str, warns: bool
) -> None:
    conversation = talk(owner, "Hi", "Ho")
    Turn.objects.update(context_tokens=tokens, context_window=100, note=note)
    page = client.get(f"/c/{conversation.pk}/").content.decode()
    assert (f"This chat fills {tokens}% of the model" in page) is warns
    assert escape(note) in page


def test_the_gauge_of_a_chat_is_that_of_its_current_branch(client: Client, owner: User) -> None:
    conversation = talk(owner, "Hi", "Ho", "And?", "So.")
    said = Turn.objects.order_by("pk")
    said.update(ended_at=timezone.now(), context_window=1000)
    Turn.objects.filter(pk=said[0].pk).update(context_tokens=100)
    Turn.objects.filter(pk=said[1].pk).update(context_tokens=200)
    url = f"/c/{conversation.pk}/settings/"
    assert "200 of 1k tokens" in client.get(url).content.decode()
    Conversation.objects.update(leaf=said[0].message_id)
    assert "100 of 1k tokens" in client.get(url).content.decode()
