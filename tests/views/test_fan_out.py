"""Rows that an import can bring in thousands are shown in parts, with a way to the rest; downloads
are whole."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from time import thread_time
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from chat.display.snapshots import session_created
from chat.models import Conversation, Message, ToolCall, Turn
from chat.protocol import MAX_FRAME_BYTES
from tests.support import histories

pytestmark = pytest.mark.django_db

PAGE_BYTES = 2 * 1024 * 1024
HTMX = {"HX-Request": "true"}
ANSWER = '"Words" & more\n\n' * 5000
RESULT = "result" * 200
NASTY = "\x01\"'<&"
"""Characters that take the most room in a frame or on a page."""


@pytest.fixture
def conversation(owner: User) -> Conversation:
    return histories.make(1, messages=2, owner=owner)[0]


def calls(conversation: Conversation, number: int, result: str = "42") -> None:
    ToolCall.objects.bulk_create(
        ToolCall(
            message_id=str(conversation.leaf_id), call_id=f"c{n}", round=0, offset=0, name="calculate",
            arguments=json.dumps({"n": n}), status="finished", result=result,
        )
        for n in range(number)
    )  # fmt: skip


def versions(conversation: Conversation, number: int) -> list[Message]:
    first = Message.objects.get(conversation=conversation, parent=None)
    made = Message.objects.bulk_create(
        Message(
            conversation=conversation, owner=conversation.owner, parent=first, role="assistant",
            content=f"Version {n}", created_at=timezone.now() + timedelta(seconds=n),
        )
        for n in range(number)
    )  # fmt: skip
    Turn.objects.bulk_create(
        Turn(message=m, conversation=conversation, status="completed", model="demo") for m in made
    )
    return made


def say(conversation: Conversation, **fields: str) -> None:
    Message.objects.filter(pk=str(conversation.leaf_id)).update(**fields)


def snapshot(conversation: Conversation) -> dict[str, Any]:
    frame, _ = session_created(conversation.owner, conversation.pk, "demo")
    text = frame.encode()
    assert len(text.encode()) <= MAX_FRAME_BYTES
    data: dict[str, Any] = json.loads(text)["data"]
    return data


def page(client: Client, path: str, **headers: str) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200
    assert len(answer.content) <= PAGE_BYTES
    return answer.content.decode()


def body(client: Client, path: str) -> bytes:
    answer: Any = client.get(path)

    async def collect() -> bytes:
        return b"".join([chunk async for chunk in answer.streaming_content])

    return async_to_sync(collect)()


def hostile(owner: User) -> Conversation:
    """Messages in which everything has its maximum length."""
    made = histories.make(1, messages=24, text=NASTY * 12_000, owner=owner)[0]
    said = Message.objects.filter(conversation=made)
    said.update(reasoning=NASTY * 12_000)
    Turn.objects.filter(conversation=made).update(
        error=NASTY * 5000, error_details=NASTY * 5000, note=NASTY * 5000
    )
    answers = said.filter(role="assistant")
    answers.update(content=ANSWER)  # Markdown, which is slow for the other text
    # in batches: PostgreSQL ends a transaction that idles for ten seconds
    ToolCall.objects.bulk_create((
        ToolCall(
            message=answer, call_id=f"c{n}", round=0, offset=0, name=NASTY * 40, status="finished",
            arguments=json.dumps({NASTY * 9: NASTY * 2000}), result=NASTY * 2000,
        )
        for answer in answers
        for n in range(50)
    ), batch_size=50)  # fmt: skip
    return made


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)  # the test's own transaction would idle as long
def test_no_frame_and_no_page_is_too_large(client: Client, owner: User) -> None:
    conversation = hostile(owner)
    data = snapshot(conversation)
    assert len(data["messages"]) == 20
    last = data["messages"][-1]
    assert last["truncated"]
    assert last["calls"] == 50
    shown = page(client, f"/c/{conversation.pk}/")
    assert "Earlier messages" in shown
    page(client, f"/admin/chat/conversation/{conversation.pk}/change/")
    page(client, f"/admin/chat/message/{conversation.leaf_id}/change/")
    said = client.get(f"/api/chat/sessions/{conversation.pk}/messages").json()
    assert said["has_more"]
    assert said["messages"][-1]["content"] == ANSWER


def test_every_message_of_a_long_page_can_be_reached(client: Client, owner: User) -> None:
    conversation = histories.make(1, messages=40, text="x & y " * 15_000, owner=owner)[0]
    path, seen = f"/c/{conversation.pk}/", []
    while path:
        shown = page(client, path)
        seen += re.findall(r'<article[^>]* data-id="([0-9a-f-]{36})"', shown)
        more = re.search(r'id="earlier" href="([^"]+)"', shown)
        path = more[1] if more else ""
    assert len(seen) == len(set(seen)) == 40
    first = Message.objects.get(conversation=conversation, parent=None)
    for message in (first, Message.objects.get(pk=str(conversation.leaf_id))):
        assert f"m-{message.pk}" in page(client, f"/c/{conversation.pk}/?at={message.pk}")


def test_the_calls_of_an_answer_are_shown_in_parts(
    client: Client, conversation: Conversation
) -> None:
    calls(conversation, 300)
    last = snapshot(conversation)["messages"][-1]
    assert last["calls"] == 301
    assert [last["tool_calls"][n]["call_id"] for n in (0, 1, -1)] == ["call-1", "c0", "c299"]
    shown = page(client, f"/c/{conversation.pk}/")
    ids = re.findall(r'data-call-id="([^"]+)"', shown)
    while link := re.search(r'data-do="more" href="([^"]+calls/[^"]+)">Show ([\w ]+)', shown):
        shown = page(client, link[1], **HTMX)
        ids += re.findall(r'data-call-id="([^"]+)"', shown)
    assert set(ids) >= {"call-1", *(f"c{n}" for n in range(300))}
    assert "261 more calls" in page(client, f"/admin/chat/conversation/{conversation.pk}/change/")
    whole = client.get(f"/api/chat/sessions/{conversation.pk}/messages/{conversation.leaf_id}")
    assert len(whole.json()["message"]["tool_calls"]) == 301


def test_a_long_text_is_shown_piece_by_piece(client: Client, conversation: Conversation) -> None:
    text = "".join(f"Line {n} é\n" for n in range(120_000))
    say(conversation, content=text)
    last = snapshot(conversation)["messages"][-1]
    assert last["truncated"]
    assert text.startswith(last["content"])
    shown = page(client, f"/c/{conversation.pk}/")
    assert re.search(r"Show all \(1\.\d\xa0MB\)", shown)
    pieces = []
    while link := re.search(r'data-do="more"[^>]* href="([^"]+text/[^"]+)">Show', shown):
        shown = page(client, link[1], **HTMX)
        piece = re.search(r'<div class="plain" dir="auto">(.*?)</div>', shown, re.DOTALL)
        assert piece is not None
        pieces.append(piece[1])
    begin = len(text) - sum(map(len, pieces))
    assert "".join(pieces) == text[begin:]
    assert f"Line {text[:begin].count(chr(10)) - 2} " in page(client, f"/c/{conversation.pk}/")
    assert client.get(link_to_nothing(conversation)).status_code == 404
    page(client, f"/c/{conversation.pk}/messages/{conversation.leaf_id}/more/text/?from=0")


def link_to_nothing(conversation: Conversation) -> str:
    return f"/c/{conversation.pk}/messages/{conversation.leaf_id}/more/calls/?from=9999"


def test_a_call_that_is_cut_can_be_read_whole(client: Client, conversation: Conversation) -> None:
    result = "r" * 1_000_000
    calls(conversation, 1, result)
    shown = page(client, f"/c/{conversation.pk}/")
    link = re.search(r'href="([^"]+)" target="_blank">Show the whole call', shown)
    assert link is not None
    assert result in client.get(link[1]).content.decode()
    assert "Show the whole call" in page(
        client, f"/admin/chat/conversation/{conversation.pk}/change/"
    )


def test_versions_are_stepped_through(client: Client, conversation: Conversation) -> None:
    made = versions(conversation, 3000)
    conversation.leaf = made[1500]
    conversation.save()
    last = snapshot(conversation)["messages"][-1]
    assert (last["version"], last["versions"]) == (1502, 3001)
    at = last["siblings"].index(last["id"])
    assert last["siblings"][at - 1 : at + 2] == [str(m.pk) for m in made[1499:1502]]
    shown = page(client, f"/c/{conversation.pk}/")
    assert "1502 / 3001" in shown
    assert f'value="{made[1499].pk}" aria-label="Previous version"' in shown
    admin = page(client, f"/admin/chat/conversation/{conversation.pk}/change/")
    assert "1502 of 3001" in admin
    assert f"?at={made[1501].pk}" in admin
    assert len(client.get(f"/api/chat/sessions/{conversation.pk}/messages").content) < 100_000


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["md", "json"])
def test_a_download_is_whole_and_takes_time_by_its_size(
    client: Client, conversation: Conversation, suffix: str
) -> None:
    took = []
    for number in (2000, 4000):
        ToolCall.objects.filter(message=conversation.leaf_id).delete()
        calls(conversation, number, RESULT)
        began = thread_time()
        whole = body(client, f"/c/{conversation.pk}/download.{suffix}")
        took.append(thread_time() - began)
        assert whole.count(RESULT.encode()) == number
    assert took[1] < 4 * took[0]
