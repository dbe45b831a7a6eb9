"""Any conversation is sent in a form that the strictest server accepts."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from chat.llm.base import (
    CALL_ID,
    AssistantMessage,
    ModelMessage,
    Opaque,
    Request,
    SystemMessage,
    ToolMessage,
    ToolRequest,
    UserMessage,
)
from chat.llm.demands import Demands
from chat.llm.openai.wire import body_of
from tests.llm.test_openai_wire import ELSEWHERE, HERE, PARTS

TEXTS = st.sampled_from(["", " ", "\n\t", "a", "b c", "\u00a0"]) | st.text(max_size=8)
SOURCES = st.sampled_from([HERE, ELSEWHERE, ""])
DATA = st.sampled_from(["", "{}", "[]", "[{}]", '{"a": 1}', "null", "x"]) | st.text(max_size=8)
KINDS = st.sampled_from([*PARTS, "extra_content", CALL_ID, "another"])
OPAQUES = st.lists(st.builds(Opaque, KINDS, SOURCES, DATA), max_size=4).map(tuple)
IDS = st.sampled_from(["call_1", "call_2", "D681PevKs", "functions.x:0", ""]) | st.text(max_size=60)
ARGUMENTS = st.sampled_from(["", "{}", '{"a": 1}', "null", "[1]", '{"a": ', "NaN"]) | TEXTS
REQUESTS = st.builds(ToolRequest, IDS, st.text(max_size=80), ARGUMENTS, OPAQUES)
ROUNDS = st.lists(REQUESTS, min_size=1, max_size=3, unique_by=lambda call: call.call_id)


@st.composite
def exchanges(draw: st.DrawFn) -> list[ModelMessage]:
    """A question and its answer, which may be incomplete."""
    said: list[ModelMessage] = [UserMessage(draw(TEXTS))]
    for calls in draw(st.lists(ROUNDS | st.none(), max_size=3)):
        said.append(AssistantMessage(draw(TEXTS), tuple(calls or ()), draw(OPAQUES)))
        said += [ToolMessage(call.call_id, call.name, draw(TEXTS)) for call in calls or ()]
    return said


HISTORIES = st.lists(exchanges(), min_size=1, max_size=5).map(
    lambda found: [message for exchange in found for message in exchange]
)
DEMANDS = st.builds(
    Demands,
    tools=st.booleans(),
    stream_options=st.booleans(),
    temperature=st.booleans(),
    answer_limit=st.sampled_from(["max_tokens", "max_completion_tokens", ""]),
    system_role=st.booleans(),
    takes_back=st.booleans(),
    wants_reasoning=st.booleans(),
    call_ids=st.sampled_from(["long", "nine"]),
    answers_results=st.booleans(),
)


@given(TEXTS, HISTORIES, DEMANDS)
@example("Be brief.", [UserMessage("a"), AssistantMessage(" "), UserMessage("b")], Demands())
def test_any_conversation_is_valid_for_the_strictest_server(
    prompt: str, said: list[ModelMessage], demands: Demands
) -> None:
    request = Request("m", (SystemMessage(prompt), *said))
    body = body_of(request, demands, HERE)
    sent = json.loads(json.dumps(body))["messages"]
    assert_roles_take_turns(sent, demands)
    assert_nothing_is_empty(sent)
    assert_results_follow_their_calls(sent)
    if not demands.tools:
        assert {message["role"] for message in sent} <= {"system", "user", "assistant"}
        assert not list(calls_of(sent))
    own = {
        part.data for message in said if isinstance(message, AssistantMessage)
        for call in message.tool_calls for part in call.opaque
        if part.kind == CALL_ID and part.source == HERE and demands.takes_back
    }  # fmt: skip
    for call in calls_of(sent):
        assert_call_fits(call, demands, own)
    for message in sent:
        assert_fields_are_known(message, demands)


def test_a_long_row_of_questions_takes_linear_time() -> None:
    """Joining so many texts one by one would take minutes."""
    said = tuple(UserMessage("x" * 2_000) for _ in range(20_000))
    begin = time.perf_counter()
    (only,) = body_of(Request("m", said), Demands(), HERE)["messages"]
    assert time.perf_counter() - begin < 5
    assert len(only["content"]) == 2_002 * 20_000 - 2


def assert_roles_take_turns(sent: list[dict[str, Any]], demands: Demands) -> None:
    roles = [message["role"] for message in sent]
    if roles[0] == "system":
        assert demands.system_role
        roles = roles[1:]
    assert roles[0] == "user"
    assert "system" not in roles
    for before, role in pairwise(roles):
        allowed = {"user": ["assistant"], "assistant": ["user", "tool"]}
        after_results = ["tool", "assistant"] + ["user"] * (not demands.answers_results)
        assert role in allowed.get(before, after_results)


def assert_nothing_is_empty(sent: list[dict[str, Any]]) -> None:
    for message in sent:
        if message["content"] is None:
            assert message["tool_calls"]
        else:
            assert message["content"].strip()
        assert message.get("tool_calls") != []


def assert_results_follow_their_calls(sent: list[dict[str, Any]]) -> None:
    wanted: list[str] = []
    for message in sent:
        if message["role"] == "tool":
            wanted.remove(message["tool_call_id"])
            continue
        assert not wanted
        wanted = [call["id"] for call in message.get("tool_calls", ())]
    assert not wanted
    all_ids = [call["id"] for call in calls_of(sent)]
    assert len(all_ids) == len(set(all_ids))


def calls_of(sent: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for message in sent:
        yield from message.get("tool_calls", ())


def assert_call_fits(call: dict[str, Any], demands: Demands, own: set[str]) -> None:
    fitting = {"nine": "[a-zA-Z0-9]{9}", "long": "[a-zA-Z0-9_-]{1,40}"}[demands.call_ids]
    assert re.fullmatch(fitting, call["id"]) or call["id"] in own
    assert re.fullmatch("[a-zA-Z0-9_-]{1,64}", call["function"]["name"])
    assert isinstance(json.loads(call["function"]["arguments"]), dict)
    assert call["type"] == "function"
    assert isinstance(call.get("extra_content", {}), dict)


def assert_fields_are_known(message: dict[str, Any], demands: Demands) -> None:
    known = {"role", "content", *{"assistant": ["tool_calls"], "tool": ["tool_call_id"]}.get(
        message["role"], []
    )}  # fmt: skip
    if message["role"] == "assistant" and demands.takes_back:
        known |= set(PARTS)
    if message.get("tool_calls") and demands.wants_reasoning:
        assert isinstance(message["reasoning_content"], str)
        known.add("reasoning_content")
    assert set(message) <= known
    for call in message.get("tool_calls", ()):
        extra = {"extra_content"} if demands.takes_back else set()
        assert set(call) <= {"id", "type", "function"} | extra
