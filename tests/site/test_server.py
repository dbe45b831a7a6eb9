"""The server around the application: stopping, and the cost of slow readers."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import aiohttp
import pytest

from chat.management.signals import DOUBLED
from talos_site.server.backpressure import LIMIT, UNANSWERED, BoundedSocket
from talos_site.server.bodies import LIMIT as BODY_LIMIT
from talos_site.server.pacing import PacedRequest
from tests.support.processes import Talos

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
Start = Callable[..., Talos]
KIB = 1024
STOPS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Start]:
    server = Talos(tmp_path, "-m", "tests.support.bare_server")

    def start(drains: float = 0) -> Talos:
        server.start(str(drains))
        return server

    yield start
    server.kill()


@pytest.mark.promise(6)
async def test_a_stop_waits_for_the_drain_and_asks_clients_to_reconnect(serve: Start) -> None:
    server = serve(drains=0.5)
    async with aiohttp.ClientSession() as http, http.ws_connect(server.address) as socket:
        server.process.send_signal(signal.SIGTERM)
        message = await socket.receive(timeout=10)
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data == 1012
    status, errors = server.end()
    assert status == 0
    assert "Finishing running answers, up to 10 s" in errors


@pytest.mark.promise(6)
async def test_a_drain_accepts_no_new_connections(serve: Start) -> None:
    server = serve(drains=30)
    async with aiohttp.ClientSession() as http, http.ws_connect(server.address):
        server.process.send_signal(signal.SIGTERM)
        assert server.line() == "draining\n"
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.ws_connect(server.address)


async def test_a_stop_lets_running_requests_finish(serve: Start) -> None:
    server = serve()
    async with aiohttp.ClientSession() as http:
        asking = asyncio.ensure_future(http.get(server.address))
        assert await asyncio.to_thread(server.line) == "asked\n"
        server.process.send_signal(signal.SIGTERM)
        async with await asking as answer:
            assert await answer.text() == "whole"
    assert server.end()[0] == 0


@pytest.mark.parametrize("again", STOPS)
@pytest.mark.parametrize("first", STOPS)
def test_a_doubled_signal_counts_once_and_a_later_one_ends_the_drain(
    serve: Start, first: signal.Signals, again: signal.Signals
) -> None:
    server = serve(drains=30)
    server.process.send_signal(first)
    since = time.monotonic()
    assert server.line() == "draining\n"
    server.process.send_signal(again)
    server.said("Finishing running answers")  # while the drain goes on
    time.sleep(max(0, since + DOUBLED + 0.2 - time.monotonic()))  # the test depends on elapsed time
    assert server.process.poll() is None
    server.process.send_signal(again)
    assert server.end()[0] == 128 + again


@pytest.mark.promise(6)
async def test_a_doubled_signal_lets_running_requests_finish(serve: Start) -> None:
    server = serve(drains=1.5)
    async with aiohttp.ClientSession() as http:
        asking = asyncio.ensure_future(http.get(server.address))
        assert await asyncio.to_thread(server.line) == "asked\n"
        server.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.005)
        server.process.send_signal(signal.SIGTERM)
        async with await asking as answer:
            assert await answer.text() == "whole"
    assert server.end()[0] == 0


def test_repeated_signals_do_not_disturb_an_idle_stop(serve: Start) -> None:
    server = serve()
    for _ in range(20):
        with contextlib.suppress(ProcessLookupError):
            server.process.send_signal(signal.SIGTERM)
        time.sleep(0.005)
    assert server.end()[0] == 0


def test_an_idle_server_stops_silently(serve: Start) -> None:
    assert serve().stop() == (0, "started\n")


def test_a_paused_flood_has_one_timer_that_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[Callable[[], None]] = []
    loop = SimpleNamespace(call_later=lambda _, look: looks.append(look))
    monkeypatch.setattr("talos_site.server.backpressure.asyncio.get_running_loop", lambda: loop)
    client = BoundedSocket()
    client.muted, client.client_addr, client.state = False, None, BoundedSocket.STATE_OPEN
    client.application_queue = asyncio.Queue()
    client.transport = Mock()
    for _ in range(8):  # data read before the pause still arrives
        client.onMessage(b"x" * UNANSWERED, isBinary=True)
    assert len(looks) == client.transport.pauseProducing.call_count == 1
    looks.pop()()
    assert len(looks) == 1  # the application is not finished yet
    client.state = BoundedSocket.STATE_CLOSED
    looks.pop()()
    assert looks == []


async def test_a_client_that_does_not_read_is_disconnected_and_costs_little(serve: Start) -> None:
    server = serve()
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(server.address, max_msg_size=0) as fast,
        http.ws_connect(server.address, max_msg_size=0) as slow,
    ):
        before = await memory(fast)
        transport = slow._response.connection.transport  # type: ignore[union-attr]
        transport.pause_reading()  # type: ignore[union-attr]
        await slow.send_str("flood 200")
        transport.resume_reading()  # type: ignore[union-attr]
        received = 0
        while (await slow.receive(timeout=10)).type is aiohttp.WSMsgType.TEXT:
            received += 1
        assert received < 20
        assert await memory(fast) - before < 8 * LIMIT // KIB


async def test_a_download_is_sent_at_its_readers_pace_and_costs_little(serve: Start) -> None:
    server = serve()
    async with (
        aiohttp.ClientSession(read_bufsize=64 * KIB) as http,
        http.ws_connect(server.address) as socket,
    ):
        before = await memory(socket)
        async with http.get(f"{server.address}/whole") as answer:
            size = len(await answer.content.readexactly(KIB))
            assert await memory(socket) - before < 16 * KIB
            async for chunk in answer.content.iter_any():
                size += len(chunk)
        assert size == 200 * KIB * KIB
        assert await memory(socket) - before < 16 * KIB


async def test_a_broken_off_download_does_not_look_complete(serve: Start) -> None:
    server = serve()
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{server.address}/broken") as answer,
    ):
        with pytest.raises(aiohttp.ClientError):
            await answer.read()
    assert "a fault in the middle" in server.stop()[1]


def test_a_slow_response_lasts_while_bytes_get_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr("talos_site.server.pacing.time.monotonic", lambda: now)
    answer = object.__new__(PacedRequest)
    transport = SimpleNamespace(dataBuffer=b"x" * 900, offset=0, _tempDataLen=0, is_cut=False)
    transport.abortConnection = lambda: setattr(transport, "is_cut", True)
    answer.channel = SimpleNamespace(transport=transport)
    answer.server = SimpleNamespace(http_timeout=120)
    answer._response_started = True
    for _ in range(9):  # a hundred bytes in a hundred seconds
        now += 100
        transport.offset += 100
        answer.check_timeouts()
    assert not transport.is_cut
    for _ in range(2):
        now += 100
        answer.check_timeouts()
    assert transport.is_cut


@pytest.mark.parametrize("length", ["Content-Length: 999999999999", "Transfer-Encoding: chunked"])
def test_an_unbounded_body_is_refused(serve: Start, length: str) -> None:
    host, _, port = serve().address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(f"POST / HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n".encode())
        mib = b"x" * 1024 * KIB
        try:
            for _ in range(BODY_LIMIT // len(mib) + 64 if "chunked" in length else 0):
                client.sendall(b"%x\r\n%s\r\n" % (len(mib), mib))
        except (BrokenPipeError, ConnectionResetError):
            return  # while it was still sending
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")


async def test_frames_of_any_size_arrive_whole_and_in_order_before_the_close(
    serve: Start,
) -> None:
    sizes = [1, 125, 126, 65_535, 65_536, 7, 300_000]
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(serve().address) as socket,
    ):
        await socket.send_str(f"sizes {' '.join(map(str, sizes))}")
        assert [len(await socket.receive_str(timeout=10)) for _ in sizes] == sizes
        assert await socket.receive_bytes(timeout=10) == b"bytes"
        closed = await socket.receive(timeout=10)
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 4000)


async def memory(socket: aiohttp.ClientWebSocketResponse) -> int:
    """Return the server's peak memory, in KiB."""
    await socket.send_str("memory")
    return int(await socket.receive_str(timeout=10))
