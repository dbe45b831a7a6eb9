"""The contract of every model client, tested against a server on a socket."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from contextlib import aclosing

import pytest

from chat.errors import ContextFull
from chat.llm.base import Reasoning, Stop, Text, ToolRequest, Usage
from chat.llm.stream.limits import Limits
from tests.llm.conftest import HASTY, KEY, PATIENT, Provider, ask, client_of, everything, visible
from tests.support.model_server import (
    Call,
    Cut,
    End,
    Finish,
    Flood,
    Headers,
    Letters,
    Pause,
    Raw,
    Silence,
    Status,
    Step,
    Think,
    Tokens,
)

pytestmark = pytest.mark.anyio


async def test_an_answer_arrives_piece_by_piece(provider: Provider) -> None:
    answer = await provider.answer("Hel", "lo", Tokens(7, 2, cached=5))
    assert answer == [Text("Hel"), Text("lo"), Usage(7, 2, 5), Stop("stop")]


async def test_bytes_may_be_cut_anywhere(provider: Provider) -> None:
    answer = await provider.answer(Letters("Grüße 👋🏽 你好"), bytewise=True)
    assert answer == [*map(Text, "Grüße 👋🏽 你好"), Stop("stop")]


async def test_reasoning_is_not_part_of_the_answer(provider: Provider) -> None:
    answer = await provider.answer(Think("hm"), "yes")
    assert visible(answer) == [Reasoning("hm"), Text("yes"), Stop("stop")]


async def test_tool_calls_are_joined(provider: Provider) -> None:
    one = Call("calculate", '{"expression": "12*7"}', call_id="a", index=0)
    two = Call("current_time", "", call_id="b", index=1)
    text, first, second, stop = await provider.answer("Wait. ", one, two)
    assert (text, stop) == (Text("Wait. "), Stop("tool_calls"))
    assert isinstance(first, ToolRequest)
    assert isinstance(second, ToolRequest)
    assert (first.name, first.arguments) == ("calculate", '{"expression": "12*7"}')
    assert (second.name, second.arguments) == ("current_time", "{}")
    ids = (first.call_id, second.call_id)
    assert ids == ("a", "b") if provider.keeps_call_ids else len(set(ids)) == 2


async def test_tool_calls_count_whatever_the_finish_reason(provider: Provider) -> None:
    answer = await provider.answer(Call("current_time"), Finish("stop"))
    assert answer[-1] == Stop("tool_calls")


async def test_an_answer_may_end_at_its_limit(provider: Provider) -> None:
    assert await provider.answer("a", Finish("length")) == [Text("a"), Stop("length")]


@pytest.mark.slow
async def test_writing_a_long_tool_call_is_not_silence(provider: Provider) -> None:
    steps: list[Step] = []
    for _ in range(4):
        steps += [Call("write_file", "{", every=1), Pause(0.6)]
    provider.server.script("m", *steps)
    client = client_of(provider.kind, provider.server, Limits(2, 2))
    assert (await everything(client))[-1] == Stop("tool_calls")
    await client.aclose()


async def test_closing_closes_the_connection(provider: Provider) -> None:
    provider.server.script("m", "first", Silence())
    async with aclosing(provider.client.stream(ask())) as events:
        assert await anext(events) == Text("first")
    await provider.server.requests[0].closed(PATIENT / 2)


@pytest.mark.parametrize("steps", [(), (Headers(),), ("first",)], ids=["asked", "headers", "text"])
async def test_cancelling_closes_the_connection(provider: Provider, steps: tuple[Step]) -> None:
    provider.server.script("m", *steps, Silence())

    async def read() -> None:
        async with aclosing(provider.client.stream(ask())) as events:
            async for _ in events:
                shown.set()

    shown = asyncio.Event()
    task = asyncio.create_task(read())
    request = await provider.server.arequest()
    if steps == ("first",):
        await shown.wait()
    task.cancel()
    await request.closed(PATIENT / 2)
    with pytest.raises(asyncio.CancelledError):
        await task


SILENT = f"silent for {HASTY}"
PROMPT = Status(400, '{"error": {"message": "secret prompt"}}')
NO_MODEL = Status(404, '{"error": {"message": "The model `m` does not exist"}}')
FAULTS: dict[str, tuple[tuple[Step, ...], str]] = {
    "refused key": ((Status(401, f"your key {KEY} is wrong"),), "Check {key}"),
    "unknown model": ((NO_MODEL,), "does not know this model"),
    "wrong address": ((Status(404, "404 page not found"),), "nothing at this address"),
    "bad request": ((PROMPT,), "did not accept"),
    "too long": ((Status(413),), "too long"),
    "no credit": ((Status(402),), "no credit"),
    "teapot": ((Status(418),), "did not accept"),
    "cut mid-stream": (("a", Cut()), "cut off"),
    "cut at once": ((Headers(), Cut()), "cut off"),
    "no finish_reason": (("a", End()), "cut off"),
    "nothing at all": ((End(),), "cut off"),
    "empty": ((), "was empty"),
    "empty, at the limit": ((Finish("length"),), "limit before it wrote"),
    "withheld": ((Finish("content_filter"),), "withheld"),
    "malformed": (("a", Raw(b"data: {nonsense\n\n")), "not an answer"),
    "an error in the stream": (("a", Raw(b'data: {"error": {"message": "x"}}\n\n')), "an error"),
    "a rate limit in the stream": ((Raw(b'data: {"error": {"code": 429}}\n\n'),), "limiting"),
    "a web page": ((Raw(b"<!doctype html><p>hello"), End()), "web page"),
    "silence": ((Silence(),), SILENT),
    "headers, then silence": ((Headers(), Silence()), SILENT),
    "a word, then silence": (("a", Silence()), SILENT),
    "a flood": ((Flood("x" * 16_384, 100),), "larger than"),
    "an endless line": ((Raw(b"data: " + b"x" * 3_000_000),), "larger than"),
    "tool calls without end": (
        tuple(Call("t", "{}", call_id=str(n), index=n) for n in range(200)),
        "larger than",
    ),
    "a tool call without end": ((Call("t", "x" * 300_000, every=10_000),), "larger than"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_a_readable_error(
    provider: Provider, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    steps, expected = FAULTS[fault]
    client = provider.hasty if expected == SILENT else provider.client
    seen, error = await provider.failure(*steps, client=client)
    assert expected.format(key=provider.names.key) in error.message
    assert not any(isinstance(event, Stop) for event in seen)
    assert error.__cause__ is None
    assert "secret prompt" not in error.message
    told = error.message + error.details + caplog.text
    assert all(secret not in told for secret in (KEY, "127.0.0.1"))
    assert len(provider.server.requests) == 1, "none of these is worth a second attempt"


KEEP_ALIVES: list[Step] = [Raw(b": keep-alive\n\n"), Pause(0.1)] * 10


async def test_any_byte_is_a_sign_of_life(provider: Provider) -> None:
    provider.server.script("m", *KEEP_ALIVES, "late")
    assert await everything(provider.hasty) == [Text("late"), Stop("stop")]


async def test_the_wait_for_the_first_word_is_limited(provider: Provider) -> None:
    _, error = await provider.failure(*KEEP_ALIVES, "late", client=provider.eager)
    assert f"wrote nothing for {HASTY}" in error.message
    assert len(provider.server.requests) == 1, "a model that is being loaded would start anew"


async def test_after_the_first_word_only_silence_is_limited(provider: Provider) -> None:
    provider.server.script("m", "a", *KEEP_ALIVES, "b")
    assert await everything(provider.eager) == [Text("a"), Text("b"), Stop("stop")]


async def test_the_reason_is_reported(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    _, error = await provider.failure(Status(400, '{"error": {"message": "Not on Sundays"}}'))
    assert error.details == "400: Not on Sundays"
    assert error.details in caplog.text


async def test_a_full_context_is_distinguished(provider: Provider) -> None:
    words = "prompt is too long: 210000 tokens > 200000 maximum"
    _, error = await provider.failure(Status(400, json.dumps({"error": {"message": words}})))
    assert isinstance(error, ContextFull)
    assert (error.window, error.asked) == (200_000, 210_000)


@pytest.mark.slow
async def test_a_busy_reader_is_not_a_silent_model(provider: Provider) -> None:
    provider.server.script("m", "a", Pause(0.1), "b")
    async with aclosing(provider.hasty.stream(ask())) as events:
        seen = []
        async for event in events:
            seen.append(event)
            await asyncio.sleep(1.2 * HASTY)
    assert seen == [Text("a"), Text("b"), Stop("stop")]


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 524, 529])
async def test_a_temporary_failure_is_retried(provider: Provider, status: int) -> None:
    provider.server.script("m", Status(status))
    provider.server.script("m", Status(status))
    assert visible(await provider.answer("there")) == [Text("there"), Stop("stop")]
    assert len(provider.server.requests) == 3


async def test_the_third_failure_is_final(provider: Provider) -> None:
    for _ in range(3):
        provider.server.script("m", Status(503))
    _, error = await provider.failure("never asked for")
    assert "overloaded" in error.message
    assert len(provider.server.requests) == 3


async def test_a_connection_cut_before_any_answer_is_retried(provider: Provider) -> None:
    provider.server.script("m", Cut())
    assert visible(await provider.answer("there")) == [Text("there"), Stop("stop")]


async def test_nothing_is_retried_after_the_first_piece(provider: Provider) -> None:
    seen, _ = await provider.failure("a", Cut())
    assert seen == [Text("a")]
    assert len(provider.server.requests) == 1


async def test_a_requested_wait_is_observed(provider: Provider) -> None:
    provider.server.script("m", Status(429, headers={"Retry-After": "0.3"}))
    began = time.monotonic()
    assert visible(await provider.answer("there")) == [Text("there"), Stop("stop")]
    assert time.monotonic() - began >= 0.3


async def test_a_requested_wait_beyond_half_a_minute_is_not_observed(provider: Provider) -> None:
    _, error = await provider.failure(Status(429, headers={"Retry-After": "31"}))
    assert "Wait 31 seconds" in error.message
    assert len(provider.server.requests) == 1


async def test_a_hundred_answers_at_once(provider: Provider) -> None:
    provider.server.default = ("a ", Pause(0.01), "b")

    async def one() -> int:
        return len([event async for event in provider.client.stream(ask())])

    assert await asyncio.gather(*(one() for _ in range(100))) == [3] * 100
