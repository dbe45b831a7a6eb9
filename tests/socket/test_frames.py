"""Invalid frames are answered, change nothing and never close the socket."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import protocol
from chat.errors import InvalidFrame, TalosError
from tests.support.client import kinds, text
from tests.support.servers import OpenChat

NESTED = "[" * 1_000 + "]" * 1_000

BAD = {
    "empty": ("", "invalid_json"),
    "not JSON": ("hello", "invalid_json"),
    "half": ('{"action": "send"', "invalid_json"),
    "NaN": ('{"action": "send", "text": NaN}', "invalid_json"),
    "array": ("[]", "invalid_frame"),
    "null": ("null", "invalid_frame"),
    "string": ('"send"', "invalid_frame"),
    "nested": (NESTED, "invalid_frame"),
    "deeply nested": ("[" * 100_000, "invalid_frame"),
    "too deep in an unknown field": (
        '{"action": "cancel", "x": [[[[[[[[1]]]]]]]]}', "invalid_frame",
    ),
    "no action": ("{}", "invalid_frame"),
    "action of another type": ('{"action": 1}', "invalid_frame"),
    "unknown action": ('{"action": "dance"}', "unknown_action"),
    "an action twice": ('{"action": "cancel", "action": "cancel"}', "invalid_frame"),
    "no text": ('{"action": "send"}', "invalid_frame"),
    "text of another type": ('{"action": "send", "text": 1}', "invalid_frame"),
    "empty text": ('{"action": "send", "text": ""}', "invalid_frame"),
    "blank text": ('{"action": "send", "text": " \\n\\t\\u2003"}', "invalid_frame"),
    "NUL": ('{"action": "send", "text": "a\\u0000b"}', "invalid_frame"),
    "lone surrogate": ('{"action": "send", "text": "a\\ud800b"}', "invalid_frame"),
    "lone surrogate in a key": ('{"action": "cancel", "\\udfff": 1}', "invalid_frame"),
    "client_id too long": (
        json.dumps({"action": "send", "text": "x", "client_id": "x" * 65}), "invalid_frame",
    ),
    "no session_id": ('{"action": "resume_session"}', "invalid_frame"),
    "no such session": ('{"action": "resume_session", "session_id": "abc-123"}', "session_not_found"),
    "nobody's session": (
        '{"action": "resume_session", "session_id": "00000000-0000-4000-8000-000000000000"}',
        "session_not_found",
    ),
    "context of another type": (
        '{"action": "resume_session", "session_id": "x", "context": true}', "invalid_frame",
    ),
    "negative context": (
        '{"action": "resume_session", "session_id": "x", "context": -1}', "invalid_frame",
    ),
    "fractional context": (
        '{"action": "resume_session", "session_id": "x", "context": 20.5}', "invalid_frame",
    ),
    "a number that overflows": ('{"action": "cancel", "x": 1e999}', "invalid_frame"),
    "no text but null": ('{"action": "send", "text": null}', "invalid_frame"),
    "withdraw nothing": ('{"action": "withdraw", "client_id": "x"}', "not_allowed"),
}  # fmt: skip


@pytest.mark.anyio
async def test_each_invalid_frame_gets_its_error_code(open_chat: OpenChat) -> None:
    chat = await open_chat()
    for name, (frame, code) in BAD.items():
        await chat.socket.send_str(frame)
        answer = (await chat.until(bool))[-1]
        assert (name, answer["type"], answer.get("code")) == (name, "error", code)
        assert answer["content"]
    await chat.nothing_more()
    assert text(await chat.say("still here", model="echo")) == "You said: still here"


@pytest.mark.anyio
async def test_a_null_field_counts_as_missing(open_chat: OpenChat) -> None:
    chat = await open_chat()
    frames = await chat.say("hello", model="echo", client_id=None, render=None)
    assert frames[-1]["status"] == "completed"
    session_id = frames[0]["data"]["session_id"]
    await chat.send("resume_session", session_id=session_id, context=None, render=None)
    await chat.until("session_created")
    await chat.send("regenerate", message_id=None, model=None)
    assert (await chat.until("done"))[-1]["status"] == "completed"
    await chat.send("new_session", model=None, render=None)
    await chat.until("session_created")


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (
            {"action": "resume_session", "session_id": "x", "context": "all"},
            'resume_session: `context`: is a whole number of messages, or "full".',
        ),
        ({"action": "send", "text": " "}, "send: `text`: is blank."),
    ],
)
def test_the_error_names_the_fault(frame: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidFrame) as refused:
        protocol.parse(json.dumps(frame))
    assert refused.value.message == words


@pytest.mark.anyio
async def test_a_binary_frame_gets_an_error(open_chat: OpenChat) -> None:
    chat = await open_chat()
    await chat.socket.send_bytes(b'{"action": "cancel"}')
    assert (await chat.until("error"))[-1]["code"] == "invalid_frame"
    await chat.nothing_more()


@pytest.mark.anyio
async def test_a_refused_resume_keeps_the_subscription(open_chat: OpenChat) -> None:
    chat = await open_chat()
    await chat.say("hello", model="echo")
    await chat.send("resume_session", session_id="nobody")
    assert (await chat.until("error"))[-1]["code"] == "session_not_found"
    assert "session_created" not in kinds(await chat.say("again", model="echo"))


@pytest.mark.anyio
async def test_a_cancel_with_nothing_to_stop_is_harmless(open_chat: OpenChat) -> None:
    chat = await open_chat()
    await chat.send("cancel")
    await chat.new()
    await chat.send("cancel")
    await chat.nothing_more()


@pytest.mark.anyio
async def test_unknown_fields_are_ignored(open_chat: OpenChat) -> None:
    frames = await (await open_chat()).say("hello", model="echo", colour="green", render=True)
    assert text(frames) == "You said: hello"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
FIELDS = ("action", "text", "client_id", "model", "session_id", "context", "render")
FRAMES = st.dictionaries(
    st.sampled_from(FIELDS), JSON | st.sampled_from(["send", "cancel", "new_session"])
)


@given(FRAMES)
def test_any_frame_is_an_action_or_a_named_error(frame: dict[str, Any]) -> None:
    """Property: no other exception, so that the client only gets known codes."""
    try:
        outcome: str = protocol.parse(json.dumps(frame)).action
    except TalosError as error:
        outcome = error.code
    assert outcome in [frame.get("action"), "invalid_json", "invalid_frame", "unknown_action"]


@given(st.text())
def test_any_text_is_parsed_or_refused(frame: str) -> None:
    with pytest.raises(TalosError):
        protocol.parse(frame)


def test_every_action_has_a_handler() -> None:
    from chat.socket.consumer import ChatConsumer

    for action in protocol.Action.__subclasses__():
        (name,) = action.model_fields["action"].annotation.__args__  # type: ignore[union-attr]
        assert callable(getattr(ChatConsumer, f"on_{name}"))
