"""The ends of answers from OpenAI-compatible servers, in all their variants."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from chat.errors import ModelError
from chat.llm.base import Stop, StreamEvent, Text
from chat.llm.openai.client import OpenAIClient
from tests.llm.conftest import PATIENT, ask, everything, visible
from tests.support.model_server import (
    Chunk,
    Cut,
    End,
    ModelServer,
    Pause,
    Raw,
    Silence,
    Step,
)

pytestmark = pytest.mark.anyio

DONE = [Text("there"), Stop("stop")]
FINISH = Chunk({"choices": [{"delta": {"content": ""}, "finish_reason": "stop"}]})


async def test_an_end_before_the_first_word_does_not_count(
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


async def test_a_broken_answer_keeps_held_back_text(
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


async def test_a_stop_after_the_last_word_is_a_stop(
    client: OpenAIClient, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first wait after the end runs out; a person stops during the second."""
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
    await asyncio.sleep(0)  # let it drain
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("rest", [b"data: [done]\n\n", b"data: OK\n\n"])
async def test_a_whole_answer_does_not_fail_over_its_last_bytes(
    client: OpenAIClient, server: ModelServer, rest: bytes
) -> None:
    finish = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    server.script("m", "all", Chunk(finish), Pause(0.05), Raw(rest), End())
    assert visible(await everything(client)) == [Text("all"), Stop("stop")]


async def test_a_plain_text_body_is_the_reason(client: OpenAIClient, server: ModelServer) -> None:
    server.script("m", Raw(b"upstream connect error or disconnect"), End())
    with pytest.raises(ModelError) as caught:
        await everything(client)
    assert caught.value.details == "upstream connect error or disconnect"


async def test_a_whole_object_needs_no_finish_reason(
    client: OpenAIClient, server: ModelServer
) -> None:
    server.script("m", Raw(b'{"choices": [{"message": {"content": "all"}}]}'), End())
    assert visible(await everything(client)) == [Text("all"), Stop("stop")]


async def test_the_word_null_does_not_end_an_answer(
    client: OpenAIClient, server: ModelServer
) -> None:
    begun = {"choices": [{"delta": {"content": "a"}, "finish_reason": "null"}]}
    server.script("m", Chunk(begun), "b")
    assert visible(await everything(client)) == [Text("a"), Text("b"), Stop("stop")]
