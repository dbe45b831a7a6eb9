"""How an OpenAI-compatible server is asked: what it refuses, what is waited for, what is told."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from chat.errors import ContextFull, ModelError, ModelLoading
from chat.llm.base import Remark, Request, Stop, StreamEvent, Text, ToolSpec, UserMessage, Waiting
from chat.llm.openai.client import OpenAIClient
from chat.llm.stream.limits import Limits
from tests.llm.conftest import KEY, PATIENT, ask, everything, said
from tests.support.model_server import (
    Call,
    Chunk,
    Cut,
    End,
    Headers,
    ModelServer,
    Pause,
    Raw,
    Silence,
    Status,
    Step,
)

pytestmark = pytest.mark.anyio

TOOL = ToolSpec("calculate", "Works out a sum.", {"type": "object", "properties": {}})
WITH_TOOLS = replace(ask(), tools=(TOOL,))
FULL = Request("m", (UserMessage("1+1?"),), (TOOL,), max_output_tokens=100, temperature=0.5)
DONE = [Text("there"), Stop("stop")]
NO_TOOLS = Remark("This model's server does not support tools, so it answered without them.")


def refused(message: str, status: int = 400) -> Status:
    return Status(status, json.dumps({"error": {"message": message}}))


@pytest.fixture
async def client(server: ModelServer) -> AsyncIterator[OpenAIClient]:
    made = OpenAIClient(server.base_url, KEY, limits=Limits(PATIENT, PATIENT), pauses=(0.01, 0.01))
    yield made
    await made.aclose()


async def failure(client: OpenAIClient, request: Request | None = None) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await everything(client, request)
    return caught.value


# --- what a server refuses --------------------------------------------------------------------------


async def test_tools_that_are_refused_are_left_out_and_that_is_said_once(
    client: OpenAIClient, server: ModelServer
) -> None:
    server.script("m", refused("No endpoints found that support tool use.", 404))
    server.default = ("there",)
    assert await everything(client, WITH_TOOLS) == [NO_TOOLS, *DONE]
    assert await everything(client, WITH_TOOLS) == DONE
    assert ["tools" in request.body for request in server.requests] == [True, False, False]


async def test_another_model_of_the_server_is_given_tools(
    client: OpenAIClient, server: ModelServer
) -> None:
    server.script("m", refused("m does not support tools"))
    await everything(client, WITH_TOOLS)
    await everything(client, replace(WITH_TOOLS, model="n"))
    assert "tools" in server.requests[-1].body


async def test_what_is_refused_one_after_the_other_is_left_out(
    client: OpenAIClient, server: ModelServer
) -> None:
    server.script("m", refused("m does not support tools"))
    server.script("m", refused("Unknown field: stream_options", 422))
    server.script("m", refused("Unknown field: max_tokens", 422))
    server.script("m", refused("Unknown field: max_completion_tokens", 422))
    server.script("m", refused("`temperature` is deprecated"))
    server.script("m", "there")
    remarks = [event.text for event in await everything(client, FULL) if isinstance(event, Remark)]
    assert [words.split(" does not support ")[1] for words in remarks] == [
        "tools, so it answered without them.",
        "a temperature, so it answered without one.",
        "an answer limit, so it answered without one.",
    ]
    assert server.requests[-1].body == {
        "model": "m",
        "messages": [{"role": "user", "content": "1+1?"}],
        "stream": True,
    }


async def test_a_refusal_that_stays_is_told_and_not_remembered(
    client: OpenAIClient, server: ModelServer
) -> None:
    for _ in range(2):
        server.script("m", refused("tools are not supported on Sundays"))
    assert (await failure(client, WITH_TOOLS)).details == "400: tools are not supported on Sundays"
    await everything(client, WITH_TOOLS)
    assert ["tools" in request.body for request in server.requests] == [True, False, True]


async def test_a_full_context_is_no_reason_to_leave_something_out(
    client: OpenAIClient, server: ModelServer
) -> None:
    words = "maximum context length is 8192 tokens, reduce the length of messages or max_tokens"
    server.script("m", refused(words))
    error = await failure(client, FULL)
    assert isinstance(error, ContextFull)
    assert error.window == 8192
    assert len(server.requests) == 1


async def test_a_full_context_may_be_told_in_the_stream(
    client: OpenAIClient, server: ModelServer
) -> None:
    server.script("m", Chunk({"error": {"code": "context_length_exceeded", "message": "Full"}}))
    assert isinstance(await failure(client), ContextFull)


# --- what passes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "note"),
    [
        (Status(429), "Rate-limited, trying again in 1 s (2 of 3)"),
        (Status(529), "Overloaded, trying again in 1 s (2 of 3)"),
        (Status(500), "Server error, trying again in 1 s (2 of 3)"),
        (Cut(), "No connection, trying again in 1 s (2 of 3)"),
    ],
)
async def test_who_waits_is_told_why(
    client: OpenAIClient, server: ModelServer, status: Step, note: str
) -> None:
    server.script("m", status)
    server.script("m", "there")
    assert await everything(client) == [Waiting(note), *DONE]


async def test_the_wait_may_stand_in_the_message(client: OpenAIClient, server: ModelServer) -> None:
    server.script("m", refused("Please try again in 300ms.", 429))
    server.script("m", "there")
    began = time.monotonic()
    await everything(client)
    assert time.monotonic() - began >= 0.3


async def test_a_used_up_quota_is_not_waited_for(client: OpenAIClient, server: ModelServer) -> None:
    server.script("m", Status(429, '{"error": {"code": "insufficient_quota", "message": "x"}}'))
    assert "credit" in (await failure(client)).message
    assert len(server.requests) == 1


LOADING = refused("Loading model", 503)


async def test_a_model_that_is_being_loaded_is_waited_for(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.llm.stream.retry.WHILE_LOADING", 0.01)
    client = OpenAIClient(server.base_url, KEY, pauses=())
    for _ in range(5):
        server.script("m", LOADING)
    server.script("m", "there")
    assert await everything(client) == [Waiting("The model is loading"), *DONE]
    await client.aclose()


async def test_a_model_that_is_never_loaded_is_an_error(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.llm.stream.retry.WHILE_LOADING", 1)
    server.default = (LOADING,)
    client = OpenAIClient(server.base_url, KEY, limits=Limits(PATIENT, 1.5), pauses=())
    error = await failure(client)
    assert isinstance(error, ModelLoading)
    assert error.details == "503: Loading model"
    await client.aclose()


async def test_cancelling_ends_a_wait_at_once(client: OpenAIClient, server: ModelServer) -> None:
    server.script("m", Status(429, headers={"Retry-After": "10"}))
    waiting = asyncio.Event()

    async def read() -> None:
        async with aclosing(client.stream(ask())) as events:
            async for _ in events:
                waiting.set()

    task = asyncio.create_task(read())
    await waiting.wait()
    task.cancel()
    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 1
    assert len(server.requests) == 1


async def test_a_request_that_may_have_been_received_is_not_sent_again_later(
    client: OpenAIClient, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.llm.stream.retry.AT_ONCE", 0.1)
    server.script("m", Pause(0.3), Cut())
    assert "cut off" in (await failure(client)).message
    assert len(server.requests) == 1


async def test_all_attempts_together_have_until_the_first_word(server: ModelServer) -> None:
    server.default = (Pause(0.3), Status(500))
    limits = Limits(PATIENT, 0.5)
    client = OpenAIClient(server.base_url, KEY, limits=limits, pauses=[0.01] * 9)
    assert "wrote nothing for 0.5" in (await failure(client)).message
    await client.aclose()


# --- ends -------------------------------------------------------------------------------------------

FINISH = Chunk({"choices": [{"delta": {"content": ""}, "finish_reason": "stop"}]})


async def test_an_end_before_the_first_word_is_none(
    client: OpenAIClient, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.llm.stream.reading.AFTER_FINISH", 0.05)
    server.script("m", FINISH, Pause(0.3), "there")
    assert await everything(client) == DONE


async def test_words_after_an_early_end_renew_the_wait(
    client: OpenAIClient, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.llm.stream.reading.AFTER_FINISH", 0.6)
    more: list[Step] = ["a", FINISH]
    for letter in "bcd":
        more += [Pause(0.3), letter]
    server.script("m", *more, Silence())
    assert await everything(client) == [*map(Text, "abcd"), Stop("stop")]


async def test_done_alone_is_an_end(client: OpenAIClient, server: ModelServer) -> None:
    server.script("m", Chunk({"choices": [{"delta": {"content": "there"}}]}), DONE_LINE, End())
    assert await everything(client) == DONE


DONE_LINE = Raw(b"data: [DONE]\n\n")


async def test_a_broken_answer_keeps_what_was_held_back(
    client: OpenAIClient, server: ModelServer
) -> None:
    server.script("m", "a <thi", Cut())
    seen: list[StreamEvent] = []
    with pytest.raises(ModelError, match="cut off"):
        async with aclosing(client.stream(ask())) as events:
            async for event in events:
                seen.append(event)
    assert "".join(event.content for event in seen if isinstance(event, Text)) == "a <thi"


async def test_an_endless_tail_of_comments_ends(
    client: OpenAIClient, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.llm.stream.reading.AFTER_FINISH", 0.2)
    comments: list[Step] = [Raw(b": still here\n\n"), Pause(0.05)] * 1_000
    server.script("m", "there", FINISH, *comments)
    assert await everything(client) == DONE


# --- reasons ----------------------------------------------------------------------------------------


async def test_the_key_and_the_address_are_taken_out_of_a_reason(
    client: OpenAIClient, server: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.script("m", refused(f"The key {KEY} is not known at {server.base_url}", 401))
    error = await failure(client)
    assert error.details == "401: The key … is not known at …"
    assert KEY not in caplog.text
    assert "127.0.0.1" not in caplog.text


async def test_an_error_in_the_stream_is_told_without_secrets(
    client: OpenAIClient, server: ModelServer
) -> None:
    server.script("m", "a", Chunk({"error": {"code": 502, "message": f"{server.root} is away"}}))
    error = await failure(client)
    assert "internal error" in error.message
    assert error.details == "502: http://… is away"


async def test_why_there_is_no_connection_is_told() -> None:
    with ModelServer() as gone:
        address = gone.base_url
    client = OpenAIClient(address, KEY, pauses=())
    error = await failure(client)
    assert "cannot be reached" in error.message
    assert error.details == "Connection refused"
    with pytest.raises(ModelError) as caught:
        await client.list_models()
    assert caught.value.details == "Connection refused"
    await client.aclose()


# --- servers that mean no good ----------------------------------------------------------------------

Handler = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def hostile(handler: Handler, limits: Limits) -> AsyncIterator[OpenAIClient]:
    """A client of a server that writes whatever it likes."""

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


async def test_endless_headers_are_given_up() -> None:
    async def headers(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        await write_for_ever(writer, b"X-Header: " + b"x" * 1_000 + b"\r\n")

    async with hostile(headers, Limits(2, 2)) as client:
        await failure(client)


async def test_an_endless_refusal_is_read_only_so_far() -> None:
    async def refusal(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 No\r\nContent-Type: text/plain\r\n\r\n")
        await write_for_ever(writer, b"no " * 10_000)

    async with hostile(refusal, Limits(PATIENT, PATIENT)) as client:
        error = await failure(client)
        assert error.details.startswith("400: no no")
        with pytest.raises(ModelError, match="did not accept"):
            await client.list_models()


async def test_a_refusal_that_trickles_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.llm.stream.connection.SLOWEST_REFUSAL", 0.3)

    async def refusal(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 No\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            writer.write(b"no")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with hostile(refusal, Limits(PATIENT, PATIENT)) as client:
        assert (await failure(client)).details.startswith("400: nono")


async def test_a_packed_refusal_is_read_only_so_far() -> None:
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


async def test_a_call_is_a_first_word(server: ModelServer) -> None:
    server.script("m", Call("calculate", "{}"), Raw(b": wait\n\n"), Pause(0.6), "late")
    client = OpenAIClient(server.base_url, KEY, limits=Limits(PATIENT, 0.3))
    events = said(await everything(client))
    assert Text("late") in events
    assert events[-1] == Stop("tool_calls")
    await client.aclose()


async def test_a_value_that_is_refused_is_left_out_of_this_request_alone(
    client: OpenAIClient, server: ModelServer
) -> None:
    words = "max_tokens is too large: 100. This model supports at most 50 completion tokens"
    for _ in range(2):
        server.script("m", Status(400, f'{{"error": {{"message": "{words}"}}}}'))
        events = await everything(client, Request("m", (UserMessage("hi"),), max_output_tokens=100))
        assert (
            Remark(
                "This model's server did not accept this answer limit, so it answered without one."
            )
            in events
        )


async def test_no_redirect_is_followed(client: OpenAIClient, server: ModelServer) -> None:
    with ModelServer() as other:
        server.script("m", Status(307, "", headers={"Location": f"{other.base_url}/x"}))
        with pytest.raises(ModelError, match=r"redirects to 127\.0\.0\.1") as error:
            await everything(client, ask())
        assert f"{urlsplit(other.base_url).netloc}, which" in str(error.value)
        assert other.requests == []


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("https://me:secret@new.example/v1?key=sk-1234567890abcdef", "to new.example, which"),
        ("//new.example:8443/v1", "to new.example:8443, which"),
        ("/v2/chat", "to another address of its own, which"),
        ("http://[", "to another address of its own, which"),
    ],
)
async def test_a_redirect_names_the_new_host_and_nothing_secret(
    client: OpenAIClient, server: ModelServer, address: str, named: str
) -> None:
    server.script("m", Status(301, "", headers={"Location": address}))
    with pytest.raises(ModelError) as error:
        await everything(client, ask())
    assert named in str(error.value)
    assert "secret" not in f"{error.value} {error.value.details}"


async def test_a_stop_after_the_last_word_is_a_stop(
    client: OpenAIClient, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait for what may follow an end has run out once; a person stops in the second wait."""
    monkeypatch.setattr("chat.llm.stream.reading.AFTER_FINISH", 0.05)
    monkeypatch.setattr("chat.llm.stream.reading.AFTER_DONE", PATIENT)
    finish = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    server.script("m", "a", Chunk(finish), Silence())
    ended = asyncio.Event()

    async def follow() -> None:
        async with aclosing(client.stream(ask())) as events:
            async for event in events:
                if isinstance(event, Stop):
                    ended.set()

    task = asyncio.create_task(follow())
    await ended.wait()
    await asyncio.sleep(0)  # it drains now
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("rest", [b"data: [done]\n\n", b"data: OK\n\n"])
async def test_a_whole_answer_does_not_fail_over_its_last_bytes(
    client: OpenAIClient, server: ModelServer, rest: bytes
) -> None:
    finish = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    server.script("m", "all", Chunk(finish), Pause(0.05), Raw(rest), End())
    assert said(await everything(client)) == [Text("all"), Stop("stop")]


async def test_a_body_that_is_plain_text_is_the_reason(
    client: OpenAIClient, server: ModelServer
) -> None:
    server.script("m", Raw(b"upstream connect error or disconnect"), End())
    with pytest.raises(ModelError) as caught:
        await everything(client)
    assert caught.value.details == "upstream connect error or disconnect"


async def test_a_whole_object_needs_no_finish_reason(
    client: OpenAIClient, server: ModelServer
) -> None:
    server.script("m", Raw(b'{"choices": [{"message": {"content": "all"}}]}'), End())
    assert said(await everything(client)) == [Text("all"), Stop("stop")]


async def test_the_word_null_is_no_end(client: OpenAIClient, server: ModelServer) -> None:
    begun = {"choices": [{"delta": {"content": "a"}, "finish_reason": "null"}]}
    server.script("m", Chunk(begun), "b")
    assert said(await everything(client)) == [Text("a"), Text("b"), Stop("stop")]
