"""A page waits for its texts only briefly, and a finished text is rendered once."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from concurrent.futures import Future
from contextlib import ExitStack
from time import time
from uuid import uuid4

import pytest

from chat import services
from chat.access.owner import local_owner
from chat.display import transcript
from chat.markdown import kept, pages
from chat.markdown.jobs import Job, Outcome
from chat.markdown.kept import Place
from chat.markdown.pool import pool
from chat.models import Conversation, KeptRender, Message, Turn
from tests.markdown.costly_texts import COSTLY, FENCE

pytestmark = pytest.mark.django_db


def talk(*answers: str) -> Conversation:
    """Make a conversation with these finished answers."""
    conversation_id = uuid4()
    for number, answer in enumerate(answers):
        said = services.say(
            local_owner(),
            conversation_id=conversation_id,
            text="?",
            default_model="m",
            begins=not number,
        )
        Message.objects.filter(pk=said.turn.message_id).update(content=answer)
    Turn.objects.update(status=Turn.Status.COMPLETED)
    return Conversation.objects.get(pk=conversation_id)


def shown(conversation: Conversation) -> list[str]:
    messages = transcript.latest(conversation).messages
    return ["".join(part.html or "" for part in message.parts) for message in messages][1::2]


def row(message: Message, text: str, html: str, until: float | None = None) -> KeptRender:
    return kept.row_of(Place(message.pk, 0), kept.key(text), Outcome(html=html, until=until))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Future[Outcome]]:
    """The jobs for workers from here on."""
    asked: list[Future[Outcome]] = []

    def submit(key: Hashable, job: Job) -> Future[Outcome]:
        asked.append(submitted(key, job))
        return asked[-1]

    submitted = pool.submit
    monkeypatch.setattr(pool, "submit", submit)
    return asked


def test_answers_are_rendered() -> None:
    html = shown(talk("*a*", FENCE))
    assert html[0] == '<p dir="auto"><em>a</em></p>\n'
    assert "<em>it</em>" in html[1]
    assert "\t" * 2000 in html[1]


def test_a_page_of_costly_texts_is_complete_without_waiting_for_all(
    asked: list[Future[Outcome]],
) -> None:
    colons = COSTLY["colons"][:50_000]
    conversation = talk(*(f"{number} {colons}" for number in range(20)))
    html = shown(conversation)
    for number, found in enumerate(html):
        assert f"{number} {colons}" in found
    assert sum(future.done() for future in asked) < 20  # it did not wait for all


def test_few_pages_wait_for_costly_texts_at_once(asked: list[Future[Outcome]]) -> None:
    """The other threads stay free for other pages."""
    colons = COSTLY["colons"][:50_000]
    conversation = talk(colons)
    with ExitStack() as others:
        for _ in range(pages.MOST_WAITING):
            others.enter_context(pages._seats)
        assert colons in shown(conversation)[0]
        assert not asked[0].done()
    shown(conversation)
    assert asked[0].done()


def test_renders_to_be_stored_are_bounded_in_number_and_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asyncio, "create_task", lambda storing: storing.close())
    message = Message()
    for html, most in (("", kept.MOST_WAITING), ("x" * (kept.MOST_CHARACTERS // 3), 3)):
        keeper = kept._Keeper()
        for _ in range(most + 1):
            keeper.add(row(message, "", html))
        assert len(keeper._waiting) == most


def test_a_stored_render_is_shown_and_not_rendered_again(asked: list[Future[Outcome]]) -> None:
    conversation = talk("*a*")
    message = Message.objects.get(role="assistant")
    kept.store([row(message, "*a*", "<p>kept</p>")])
    assert shown(conversation) == ["<p>kept</p>"]
    assert not asked


def test_a_render_of_another_text_or_version_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    conversation = talk("*a*")
    message = Message.objects.get(role="assistant")
    kept.store([row(message, "*b*", "<p>of another text</p>")])
    assert "<em>a</em>" in shown(conversation)[0]
    kept.store([row(message, "*a*", "<p>of this version</p>")])
    monkeypatch.setattr(kept, "_version", lambda: b"the next")
    assert "<em>a</em>" in shown(conversation)[0]
    kept.store([row(message, "*a*", "<p>of the next</p>")])
    assert shown(conversation) == ["<p>of the next</p>"]
    assert KeptRender.objects.count() == 1


def test_a_too_costly_text_is_tried_again_after_an_hour() -> None:
    conversation = talk("*a*")
    message = Message.objects.get(role="assistant")
    kept.store([row(message, "*a*", "<p>plain</p>", until=time() + 60)])
    assert shown(conversation) == ["<p>plain</p>"]
    kept.store([row(message, "*a*", "<p>plain</p>", until=time() - 60)])
    assert "<em>a</em>" in shown(conversation)[0]


def test_a_deleted_message_gets_no_row() -> None:
    conversation = talk("*a*")
    message = Message.objects.get(role="assistant")
    services.delete(local_owner(), conversation.pk)
    kept.store([row(message, "*a*", "<p>late</p>")])
    assert not KeptRender.objects.exists()


def test_a_conversation_is_deleted_with_its_renders() -> None:
    conversation, other = talk("*a*"), talk("*b*")
    for message in Message.objects.filter(role="assistant"):
        kept.store([row(message, message.content, "<p>kept</p>")])
    services.delete(local_owner(), conversation.pk)
    assert KeptRender.objects.get().message.conversation == other
