"""An unreachable or loading configured server: no other model answers instead."""

from __future__ import annotations

import socket
from typing import Any

import aiohttp
import pytest

from tests.support.client import Chat, Frame, kind, text
from tests.support.model_server import ModelServer, Status
from tests.support.servers import OpenChat, OwnServer

pytestmark = pytest.mark.anyio

LOADING = Status(503, '{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}')


@pytest.fixture
def port() -> int:
    """A port on which nothing listens yet."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def offer(address: str) -> Any:
    async with aiohttp.ClientSession() as http, http.get(f"{address}/api/models") as answer:
        return await answer.json()


def start(own_server: OwnServer, port: int, **more: str) -> str:
    url = f"http://127.0.0.1:{port}/v1"
    return own_server.start(OPENAI_BASE_URL=url, **{"TALOS_DEFAULT_MODEL": "", **more})


async def last(chat: Chat) -> Frame:
    message: Frame = (await chat.resume(chat.session_id))["messages"][-1]
    return message


async def test_an_unreachable_server_is_waited_for_without_a_substitute(
    own_server: OwnServer, connect: OpenChat, port: int
) -> None:
    address = start(own_server, port)
    offered = await offer(address)
    while "Looking up" in offered["models"][0]["reason"]:  # its client is imported first
        offered = await offer(address)
    row = offered["models"][0]
    assert (row["provider"], row["available"]) == ("openai", False)
    assert "cannot be reached" in row["reason"]
    assert row["id"]
    assert offered["current"] == ""
    chat = await connect(address)
    frames = await chat.say("hi")
    assert frames[-1]["status"] == "failed"
    assert frames[-2]["code"] == "model_error"
    assert "cannot be reached" in frames[-2]["content"]
    assert [f["data"]["model"] for f in frames if kind(f) == "session_created"] == [""]
    with ModelServer(port=port, models=["llama"]):
        assert text(await chat.say("again")).endswith("again")
        assert (await last(chat))["model"] == "llama"
        assert (await offer(address))["current"] == "llama"
    assert text(await chat.say("no")) == "", "it is away again, and has the next answer"
    assert (await last(chat))["model"] == "llama"


async def test_the_demo_answers_when_requested(
    own_server: OwnServer, connect: OpenChat, port: int
) -> None:
    chat = await connect(start(own_server, port))
    assert text(await chat.say("hi", model="demo"))


async def test_the_menu_shows_the_default_model_with_its_problem(
    own_server: OwnServer, connect: OpenChat, port: int
) -> None:
    address = start(own_server, port, TALOS_DEFAULT_MODEL="mine")
    offered = await offer(address)
    while offered["models"][0]["available"]:  # the problem is not known yet
        offered = await offer(address)
    assert (offered["models"][0]["id"], offered["current"]) == ("mine", "mine")
    assert "cannot be reached" in offered["models"][0]["reason"]


async def test_a_loading_model_is_waited_for(
    own_server: OwnServer, connect: OpenChat, port: int
) -> None:
    with ModelServer(port=port, models=["llama"]) as server:
        server.listing = LOADING
        address = start(own_server, port)
        chat = await connect(address)
        await chat.send("send", text="hi")
        await chat.until(is_note("The model is loading"))
        assert (await offer(address))["models"][0]["available"] is False
        server.listing = None
        assert text(await chat.until("done")) == "You said: hi"
        assert (await last(chat))["model"] == "llama"


async def test_a_wait_for_a_loading_model_is_cancelled_at_once(
    own_server: OwnServer, connect: OpenChat, port: int
) -> None:
    with ModelServer(port=port, models=["llama"]) as server:
        server.listing = LOADING
        chat = await connect(start(own_server, port))
        await chat.send("send", text="hi")
        await chat.until(is_note("The model is loading"))
        await chat.send("cancel")
        chat.patience = 2
        assert (await chat.until("done"))[-1]["status"] == "cancelled"


async def test_the_wait_for_a_loading_model_is_limited(
    own_server: OwnServer, connect: OpenChat, port: int
) -> None:
    with ModelServer(port=port, models=["llama"]) as server:
        server.listing = LOADING
        chat = await connect(start(own_server, port, TALOS_FIRST_TOKEN_SECONDS="1"))
        frames = await chat.say("hi")
        assert (frames[-2]["code"], frames[-1]["status"]) == ("model_error", "failed")
        assert "loading" in frames[-2]["content"]


def is_note(words: str) -> Any:
    return lambda frame: kind(frame) == "status" and frame["data"].get("note") == words
