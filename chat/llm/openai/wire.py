"""Turns a `Request` into the body of a chat completions request, as the server demands it.

No connection here. `messages.py` converts the conversation.
"""

from __future__ import annotations

from typing import Any

from chat.llm.base import Request, ToolSpec
from chat.llm.demands import Demands
from chat.llm.openai.messages import messages_of

Body = dict[str, Any]


def body_of(request: Request, demands: Demands, source: str) -> Body:
    """Return the body to post. `source` is the client's, for the request's model."""
    body: Body = {
        "model": request.model,
        "messages": messages_of(request.messages, demands, source),
        "stream": True,
    }
    if demands.stream_options:
        body["stream_options"] = {"include_usage": True}
    if request.tools and demands.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if request.max_output_tokens is not None and demands.answer_limit:
        body[demands.answer_limit] = request.max_output_tokens
    if request.temperature is not None and demands.temperature:
        body["temperature"] = request.temperature
    return body


def _tool(tool: ToolSpec) -> Body:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    return {"type": "function", "function": function}
