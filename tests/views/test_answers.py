"""Answers on the page: how each ended, and how full the context is."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from chat.models import Conversation, Turn
from chat.turns.context import LEFT_OUT
from tests.support.conversations import talk

pytestmark = pytest.mark.django_db


def test_an_answer_shows_how_it_ended(client: Client, owner: User) -> None:
    conversation = talk(owner, "Hi", "Ho")
    for status, error, words in [
        ("cancelled", "", "Stopped"),
        ("interrupted", "", "Interrupted"),
        ("failed", "The key was refused.", "The key was refused."),
    ]:
        Turn.objects.update(status=status, error=error)
        assert words in client.get(f"/c/{conversation.pk}/").content.decode()


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
