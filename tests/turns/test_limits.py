"""The demo and unknown models, rate limits, and the removal of empty conversations."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from chat.access.owner import local_owner
from chat.models import Conversation
from chat.turns import poller
from tests.support.client import kind, kinds, text
from tests.support.databases import fresh_database
from tests.support.processes import Talos
from tests.support.servers import Model, OpenChat, OwnServer


@pytest.fixture(scope="module")
def unconfigured(tmp_path_factory: pytest.TempPathFactory, collected: None) -> Iterator[str]:
    """The address of a server without a configured model."""
    talos = Talos(tmp_path_factory.mktemp("unconfigured") / "data")
    with fresh_database(talos.data) as variables:
        yield talos.start(**variables)
        talos.kill()


@pytest.mark.slow
@pytest.mark.anyio
async def test_the_demo_answers_when_nothing_is_configured(
    unconfigured: str, connect: OpenChat
) -> None:
    chat = await connect(unconfigured)
    frames = await chat.say("Hello")
    assert frames[0]["data"]["model"] == "demo"
    assert "demo" in text(frames).lower()
    assert frames[-1]["status"] == "completed"
    assert await chat.title_of(chat.session_id)


@pytest.mark.slow
@pytest.mark.anyio
async def test_an_unknown_model_is_refused_and_nothing_is_created(
    unconfigured: str, connect: OpenChat
) -> None:
    chat = await connect(unconfigured)
    frames = await chat.say("Hello", model="claude-sonnet-4-20250514", client_id="u")
    assert kinds(frames) == ["error", "done"]
    assert frames[0]["code"] == "unknown_model"
    assert "claude-sonnet-4-20250514" in frames[0]["content"]
    for model in ("nope", "x" * 201):
        await chat.send("new_session", model=model)
        assert (await chat.until("error"))[-1]["code"] == "unknown_model"
    again = await chat.say("Hello", client_id="u")  # the refused one was not stored
    assert again[-1]["status"] == "completed"


@pytest.mark.anyio
async def test_sends_are_rate_limited_per_user(
    own_server: OwnServer, connect: OpenChat, model: Model
) -> None:
    address = own_server.start(TALOS_SENDS_PER_MINUTE="2")
    chat = await connect(address)
    await chat.say("one", model="echo")
    await chat.say("two", model="echo", client_id="two")
    other = await connect(address)
    frames = await other.say("three", model="echo")
    assert kinds(frames) == ["error", "done"]
    assert frames[0]["code"] == "rate_limited"
    assert (await chat.say("two", client_id="two"))[-1]["status"] == "completed"
    for action in ("regenerate", "continue"):  # these ask the model, too
        await chat.send(action)
        frames = await chat.until("done")
        assert [frame.get("code") for frame in frames] == ["rate_limited", None]


@pytest.mark.anyio
async def test_a_missing_default_model_fails_with_a_reason(
    own_server: OwnServer, connect: OpenChat
) -> None:
    own_server.variables.pop("OPENAI_BASE_URL")
    own_server.variables.pop("OPENAI_API_KEY")
    chat = await connect(own_server.start(TALOS_DEFAULT_MODEL="gone"))
    frames = await chat.say("Hello")
    errors = [frame for frame in frames if kind(frame) == "error"]
    assert [error["code"] for error in errors] == ["unknown_model"]
    assert frames[-1]["status"] == "failed"


@pytest.mark.django_db
def test_an_empty_conversation_is_removed_after_a_day() -> None:
    owner = local_owner()
    now = timezone.now()
    old = Conversation.objects.create(owner=owner, created_at=now - timedelta(hours=25))
    new = Conversation.objects.create(id=uuid4(), owner=owner)
    poller.tidy()
    assert not Conversation.objects.filter(pk=old.pk).exists()
    assert Conversation.objects.filter(pk=new.pk).exists()
    assert not Conversation.objects.of(owner).listed().exists()
