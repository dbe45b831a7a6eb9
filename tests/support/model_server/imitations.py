"""Imitations of real model servers: their answers and refusals, each in its own way.

Each is a rule for `ModelServer.rules`: from the body of a request to the steps of its answer. A
question about 6*7 leads to a call of `calculate` if tools are offered, then to its result as text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from tests.support.model_server.steps import Chunk, Raw, Status, Step, Think

Body = dict[str, Any]
Rule = Callable[[Body], Iterator[Step]]
SUM = '{"expression": "6*7"}'


def vllm(body: Body) -> Iterator[Step]:
    """A server without a tool parser, and a model whose template has no system role."""
    if body.get("tools"):
        words = (
            '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
        )
        yield _vllm_refusal(words)
        return
    roles = [message["role"] for message in body["messages"]]
    if "system" in roles:
        yield _vllm_refusal("System role not supported")
    elif any(before == after for before, after in pairwise(roles)):
        yield _vllm_refusal("Conversation roles must alternate user/assistant/user/assistant/...")
    else:
        yield "It is 42."


def vllm_with_a_small_context(body: Body, *, window: int = 2048) -> Iterator[Step]:
    """A server with a context of `window` tokens, counted as four characters each."""
    tokens = sum(len(message["content"] or "") for message in body["messages"]) // 4
    if tokens > window:
        yield _vllm_refusal(
            f"This model's maximum context length is {window} tokens. However, your request has "
            f"{tokens} input tokens. Please reduce the length of the input messages."
        )
    else:
        yield "It fits."


def _vllm_refusal(words: str) -> Status:
    return _refusal(
        400,
        {
            "object": "error",
            "message": words,
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
    )


class LlamaCpp:
    """A server that loads first, then reasons, and parses the arguments of all earlier calls."""

    def __init__(self, *, loads_for: int = 0) -> None:
        self.loads_for = loads_for
        """The number of requests that find it still loading."""

    def __call__(self, body: Body) -> Iterator[Step]:
        if self.loads_for:
            self.loads_for -= 1
            words = {"code": 503, "message": "Loading model", "type": "unavailable_error"}
            yield _refusal(503, {"error": words})
            return
        for call in _calls(body):
            if not _is_object(call["function"]["arguments"]):
                words = {
                    "code": 500,
                    "message": "Failed to parse tool call arguments as JSON: parse error at line 1",
                    "type": "server_error",
                }
                yield _refusal(500, {"error": words})
                return
        yield Think("Sums are for the tool.")
        if body["messages"][-1]["role"] == "tool" or not body.get("tools"):
            yield "It is 42."
        else:
            yield Chunk(delta({"tool_calls": [{"index": 0, **tool_call("calculate", SUM)}]}))


def ollama(body: Body) -> Iterator[Step]:
    """A reasoning model behind a template without reasoning: whole calls, without an index."""
    if any("<think>" in (message["content"] or "") for message in body["messages"]):
        yield _refusal(500, {"error": {"message": "thoughts came back", "type": "api_error"}})
        return
    yield from ("<th", "ink>\nSix times seven", " …\n</thi", "nk>\n\n")
    if body["messages"][-1]["role"] == "tool":
        yield "It is 42."
    else:
        yield Chunk(delta({"tool_calls": [tool_call("calculate", SUM)]}))


def ollama_without_tools(body: Body) -> Iterator[Step]:
    if body.get("tools"):
        words = "registry.ollama.ai/library/gemma2:2b does not support tools"
        error = {"message": words, "type": "api_error", "param": None, "code": None}
        yield _refusal(400, {"error": error})
    else:
        yield "It is 42."


SEALED = {"type": "reasoning.encrypted", "data": "U2VhbGVk", "format": "google-gemini-v1"}


def openrouter(body: Body) -> Iterator[Step]:
    """A server that sends pings, seals its reasoning, and wants it back with the calls."""
    for message in body["messages"]:
        if message.get("tool_calls") and SEALED not in message.get("reasoning_details", ()):
            words = "Provider returned error"
            raw = '{"error":{"message":"Function call is missing a thought_signature"}}'
            metadata = {"raw": raw, "provider_name": "Google"}
            yield _refusal(400, {"error": {"message": words, "code": 400, "metadata": metadata}})
            return
    yield Raw(b": OPENROUTER PROCESSING\n\n" * 3)
    thought = {"type": "reasoning.text", "text": "Hm.", "index": 0}
    yield Chunk(delta({"content": "", "reasoning": "Hm.", "reasoning_details": [thought]}))
    if body["messages"][-1]["role"] == "tool":
        yield "It is 42."
    else:
        yield Chunk(delta({"content": "", "reasoning_details": [SEALED]}))
        yield Chunk(delta({"tool_calls": [{"index": 0, **tool_call("calculate", SUM)}]}))


def openrouter_without_tools(body: Body) -> Iterator[Step]:
    if body.get("tools"):
        words = (
            "No endpoints found that support tool use. "
            "Try disabling the tools, or learn more in the documentation."
        )
        yield _refusal(404, {"error": {"message": words, "code": 404}})
    else:
        yield "It is 42."


def openrouter_at_its_limit(_body: Body) -> Iterator[Step]:
    metadata = {"raw": "gemma is temporarily rate-limited upstream.", "provider_name": "Chutes"}
    error = {"message": "Provider returned error", "code": 429, "metadata": metadata}
    yield Status(429, json.dumps({"error": error}), headers={"Retry-After": "120"})


def _refusal(status: int, body: Body) -> Status:
    return Status(status, json.dumps(body))


def delta(delta: Body) -> Body:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def tool_call(name: str, arguments: str) -> Body:
    function = {"name": name, "arguments": arguments}
    return {"id": "call_x1", "type": "function", "function": function}


def _calls(body: Body) -> Iterator[Body]:
    for message in body["messages"]:
        yield from message.get("tool_calls") or ()


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
