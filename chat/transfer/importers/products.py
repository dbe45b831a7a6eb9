"""Whose export an element of a file is, by its keys: the names of files say nothing.

Only Talos' own and ChatGPT's are read. The others are known by name, so that they can be refused
in words that help.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from chat.transfer.archive.format import FORMAT
from chat.transfer.importers.chatgpt.markup import line

TALOS = "a Talos archive"
CHATGPT = "a ChatGPT export"
GEMINI = "a Gemini export"
COPILOT = "a Copilot export"
LLM = "a log of llm"
OPEN_WEBUI = "an Open WebUI export"
READ = (TALOS, CHATGPT)
UNKNOWN = "it is neither a Talos nor a ChatGPT conversation"

_OURS = re.compile(rb'\s*\{\s*"format"\s*:\s*"%s"' % FORMAT.encode())
"""How a conversation begins that Talos wrote: it need not be looked at any closer."""


def refusal(product: str) -> str:
    """Why a product's export is not imported, and what would be."""
    return f"{product}: not read yet (Talos and ChatGPT exports are)"


def product_of(data: bytes) -> str:
    """Whose a piece of a file is; empty: nobody's that is known.

    What is no JSON, or no object, counts as the one that it most likely should have been.
    """
    if _OURS.match(data):
        return TALOS
    try:
        element = loaded(data)
    except (ValueError, RecursionError):
        return CHATGPT if b'"mapping"' in data else TALOS
    return _product(element) if isinstance(element, dict) else TALOS


def title_of(data: bytes) -> str:
    """The title of what could not be read, as far as it can be told."""
    try:
        element = loaded(data)
    except (ValueError, RecursionError):
        return ""
    for found in _with_parts(element):
        for key in ("title", "name"):
            if isinstance(title := found.get(key), str) and title.strip():
                return line(title)
    return ""


def loaded(data: bytes) -> Any:
    """JSON of any kind. Raises `ValueError` and `RecursionError`."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data)  # half of an emoji is no text, but does occur


def _with_parts(element: Any) -> list[dict[str, Any]]:
    if not isinstance(element, dict):
        return []
    parts = (element, element.get("chat"), element.get("conversation"))
    return [part for part in parts if isinstance(part, dict)]


def _product(element: dict[str, Any]) -> str:
    if element.get("format") == FORMAT:
        return TALOS
    if "mapping" in element:
        return _of_nodes(element["mapping"])
    for product, is_one in _SIGNS.items():
        if is_one(element):
            return product
    inner = element.get("conversations")
    if isinstance(inner, list) and inner and isinstance(inner[0], dict):
        return _product(inner[0])  # a document, laid out as none of ours
    return ""


def _of_nodes(mapping: Any) -> str:
    """ChatGPT and DeepSeek both have a `mapping`: what its messages are like says whose it is."""
    if not isinstance(mapping, dict):
        return CHATGPT
    nodes = (node.get("message") for node in mapping.values() if isinstance(node, dict))
    messages = [message for message in nodes if isinstance(message, dict) and message]
    if not messages or any("author" in message for message in messages):
        return CHATGPT
    return "a DeepSeek export" if any("fragments" in message for message in messages) else ""


def _has(*keys: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda element: all(key in element for key in keys)


def _is_open_webui(element: Mapping[str, Any]) -> bool:
    chat, history = element.get("chat"), element.get("history")
    is_row = isinstance(chat, dict) and ("history" in chat or "messages" in chat)
    return is_row or (isinstance(history, dict) and "messages" in history)


def _is_librechat(element: Mapping[str, Any]) -> bool:
    return "conversationId" in element and ("messages" in element or "messagesTree" in element)


_SIGNS: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "a Claude export": _has("chat_messages"),
    OPEN_WEBUI: _is_open_webui,
    "a LibreChat export": _is_librechat,
    "a Grok export": _has("conversation", "responses"),
    "an AI Studio export": _has("chunkedPrompt"),
    GEMINI: lambda element: element.get("header") in ("Gemini Apps", "Bard"),
    LLM: _has("prompt", "response", "datetime_utc"),
}

_TABLE = re.compile(rb"CREATE (?:VIRTUAL )?TABLE (?:IF NOT EXISTS )?[\"'`\[]?(\w+)", re.IGNORECASE)


def of_database(pages: bytes) -> str:
    """Whose an SQLite file is, by the tables that its first pages name; empty: nobody's."""
    tables = {name.lower() for name in _TABLE.findall(pages)}
    if b"chat_conversation" in tables:
        return TALOS
    if {b"chat", b"user"} <= tables:
        return OPEN_WEBUI
    return LLM if {b"responses", b"turns"} & tables else ""
