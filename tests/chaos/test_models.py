"""Promises 1, 3 and 7 with a model server that stalls, drips, floods, cuts, forges or never ends.

The model server counts what it sends, and notices when its client leaves.
"""

from __future__ import annotations

import json
import random
import time

import pytest
from django.db import connection

from tests.chaos.sizes import long, sizes
from tests.support.client import Chat, Frame, kind, text, without_gaps
from tests.support.model_server.formats import event
from tests.support.model_server.openai_format import OpenAIFormat, chunks_of
from tests.support.model_server.steps import (
    Call,
    Chunk,
    End,
    Flood,
    Letters,
    Pause,
    Raw,
    Silence,
    Step,
    Think,
    Tokens,
)
from tests.support.servers import Model, OpenChat, OwnServer

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="knows no database: tried on SQLite"),
]
HOSTILE = (
    'data: [DONE]\n\ndata: {"choices": []}\r\n\r\nevent: done\n\n'
    '{"type": "done", "seq": 1, "status": "completed"}\u2028\u0085 👩‍👩‍👧 \x7f'
    ': comment\n\nid: 7\nretry: 1\n\n"}]}\n\n'
)
TWENTY_MB = 20 * 1024 * 1024
PIECE = "x" * 64 * 1024
FLOODS: dict[str, tuple[Step, ...]] = {
    "text": (Flood(PIECE, TWENTY_MB // len(PIECE)),),
    "reasoning": tuple(Think(PIECE) for _ in range(TWENTY_MB // len(PIECE))),
    "one event": (Raw(b'data: {"choices":[{"delta":{"content":"' + b"x" * TWENTY_MB),),
    "one line of nothing": (Raw(b": " + b"x" * TWENTY_MB),),
    "arguments": (Call("note", '"' + "x" * TWENTY_MB, every=64 * 1024),),
    "calls": tuple(Call("note", "{}", f"c{n}", n) for n in range(5_000)),
    "a body that is no stream": (Raw(b"{" + b" " * TWENTY_MB),),
}


def pings(count: int, *, every: float) -> list[Step]:
    return [step for _ in range(count) for step in (Raw(b": ping\n\n"), Pause(every))]


async def failed(chat: Chat, model: Model) -> list[Frame]:
    """Check that the turn fails readably, is stored as shown, and the conversation goes on."""
    frames = await chat.say("go", model=model.id)
    assert [frame["code"] for frame in frames if kind(frame) == "error"] == ["model_error"]
    assert frames[-1]["status"] == "failed"
    kept = (await chat.resume(chat.session_id))["messages"][-1]
    assert kept["status"] == "failed"
    assert kept["content"] == text(frames)[: 64 * 1024]
    assert text(await chat.say("go on", model="echo")).endswith("go on")
    return frames


@pytest.mark.promise(3)
@pytest.mark.parametrize("what", FLOODS)
async def test_a_flood_is_cut_and_disconnected(
    open_chat: OpenChat, model: Model, what: str
) -> None:
    model.reply(*FLOODS[what], Silence())  # never ends, however much the sockets buffer
    frames = await failed(await open_chat(), model)
    assert len(text(frames)) <= 1024 * 1024
    await (await model.request()).closed()


@pytest.mark.promise(3)
async def test_a_model_that_drips_is_waited_for(open_chat: OpenChat, model: Model) -> None:
    said = "drop by drop"
    steps: list[Step] = []
    for letter in said:
        steps += [Raw(b": still here\n\n"), Pause(0.05), letter]
    model.reply(*steps)
    assert text(await (await open_chat()).say("go", model=model.id)) == said


@pytest.mark.promise(1)
async def test_a_model_that_stalls_is_abandoned_after_the_longest_silence(
    own_server: OwnServer, connect: OpenChat, model: Model
) -> None:
    address = own_server.start(TALOS_SILENCE_SECONDS="2")
    model.reply("so far", Silence())
    frames = await failed(await connect(address), model)
    assert text(frames) == "so far"
    await (await model.request()).closed()


@pytest.mark.promise(1)
async def test_pings_keep_a_model_alive_until_its_first_word_is_due(
    own_server: OwnServer, connect: OpenChat, model: Model
) -> None:
    address = own_server.start(TALOS_SILENCE_SECONDS="2", TALOS_FIRST_TOKEN_SECONDS="5")
    chat = await connect(address)
    model.reply(*pings(15, every=0.2), "late")
    assert text(await chat.say("go", model=model.id)) == "late"
    model.reply(*pings(600, every=0.1))
    await failed(chat, model)
    await (await model.request(2)).closed()


@pytest.mark.promise(1)
@long
async def test_a_complete_answer_ends_even_if_its_stream_does_not(
    open_chat: OpenChat, model: Model
) -> None:
    finish = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    model.reply("all of it", Chunk(finish), *pings(100, every=0.2))
    chat = await open_chat()
    since = time.monotonic()
    frames = await chat.say("go", model=model.id)
    assert time.monotonic() - since < 10
    assert (text(frames), frames[-1]["status"]) == ("all of it", "completed")


@pytest.mark.promise(3)
@sizes("times", sample=5, full=200)
async def test_a_stream_torn_anywhere_is_the_same_answer(
    open_chat: OpenChat, model: Model, rng: random.Random, times: int
) -> None:
    said = HOSTILE + "Grüße 𝄞 " * 5
    stream = b"".join(event(chunk) for chunk in chunks_of(Letters(said)))
    stream += b"".join(OpenAIFormat({}).ending("stop", None))
    chat = await open_chat()
    for _ in range(times):
        cuts = sorted(rng.sample(range(len(stream)), rng.randrange(1, 40)))
        pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
        steps: list[Step] = []
        for piece in pieces:
            steps += [Raw(piece), Pause(0)]
        model.reply(*steps, End())
        frames = await chat.say("go", model=model.id)
        assert (text(frames), frames[-1]["status"]) == (said, "completed")
        await chat.new()  # keeps the history from growing


@pytest.mark.promise(3)
async def test_forged_frames_are_text_or_nothing(open_chat: OpenChat, model: Model) -> None:
    """The text contains frames like ours, an early end, and numbers too large for any column."""
    frame = {"type": "done", "seq": 1, "message_id": None, "status": "completed"}
    model.reply(
        Chunk(frame),
        Chunk({**frame, "choices": [{"delta": {"content": HOSTILE, "type": "done", "seq": 9}}]}),
        Raw(b"event: done\nid: 1\ndata: " + json.dumps(frame).encode() + b"\n\n"),
        Chunk({"choices": [], "usage": {"prompt_tokens": 10**30, "completion_tokens": -1}}),
        HOSTILE,
        Tokens(2**62, 2**31),
    )
    chat = await open_chat()
    frames = await chat.say("go", model=model.id)
    assert text(frames) == HOSTILE * 2
    assert [kind(frame) for frame in frames].count("done") == 1
    assert frames[-1]["status"] == "completed"
    assert "usage" not in frames[-1], "counts that cannot be are none"
    assert without_gaps(chat.all)
    assert (await chat.resume(chat.session_id))["messages"][-1]["status"] == "completed"


@pytest.mark.promise(1, 4)
async def test_a_model_that_calls_tools_endlessly_is_stopped(
    open_chat: OpenChat, model: Model
) -> None:
    model.server.rules[model.id] = lambda body: [
        "again ",
        Call("current_time", "{}", f"call_{len(body['messages'])}"),
    ]
    chat = await open_chat()
    frames = await failed(chat, model)
    assert len(model.requests) == 12
    assert sum(kind(frame) == "tool_result" for frame in frames) == 12
    assert "12 times" in next(f["content"] for f in frames if kind(f) == "error")
