"""Servers that never finish, or send more than anyone reads."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from chat.errors import ModelError
from chat.llm.openai.client import OpenAIClient
from chat.llm.stream.limits import Limits
from tests.llm.conftest import KEY, PATIENT, failure
from tests.support.model_server import (
    Headers,
    ModelServer,
    Silence,
)

pytestmark = pytest.mark.anyio

Handler = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def hostile(handler: Handler, limits: Limits) -> AsyncIterator[OpenAIClient]:
    """A client of a server that writes arbitrary bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await handler(writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = OpenAIClient(f"http://127.0.0.1:{port}/v1", KEY, limits=limits, pauses=())
    try:
        yield client
    finally:
        await client.aclose()
        server.close()


async def write_for_ever(writer: asyncio.StreamWriter, piece: bytes) -> None:
    while True:
        writer.write(piece)
        await writer.drain()


async def test_endless_headers_are_abandoned() -> None:
    async def headers(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        await write_for_ever(writer, b"X-Header: " + b"x" * 1_000 + b"\r\n")

    async with hostile(headers, Limits(2, 2)) as client:
        await failure(client)


async def test_an_endless_refusal_is_read_up_to_a_limit() -> None:
    async def refusal(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 No\r\nContent-Type: text/plain\r\n\r\n")
        await write_for_ever(writer, b"no " * 10_000)

    async with hostile(refusal, Limits(PATIENT, PATIENT)) as client:
        error = await failure(client)
        assert error.details.startswith("400: no no")
        with pytest.raises(ModelError, match="did not accept"):
            await client.list_models()


async def test_a_refusal_that_trickles_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.llm.stream.connection.REFUSAL_SECONDS", 0.3)

    async def refusal(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 No\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            writer.write(b"no")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with hostile(refusal, Limits(PATIENT, PATIENT)) as client:
        assert (await failure(client)).details.startswith("400: nono")


async def test_a_compressed_refusal_is_read_up_to_a_limit() -> None:
    packed = gzip.compress(b"no " * 10_000_000)

    async def refusal(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 400 No\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
        writer.write(head.encode() + packed)
        await writer.drain()

    async with hostile(refusal, Limits(PATIENT, PATIENT)) as client:
        assert (await failure(client)).details.startswith("400: no no")


async def test_headers_and_then_nothing_is_silence(server: ModelServer) -> None:
    server.script("m", Headers(), Silence())
    client = OpenAIClient(server.base_url, KEY, limits=Limits(0.3, PATIENT))
    assert "silent for 0.3 seconds" in (await failure(client)).message
    await client.aclose()
