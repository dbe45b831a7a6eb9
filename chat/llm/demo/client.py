"""The `demo` model: a script inside Talos, for trying everything without a key.

It streams, writes Markdown, titles conversations and calls tools, and never claims to be a language
model. `texts.py` has its texts, `tools.py` recognizes requests for a tool, and this module chooses
the answer. Equal requests get equal answers, except for the ids of tool calls, which are unique.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import AsyncGenerator, Iterator

from chat.llm.base import (
    Reasoning,
    Request,
    StreamEvent,
    ToolMessage,
    ToolRequest,
    Usage,
    UserMessage,
)
from chat.llm.demo import texts, tools
from chat.llm.demo.scripted import Step, asks_for_title, play
from chat.llm.text import storable

_WORD = re.compile(r"\s*\S+|\s+")
_LONGEST_COUNT = 20_000  # about 130 KB: long, but far below the contract's limit
_COUNT = re.compile(r"\bcount (?:up )?to (\d{1,9})", re.I)


class DemoModel:
    """A `ModelClient` without any requirements."""

    def __init__(self, *, pace: float = 0.02) -> None:
        """`pace`: seconds between two words."""
        self._pace = pace

    def source(self, model: str) -> str:
        return model

    async def stream(self, request: Request) -> AsyncGenerator[StreamEvent]:
        async for event in play(self._steps(request)):
            yield event

    def _steps(self, request: Request) -> Iterator[Step]:
        is_title = asks_for_title(request)
        written = 0
        for part in [_title(request)] if is_title else _answer(request):
            pieces = split_words(part) if isinstance(part, str) else [part]
            for piece in pieces:
                if self._pace and not is_title:
                    yield self._pace
                written += 1
                yield piece
        read = sum(len(message.content.split()) for message in request.messages)
        yield Usage(input_tokens=read, output_tokens=written)


def split_words(text: str) -> list[str]:
    """Split the text into words with their whitespace; joined, they are the text."""
    return _WORD.findall(text)


Part = str | ToolRequest | Reasoning


def _answer(request: Request) -> list[Part]:
    results = _last_results(request)
    if results:
        return [texts.after_tools([(result.name, result.content) for result in results])]
    asked = _last_question(request)
    return _tool_call(request, asked) or _text(asked)


def _text(asked: str) -> list[Part]:
    said = set(re.findall(r"\w+", asked.lower()))
    if match := _COUNT.search(asked):
        return [" ".join(str(n) for n in range(1, min(int(match[1]), _LONGEST_COUNT) + 1))]
    if "think" in said:
        return [*(Reasoning(word) for word in split_words(texts.REASONING)), texts.AFTER_REASONING]
    for keywords, text in texts.REPERTOIRE:
        if said & keywords:
            return [text]
    return [texts.echo(asked) if asked.strip() else texts.GREETING]


def _tool_call(request: Request, asked: str) -> list[Part] | None:
    """Return the call that a question asks for, or a text that the tool is not available."""
    found = tools.requested_tool(asked)
    if found is None:
        return None
    if found.name not in {tool.name for tool in request.tools}:
        return [texts.no_tool(found.name)]
    arguments = json.dumps(found.arguments, ensure_ascii=False)
    return [found.lead, ToolRequest(f"demo_{uuid.uuid4().hex}", found.name, arguments)]


def _title(request: Request) -> str:
    """Return the first words of the first question."""
    first = next((m.content for m in request.messages if isinstance(m, UserMessage)), "")
    title = " ".join(first.split()[:6]).strip("\"'.,:;!?# ")[:60]
    return title[:1].upper() + title[1:] if title else "A conversation with the demo"


def _last_question(request: Request) -> str:
    asked = [message.content for message in request.messages if isinstance(message, UserMessage)]
    return storable(asked[-1]) if asked else ""


def _last_results(request: Request) -> list[ToolMessage]:
    """Return the results at the end; any make this the request after a tool call."""
    results: list[ToolMessage] = []
    for message in reversed(request.messages):
        if not isinstance(message, ToolMessage):
            break
        results.insert(0, message)
    return results
