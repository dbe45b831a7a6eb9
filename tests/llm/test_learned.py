"""Lessons from servers' refusals."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.llm.demands import Demands
from chat.llm.failures import details
from chat.llm.failures.learned import KEPT_FOR, Learned, lesson_of, remarks

ALL = Demands()

TOOLS = [
    (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
    (404, 'No endpoints found that support tool use. Try disabling "calculate".'),
    (400, "registry.ollama.ai/library/gemma2:2b does not support tools"),
    (500, "tools param requires --jinja flag"),
    (400, "This model does not support tool calling"),
    (400, "this model doesn't support function calling"),
    (400, "Function calling is not enabled for models/gemma-3-27b-it"),
    (400, "tools is not supported"),
    (422, "Unrecognized request argument supplied: tools"),
    (400, "`tool_choice` is not allowed with this model"),
    (501, "Tool use is unsupported"),
    (400, "Cannot use tools with stream"),
    (400, "Invalid schema for function 'calculate': In context=(), 'x' is not valid"),
    (400, "Invalid 'tools[0].function.parameters': no schema"),
]


def learned_from(status: int, message: str, demands: Demands = ALL) -> Demands | None:
    complaint = details.of_error({"code": status, "message": message})
    lesson = lesson_of(complaint, demands, lambda _: True)
    return lesson.apply(demands) if lesson else None


@pytest.mark.parametrize(("status", "message"), TOOLS)
def test_refused_tools_have_many_wordings(status: int, message: str) -> None:
    assert learned_from(status, message) == replace(ALL, tools=False)


@pytest.mark.parametrize(
    ("message", "field", "value"),
    [
        ("Unknown field: stream_options", "stream_options", False),
        (
            "body.stream_options.include_usage: Extra inputs are not permitted",
            "stream_options",
            False,
        ),
        (
            "Unsupported value: 'temperature' does not support 0.7 with this model.",
            "temperature",
            False,
        ),
        ("`temperature` is deprecated for this model.", "temperature", False),
        (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            "answer_limit",
            "max_completion_tokens",
        ),
        (
            "max_tokens is too large: 100000. This model supports at most 4096 completion tokens",
            "answer_limit",
            "",
        ),
        ("System role not supported", "system_role", False),
        ("Only user and assistant roles are supported!", "system_role", False),
        ("Developer instruction is not enabled for models/gemma-3-27b-it", "system_role", False),
        ("'messages[0].role' does not support 'system' with this model.", "system_role", False),
        (
            "Conversation roles must alternate user/assistant/user/assistant/...",
            "system_role",
            False,
        ),
        ("Unexpected role 'user' after role 'tool'", "answers_results", True),
        (
            "Tool call id was call_1 but must be a-z, A-Z, 0-9, with a length of 9.",
            "call_ids",
            "nine",
        ),
        (
            "The `reasoning_content` in the thinking mode must be passed back to the API.",
            "wants_reasoning",
            True,
        ),
        (
            "thinking is enabled but reasoning_content is missing in assistant tool call message at "
            "index 2",
            "wants_reasoning",
            True,
        ),
        (
            "'messages.2' : for 'role:assistant' the following must be satisfied[('messages.2' : "
            "property 'reasoning_content' is unsupported)]",
            "takes_back",
            False,
        ),
        (
            "'messages.2.tool_calls.0' : property 'extra_content' is unsupported",
            "takes_back",
            False,
        ),
        ("body.messages.2.assistant.mood: Extra inputs are not permitted", "takes_back", False),
    ],
)
def test_other_refusals_and_demands(message: str, field: str, value: object) -> None:
    assert learned_from(400, message) == replace(ALL, **{field: value})  # type: ignore[arg-type]


def test_fastapis_location_names_the_field() -> None:
    body = b'{"detail": [{"loc": ["body", "tools"], "msg": "extra fields not permitted"}]}'
    lesson = lesson_of(details.read(422, body), ALL, lambda _: True)
    assert lesson
    assert lesson.apply(ALL) == replace(ALL, tools=False)


def test_a_limit_is_tried_under_its_newer_name_and_then_left_out() -> None:
    first = learned_from(400, "Unknown field: max_tokens")
    assert first == replace(ALL, answer_limit="max_completion_tokens")
    second = learned_from(400, "Unknown field: max_completion_tokens", first)
    assert second == replace(ALL, answer_limit="")


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (
            400,
            "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens. "
            "Please reduce the length of the messages or max_tokens.",
        ),
        (400, "messages: text content blocks must be non-empty"),
        (400, "tool_call_id 'x' of a tool message answers no call before it"),
        (400, "Invalid 'messages[2].tool_calls[0].id': string too long."),
        (
            400,
            "messages.3: `tool_use` ids were found without `tool_result` blocks immediately after",
        ),
        (400, "Function call is missing a thought_signature in functionCall parts."),
        (500, "Failed to parse tool call arguments as JSON"),
        (429, "Rate limit reached: tools are not available now"),
        (401, "tools are not supported with this key"),
        (503, "Loading model: tools not available"),
        (400, "Your credit balance is too low: tools are not available"),
    ],
)
def test_unrelated_errors_teach_nothing(status: int, message: str) -> None:
    assert learned_from(status, message) is None


def test_only_changes_to_the_request_are_tried() -> None:
    complaint = details.read(400, b"tools and temperature are not supported")
    assert lesson_of(complaint, ALL, lambda _: False) is None
    by_tools = lesson_of(complaint, ALL, lambda demands: not demands.tools)
    assert by_tools
    assert by_tools.apply(ALL) == replace(ALL, tools=False)


@pytest.mark.parametrize(
    ("message", "lasts"),
    [
        ("max_tokens is too large: 100000. This model supports at most 4096.", False),
        ("temperature: range: 0..1", False),
        ("`temperature` must be less than or equal to 1", False),
        ("Unsupported value: 'temperature' does not support 0.7 with this model.", True),
        ("`temperature` is deprecated for this model.", True),
    ],
)
def test_a_refused_value_is_not_a_missing_feature(message: str, lasts: bool) -> None:
    complaint = details.of_error({"code": 400, "message": message})
    lesson = lesson_of(complaint, ALL, lambda _: True)
    assert lesson
    assert lesson.lasts is lasts


def test_lessons_are_kept_for_an_hour_per_model() -> None:
    now = [0.0]
    learned = Learned(ALL, clock=lambda: now[0])
    learned.keep("a", replace(ALL, tools=False))
    assert not learned.of("a").tools
    assert learned.of("b").tools
    now[0] = KEPT_FOR + 1
    assert learned.of("a").tools


def test_remarks_name_only_noticeable_omissions() -> None:
    without_tools = replace(ALL, tools=False)
    assert remarks(ALL, without_tools, without_tools) == [
        "This model's server does not support tools, so it answered without them."
    ]
    without_limits = replace(ALL, temperature=False, answer_limit="")
    assert remarks(ALL, without_limits, without_limits) == [
        "This model's server does not support a temperature, so it answered without one.",
        "This model's server does not support an answer limit, so it answered without one.",
    ]
    assert remarks(ALL, without_limits, ALL) == [
        "This model's server did not accept this temperature, so it answered without one.",
        "This model's server did not accept this answer limit, so it answered without one.",
    ]
    silent = replace(ALL, stream_options=False, system_role=False, takes_back=False)
    renamed = replace(silent, answer_limit="max_completion_tokens")
    assert remarks(ALL, renamed, renamed) == []


@given(st.text(max_size=300), st.sampled_from([400, 404, 422, 500]))
def test_any_text_is_read(message: str, status: int) -> None:
    demands, seen = ALL, {ALL}
    while (changed := learned_from(status, message, demands)) and changed not in seen:
        seen.add(changed)
        demands = changed
    assert len(seen) < 20


@pytest.mark.parametrize(
    ("message", "field", "value"),
    [
        ("Tool call IDs should be alphanumeric strings with length 9!", "call_ids", "nine"),
        ("Unknown parameter: 'messages[2].reasoning_content'.", "takes_back", False),
        ("Template error: tools not found", "tools", False),
        ("Tool error: No tools grammar", "tools", False),
        ("No endpoints found that can handle the requested parameters.", "tools", False),
        ("该模型不支持工具调用", "tools", False),
        (
            "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
            "tools",
            False,
        ),
    ],
)
def test_more_wordings(message: str, field: str, value: object) -> None:
    assert learned_from(400, message) == replace(ALL, **{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (500, "error parsing tool call: raw='{\"expression\": ', err=unexpected end of JSON input"),
        (500, "tool service is temporarily unavailable"),
        (500, "unexpected EOF: tool-calling worker is unavailable"),
        (400, "invalid character in messages: functions"),
        (400, "Invalid parameter: messages with role 'tool' must follow 'tool_calls'"),
    ],
)
def test_temporary_errors_and_errors_about_earlier_calls_keep_tools(
    status: int, message: str
) -> None:
    changed = learned_from(status, message)
    assert changed is None or changed.tools


@pytest.mark.parametrize(
    "message",
    [
        "'max_tokens' or 'max_completion_tokens' is too large: 100000. This model's maximum context "
        "length is 8192 tokens and your request has 20 input tokens",
        "This model's maximum context length is 8192 tokens. However, you requested 100020 tokens "
        "(20 in the messages, 100000 in the completion).",
    ],
)
def test_an_answer_limit_beyond_the_context_is_left_out(message: str) -> None:
    assert learned_from(400, message) == replace(ALL, answer_limit="")
    complaint = details.of_error({"code": 400, "message": message})
    assert lesson_of(complaint, ALL, lambda _: False) is None, "the conversation alone is too long"
