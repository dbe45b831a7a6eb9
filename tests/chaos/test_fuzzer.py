"""Promise 7: every invalid frame is answered, changes nothing and closes nothing.

Hypothesis generates text that is not JSON, JSON cut or altered at any place, fields of any type,
and valid frames that name missing objects.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack, closing
from typing import Any

import hypothesis
from django.apps import apps
from hypothesis import strategies as st

from chat import protocol
from chat.errors import TalosError
from tests.chaos.conftest import SEED
from tests.chaos.sizes import sizes
from tests.support.client import Chat, kind, kinds, text
from tests.support.servers import OwnServer

NAMES = [*protocol.ACTIONS, "dance", "on_send", "__class__", "", "SEND"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        "text",
        "client_id",
        "model",
        "session_id",
        "context",
        "render",
        "message_id",
        "call_id",
        "approved",
        "arguments",
    ]
)
OBJECTS = st.builds(
    lambda name, fields: {"action": name, **fields},
    st.sampled_from(NAMES) | VALUES,
    st.dictionaries(FIELDS | st.text(max_size=8), VALUES, max_size=6),
)
ABSENT = st.one_of(
    st.builds(lambda s: {"action": "resume_session", "session_id": s}, st.text() | st.uuids().map(str)),
    st.builds(
        lambda i, a: {"action": "approve_tool", "call_id": i, "approved": a, "arguments": {"a": i}},
        st.text(max_size=300),
        st.booleans(),
    ),
    st.builds(lambda c: {"action": "withdraw", "client_id": c}, st.text(max_size=64)),
    st.builds(lambda m: {"action": "select", "message_id": m}, st.text() | st.uuids().map(str)),
    st.builds(
        lambda m: {"action": "edit", "message_id": m, "text": "x", "client_id": m[:64]},
        st.uuids().map(str),
    ),
    st.builds(lambda m: {"action": "regenerate", "message_id": m}, st.uuids().map(str)),
    st.just({"action": "continue"}),
)  # fmt: skip
JSON = (OBJECTS | ABSENT).map(json.dumps)
TORN = st.builds(lambda frame, at: frame[: at % len(frame)], JSON, st.integers(0, 10_000))
BENT = st.builds(
    lambda frame, at, piece: frame[: at % len(frame)] + piece + frame[at % len(frame) + 1 :],
    JSON,
    st.integers(0, 10_000),
    st.sampled_from(['"', "{", "}", "[", "]", ",", ":", "\\", "\\ud800", "\\u0000", "1e999", "NaN"]),
)  # fmt: skip
DEEP = st.builds(lambda n: '{"action": "cancel", "x": ' + "[" * n, st.integers(1, 3_000))
FRAMES = st.one_of(JSON, TORN, BENT, DEEP, st.text(st.characters(exclude_categories=["Cs"])))


def understood(frame: str) -> protocol.AnyAction | None:
    try:
        return protocol.parse(frame)
    except TalosError:
        return None


def may_do_something(action: protocol.AnyAction | None) -> bool:
    match action:
        case protocol.Regenerate(message_id=None):
            return True
        case protocol.Send() | protocol.NewSession() | protocol.Cancel():
            return True
    return False


def contents(server: OwnServer) -> dict[str, list[Any]]:
    """Return all rows of each of our tables, sorted."""
    found = {}
    with closing(server.database()) as opened:
        for table in apps.get_app_config("chat").get_models():
            name = table._meta.db_table
            rows = opened.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608  # ours
            found[name] = sorted(rows, key=repr)
    return found


async def answered(chat: Chat, frame: str) -> None:
    """Check that there is one error with a code, and a `done` if the action asks for a response."""
    await chat.socket.send_str(frame)
    asked = understood(frame)
    frames = await chat.until("done" if isinstance(asked, protocol.Answered) else "error")
    assert [f for f in kinds(frames) if f != "conversation_changed"][:1] == ["error"], frames
    (error,) = (f for f in frames if kind(f) == "error")
    assert error["code"] != "internal", error
    if isinstance(asked, protocol.Answered):
        assert frames[-1]["status"] == "failed"


@sizes("count", sample=300, full=10_000)
def test_malformed_frames(own_server: OwnServer, count: int) -> None:
    with asyncio.Runner() as runner, ExitStack() as opened:
        chat, tab = (runner.run(Chat(address).open()) for address in [own_server.start()] * 2)
        for page in (chat, tab):
            opened.callback(lambda page: runner.run(page.close()), page)
        runner.run(chat.say("hello", model="echo"))
        session_id = chat.session_id
        runner.run(chat.title_of(session_id))
        runner.run(tab.resume(session_id))
        before = contents(own_server)

        @hypothesis.seed(SEED)
        @hypothesis.settings(
            max_examples=count,
            database=None,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate],
        )
        @hypothesis.given(FRAMES)
        def each_is_answered(frame: str) -> None:
            hypothesis.assume(frame and not may_do_something(understood(frame)))
            runner.run(answered(chat, frame))

        each_is_answered()
        assert contents(own_server) == before
        runner.run(tab.nothing_more("title"))
        assert text(runner.run(chat.say("still here"))) == "You said: still here"
