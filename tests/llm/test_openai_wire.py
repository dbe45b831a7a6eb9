"""A conversation as sent: valid for the strictest servers, and complete for its own model."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

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
    """Return the messages sent after the system message and a question."""
    return messages(UserMessage("6*7?"), *said, demands=demands)[2:]


# --- what a model said for itself ---------------------------------------------------------------

PARTS = {
    "reasoning_content": ("Hm.", "Hm."),
    "reasoning": ("Hm.", "Hm."),
    "reasoning_details": ('[{"data": "U2VhbGVk"}]', [{"data": "U2VhbGVk"}]),
    "thinking_blocks": ('[{"signature": "c2ln"}]', [{"signature": "c2ln"}]),
}


@pytest.mark.parametrize("kind", PARTS)
def test_opaque_parts_go_back_in_their_own_fields(kind: str) -> None:
    data, field = PARTS[kind]
    part = Opaque(kind, HERE, data)
    call, _, end = after_a_question(
        *a_round(of_message=(part,)), AssistantMessage("42", (), (part,))
    )
    assert call[kind] == field
    assert end == {"role": "assistant", "content": "42", kind: field}


def test_a_calls_signature_goes_back_with_the_call() -> None:
    data = '{"google": {"thought_signature": "U2lnbmVk"}}'
    call, _ = after_a_question(*a_round(Opaque("extra_content", HERE, data)))
    assert call["tool_calls"][0]["extra_content"] == json.loads(data)


OPAQUE = [
    *(Opaque(kind, HERE, data) for kind, (data, _) in PARTS.items()),
    Opaque("extra_content", HERE, "{}"),
    Opaque(CALL_ID, HERE, "its.own:id"),
]


def test_opaque_parts_go_to_no_other_server() -> None:
    """Neither to another server or model, nor to a server that refuses its own parts."""
    plain = after_a_question(*a_round())
    foreign = [Opaque(part.kind, ELSEWHERE, part.data) for part in OPAQUE]
    assert after_a_question(*a_round(*foreign, of_message=tuple(foreign))) == plain
    refusing = Demands(takes_back=False)
    own = a_round(*OPAQUE, of_message=tuple(OPAQUE))
    assert after_a_question(*own, demands=refusing) == plain


@pytest.mark.parametrize("data", ["", "[", '"text"', "null", "[1]", "7", "[" * 3000])
def test_malformed_opaque_parts_are_left_out(data: str) -> None:
    """An imported archive may contain anything."""
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
    assert call["reasoning_content"] == ""  # as the server sent it


# --- calls --------------------------------------------------------------------------------------


def ids(sent: list[dict[str, Any]]) -> list[str]:
    """Return the ids of all calls, after checking that the results have the same."""
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
def test_ids_that_some_servers_refuse_are_replaced(stored: str) -> None:
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
def test_a_made_up_name_is_sent_in_valid_characters(name: str, sent: str) -> None:
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
def test_whitespace_beside_calls_is_null_and_a_blank_answer_is_left_out(text: str) -> None:
    call, _ = after_a_question(*a_round(text=text), AssistantMessage(text))
    assert call["content"] is None


def test_questions_without_an_answer_between_are_joined() -> None:
    said = messages(UserMessage("a"), AssistantMessage(" "), UserMessage("b"), UserMessage("c"))
    assert said[1:] == [{"role": "user", "content": "a\n\nb\n\nc"}]


def test_answers_without_a_question_between_are_joined() -> None:
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


def test_results_get_an_answer_before_the_next_question_if_demanded() -> None:
    asked = (*a_round(), UserMessage("And?"))
    assert [m["role"] for m in after_a_question(*asked)] == ["assistant", "tool", "user"]
    sent = after_a_question(*asked, demands=Demands(answers_results=True))
    assert [m["role"] for m in sent] == ["assistant", "tool", "assistant", "user"]
    assert sent[2] == {"role": "assistant", "content": "(no answer)"}


def test_a_server_without_tools_gets_earlier_calls_as_text() -> None:
    said = (*a_round(text="I'll see."), AssistantMessage("42."), UserMessage("Sure?"))
    sent = after_a_question(*said, demands=Demands(tools=False))
    assert [(message["role"], message["content"]) for message in sent] == [
        ("assistant", 'I\'ll see.\n\nCall of calculate: {"a": 1}'),
        ("user", "Result of calculate:\n42"),
        ("assistant", "42."),
        ("user", "Sure?"),
    ]
    assert not any(set(message) - {"role", "content"} for message in sent)
