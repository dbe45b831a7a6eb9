"""A `Request` in the words of OpenAI's chat completions, and what to leave out for whom.

No connection here. Model servers differ in what they accept; one that refuses an option by name is
asked again without it.
"""

from __future__ import annotations

from typing import Any, assert_never

from chat.llm.base import (
    AssistantMessage,
    ModelMessage,
    Request,
    SystemMessage,
    ToolMessage,
    ToolRequest,
    ToolSpec,
    UserMessage,
)

Body = dict[str, Any]


def body_of(request: Request) -> Body:
    body: Body = {
        "model": request.model,
        "messages": [_message(message) for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if request.max_output_tokens is not None:
        body["max_tokens"] = request.max_output_tokens
    if request.temperature is not None:
        body["temperature"] = request.temperature
    return body


def refused_option(body: Body, complaint: str) -> str | None:
    """The option of ours that a 400 complains of by name, if the request can do without it."""
    if "tools" in body and "does not support tools" in complaint:
        return "tools"
    for option in ("stream_options", "max_tokens", "temperature"):
        if option in body and option in complaint:
            return option
    return None


def without(body: Body, option: str) -> Body:
    """The same request without an option; a limit keeps its meaning under its newer name."""
    rest = {name: value for name, value in body.items() if name != option}
    if option == "max_tokens" and option in body:
        rest["max_completion_tokens"] = body[option]
    return rest


def _message(message: ModelMessage) -> Body:
    match message:
        case SystemMessage(content):
            return {"role": "system", "content": content}
        case UserMessage(content):
            return {"role": "user", "content": content}
        case AssistantMessage(content, calls) if calls:
            # An empty content beside calls is refused by some servers; null is in the protocol.
            tool_calls = [_call(call) for call in calls]
            return {"role": "assistant", "content": content or None, "tool_calls": tool_calls}
        case AssistantMessage(content):
            return {"role": "assistant", "content": content}
        case ToolMessage(call_id, _, content):
            return {"role": "tool", "tool_call_id": call_id, "content": content}
        case _:
            assert_never(message)


def _call(call: ToolRequest) -> Body:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.call_id, "type": "function", "function": function}


def _tool(tool: ToolSpec) -> Body:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    return {"type": "function", "function": function}
