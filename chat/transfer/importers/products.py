"""Recognising which product exported an element of a file, by its keys; file names say nothing.

Only Talos archives and ChatGPT exports can be read. Others are recognised to be refused with a
helpful message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from chat.transfer.archive.format import FORMAT
from chat.transfer.importers import lenient
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
"""The beginning of a conversation written by Talos, which needs no closer look."""


def refusal(product: str) -> str:
    """Say that a product's export cannot be imported, and which ones can."""
    return f"{product}: not supported yet (Talos and ChatGPT exports are)"


def product_of(data: bytes) -> str:
    """Return the product that wrote a piece of a file; empty if it is unknown.

    A piece that is not a JSON object counts as the product that it most likely comes from.
    """
    if _OURS.match(data):
        return TALOS
    try:
        element = lenient.parse(data)
    except (ValueError, RecursionError):
        return CHATGPT if b'"mapping"' in data else TALOS
    return _product(element) if isinstance(element, dict) else TALOS


def title_of(data: bytes) -> str:
    """Return the title of a piece that could not be read, if it has one."""
    try:
        element = lenient.parse(data)
    except (ValueError, RecursionError):
        return ""
    for found in _with_parts(element):
        for key in ("title", "name"):
            if isinstance(title := found.get(key), str) and title.strip():
                return line(title)
    return ""


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
        return _product(inner[0])  # a document in a layout that Talos never writes
    return ""


def _of_nodes(mapping: Any) -> str:
    """Tell ChatGPT from DeepSeek, which both have a `mapping`, by its messages."""
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
    """Return the product of an SQLite file, by the tables its first pages name; empty if unknown."""
    tables = {name.lower() for name in _TABLE.findall(pages)}
    if b"chat_conversation" in tables:
        return TALOS
    if {b"chat", b"user"} <= tables:
        return OPEN_WEBUI
    return LLM if {b"responses", b"turns"} & tables else ""
