"""What is sent of a conversation: taken by the strictest servers, and whole for its own model."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
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
    ToolSpec,
    UserMessage,
)
from chat.llm.catalogue import providers
from chat.llm.demands import Demands
from chat.llm.openai.wire import body_of

HERE, ELSEWHERE = "api.example.com/m", "other.example.com/m"
TOOL = ToolSpec("calculate", "Does sums.", {"type": "object"})


def messages(*said: ModelMessage, demands: Demands | None = None) -> list[dict[str, Any]]:
    request = Request("m", (SystemMessage("Be brief."), *said))
    body = body_of(request, demands or Demands(), HERE)
    sent: list[dict[str, Any]] = body["messages"]
    return sent


def a_round(
    *parts: Opaque,
    call_id: str = "call_1",
    name: str = "calculate",
    arguments: str = '{"a": 1}',
    text: str = "",
    of_message: tuple[Opaque, ...] = (),
) -> tuple[ModelMessage, ModelMessage]:
    """A call and its result."""
    call = ToolRequest(call_id, name, arguments, parts)
    return AssistantMessage(text, (call,), of_message), ToolMessage(call_id, name, "42")


def after_a_question(*said: ModelMessage, demands: Demands | None = None) -> list[dict[str, Any]]:
    """What is sent after the system message and a question."""
    return messages(UserMessage("6*7?"), *said, demands=demands)[2:]


# --- what a model said for itself ---------------------------------------------------------------

PARTS = {
    "reasoning_content": ("Hm.", "Hm."),
    "reasoning": ("Hm.", "Hm."),
    "reasoning_details": ('[{"data": "U2VhbGVk"}]', [{"data": "U2VhbGVk"}]),
    "thinking_blocks": ('[{"signature": "c2ln"}]', [{"signature": "c2ln"}]),
}


@pytest.mark.parametrize("kind", PARTS)
def test_what_a_model_said_for_itself_comes_back_in_the_field_it_came_in(kind: str) -> None:
    data, field = PARTS[kind]
    part = Opaque(kind, HERE, data)
    call, _, end = after_a_question(
        *a_round(of_message=(part,)), AssistantMessage("42", (), (part,))
    )
    assert call[kind] == field
    assert end == {"role": "assistant", "content": "42", kind: field}


def test_the_signature_of_a_call_comes_back_on_the_call() -> None:
    data = '{"google": {"thought_signature": "U2lnbmVk"}}'
    call, _ = after_a_question(*a_round(Opaque("extra_content", HERE, data)))
    assert call["tool_calls"][0]["extra_content"] == json.loads(data)


OPAQUE = [
    *(Opaque(kind, HERE, data) for kind, (data, _) in PARTS.items()),
    Opaque("extra_content", HERE, "{}"),
    Opaque(CALL_ID, HERE, "its.own:id"),
]


def test_nobody_else_is_given_it() -> None:
    """Neither another server or model, nor a server that refuses what it sent itself."""
    plain = after_a_question(*a_round())
    foreign = [Opaque(part.kind, ELSEWHERE, part.data) for part in OPAQUE]
    assert after_a_question(*a_round(*foreign, of_message=tuple(foreign))) == plain
    refusing = Demands(takes_back=False)
    own = a_round(*OPAQUE, of_message=tuple(OPAQUE))
    assert after_a_question(*own, demands=refusing) == plain


@pytest.mark.parametrize("data", ["", "[", '"text"', "null", "[1]", "7", "[" * 3000])
def test_what_does_not_read_as_it_should_is_left_out(data: str) -> None:
    """An archive that was imported may hold anything."""
    parts = [Opaque(kind, HERE, data) for kind in ("reasoning_details", "thinking_blocks")]
    parts += [Opaque("extra_content", HERE, data), Opaque("of_a_later_version", HERE, "{}")]
    parts += [Opaque(CALL_ID, HERE, "")]
    sent = after_a_question(*a_round(*parts, of_message=tuple(parts)))
    assert sent == after_a_question(*a_round())


def test_a_server_that_wants_reasoning_beside_calls_gets_it_or_a_blank_one() -> None:
    wants = Demands(wants_reasoning=True)
    own = Opaque("reasoning_content", HERE, "Hm.")
    call, _, end = after_a_question(
        *a_round(of_message=(own,)), AssistantMessage("42"), demands=wants
    )
    assert call["reasoning_content"] == "Hm."
    assert "reasoning_content" not in end
    foreign = Opaque("reasoning_content", ELSEWHERE, "Oh.")
    call, _ = after_a_question(*a_round(of_message=(foreign,)), demands=wants)
    assert call["reasoning_content"] == " "
    none = Opaque("reasoning_content", HERE, "")
    call, _ = after_a_question(*a_round(of_message=(none,)), demands=wants)
    assert call["reasoning_content"] == ""  # as it was sent


# --- calls --------------------------------------------------------------------------------------


def ids(sent: list[dict[str, Any]]) -> list[str]:
    """Of all calls. Results have the same."""
    calls = [call["id"] for message in sent for call in message.get("tool_calls", ())]
    assert [m["tool_call_id"] for m in sent if m["role"] == "tool"] == calls
    return calls


def test_a_call_goes_back_to_its_model_with_its_own_id_of_any_length() -> None:
    own = "call_1__thought__" + "Q0FFU0lR" * 150
    part = Opaque(CALL_ID, HERE, own)
    assert ids(after_a_question(*a_round(part))) == [own]
    assert ids(after_a_question(*a_round(Opaque(CALL_ID, ELSEWHERE, own)))) == ["call_1"]


def test_an_id_that_a_model_gives_to_each_of_its_calls_is_sent_once() -> None:
    part = Opaque(CALL_ID, HERE, "functions.calculate:0")
    said = (*a_round(part), *a_round(part, call_id="call_2"))
    assert ids(after_a_question(*said)) == ["functions.calculate:0", "call_2"]


@pytest.mark.parametrize("stored", ["x" * 41, "functions.calculate:0", "ünï", "", "a b"])
def test_ids_that_some_refuse_are_replaced(stored: str) -> None:
    (sent,) = ids(after_a_question(*a_round(call_id=stored)))
    assert re.fullmatch("[A-Za-z0-9_-]{1,40}", sent)
    assert ids(after_a_question(*a_round(call_id=stored))) == [sent]  # caches of prompts hit


def test_ids_for_mistral_are_nine_letters_or_digits() -> None:
    said = (*a_round(call_id="call_QkX0cJ5y2mJf8v1b7a9s"), *a_round(call_id="D681PevKs"))
    first, second = ids(after_a_question(*said, demands=Demands(call_ids="nine")))
    assert re.fullmatch("[A-Za-z0-9]{9}", first)
    assert second == "D681PevKs"


def test_ids_that_were_stored_twice_are_sent_once() -> None:
    sent = ids(after_a_question(*a_round(), *a_round(), *a_round()))
    assert len(set(sent)) == 3


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("calculate", "calculate"),
        ("assistant<|channel|>analysis", "assistant__channel__analysis"),
        ("日本", "__"),
        ("", "tool"),
        ("x" * 200, "x" * 64),
    ],
)
def test_a_made_up_name_is_sent_in_letters_that_all_take(name: str, sent: str) -> None:
    call, _ = after_a_question(*a_round(name=name))
    assert call["tool_calls"][0]["function"]["name"] == sent


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ('{"b": 1.50,\n "a": 12345678901234567890}', '{"b": 1.50,\n "a": 12345678901234567890}'),
        ("", "{}"),
        (" \n", "{}"),
        ("null", "{}"),
        ('{"expression": ', '{"_raw":"{\\"expression\\": "}'),
        ('{"a": NaN}', '{"_raw":"{\\"a\\": NaN}"}'),
        ('["a"]', '{"_raw":"[\\"a\\"]"}'),
        ('"6*7"', '{"_raw":"\\"6*7\\""}'),
    ],
)
def test_arguments_are_sent_as_an_object_whatever_the_model_wrote(
    arguments: str, sent: str
) -> None:
    call, _ = after_a_question(*a_round(arguments=arguments))
    assert call["tool_calls"][0]["function"]["arguments"] == sent


# --- roles and contents -------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", " \n"])
def test_blanks_beside_calls_are_null_and_an_answer_of_blanks_is_none(text: str) -> None:
    call, _ = after_a_question(*a_round(text=text), AssistantMessage(text))
    assert call["content"] is None


def test_questions_without_an_answer_between_are_one() -> None:
    said = messages(UserMessage("a"), AssistantMessage(" "), UserMessage("b"), UserMessage("c"))
    assert said[1:] == [{"role": "user", "content": "a\n\nb\n\nc"}]


def test_answers_without_a_question_between_are_one() -> None:
    said = after_a_question(AssistantMessage("I'll see."), *a_round(text="Now."))
    assert [message["role"] for message in said] == ["assistant", "tool"]
    assert said[0]["content"] == "I'll see.\n\nNow."
    assert len(said[0]["tool_calls"]) == 1


def test_nothing_is_empty() -> None:
    call, _ = a_round()
    silent = ToolMessage("call_1", "calculate", "")
    for message in messages(UserMessage(""), call, silent):
        assert message["content"] or message["tool_calls"]
    no_prompt = Request("m", (SystemMessage(" "), UserMessage("hi")))
    assert [m["role"] for m in body_of(no_prompt, Demands(), HERE)["messages"]] == ["user"]


def test_without_a_system_role_its_text_begins_the_first_question() -> None:
    said = messages(UserMessage("hi"), demands=Demands(system_role=False))
    assert said == [{"role": "user", "content": "Be brief.\n\nhi"}]


def test_results_get_an_answer_before_the_next_question_where_that_is_demanded() -> None:
    asked = (*a_round(), UserMessage("And?"))
    assert [m["role"] for m in after_a_question(*asked)] == ["assistant", "tool", "user"]
    sent = after_a_question(*asked, demands=Demands(answers_results=True))
    assert [m["role"] for m in sent] == ["assistant", "tool", "assistant", "user"]
    assert sent[2] == {"role": "assistant", "content": "(no answer)"}


def test_a_server_without_tools_is_told_of_earlier_calls_in_words() -> None:
    said = (*a_round(text="I'll see."), AssistantMessage("42."), UserMessage("Sure?"))
    sent = after_a_question(*said, demands=Demands(tools=False))
    assert [(message["role"], message["content"]) for message in sent] == [
        ("assistant", 'I\'ll see.\n\nCall of calculate: {"a": 1}'),
        ("user", "Result of calculate:\n42"),
        ("assistant", "42."),
        ("user", "Sure?"),
    ]
    assert not any(set(message) - {"role", "content"} for message in sent)


# --- options ------------------------------------------------------------------------------------

FULL = Request(
    "m", (UserMessage("hi"),), tools=(TOOL,), max_output_tokens=100, temperature=0.5
)  # fmt: skip


def test_options_are_sent_as_they_are_demanded() -> None:
    whole = body_of(FULL, Demands(), HERE)
    assert whole["max_tokens"] == 100
    assert whole["temperature"] == 0.5
    assert whole["stream_options"] == {"include_usage": True}
    assert whole["tools"][0]["function"]["name"] == "calculate"
    newer = body_of(FULL, Demands(answer_limit="max_completion_tokens"), HERE)
    assert newer["max_completion_tokens"] == 100
    assert "max_tokens" not in newer
    least = Demands(tools=False, stream_options=False, temperature=False, answer_limit="")
    assert body_of(FULL, least, HERE).keys() == {"model", "messages", "stream"}


# --- providers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "provider"),
    [
        ("https://api.mistral.ai/v1", "mistral"),
        ("https://API.deepseek.com/beta", "deepseek"),
        ("https://key@api.groq.com:443/openai/v1/", "groq"),
    ],
)
def test_a_configured_server_that_is_a_known_provider_is_asked_like_it(
    base_url: str, provider: str
) -> None:
    assert providers.demands_of(base_url) == providers.named(provider).demands != Demands()


@pytest.mark.parametrize("base_url", ["http://localhost:8000/v1", "api.mistral.ai", ""])
def test_any_other_server_is_asked_like_any(base_url: str) -> None:
    assert providers.demands_of(base_url) == Demands()


def test_what_mistral_is_sent() -> None:
    """It refuses any field that its schema lacks."""
    part = Opaque("reasoning_content", HERE, "Hm.")
    said = (UserMessage("6*7?"), *a_round(of_message=(part,)), UserMessage("And?"))
    request = Request("m", said, tools=(TOOL,), max_output_tokens=9, temperature=0.5)
    body = body_of(request, providers.named("mistral").demands, HERE)
    assert set(body) == {"model", "messages", "stream", "tools", "max_tokens", "temperature"}
    question, call, result, bridge, _ = body["messages"]
    assert set(call) == {"role", "content", "tool_calls"}
    assert set(result) == {"role", "content", "tool_call_id"}
    assert [question["role"], bridge["role"]] == ["user", "assistant"]
    assert len(result["tool_call_id"]) == 9


# --- any conversation, any server ---------------------------------------------------------------

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
    """A question and what was answered to it, as far as it came."""
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
def test_any_conversation_is_sent_as_the_strictest_server_takes_it(
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


def test_a_long_row_of_questions_takes_time_that_grows_with_it() -> None:
    """Joined one by one, so many texts would be copied for minutes."""
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
