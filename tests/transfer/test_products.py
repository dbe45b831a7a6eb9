"""Each element of a file is recognised by itself; other products are refused by name."""

from __future__ import annotations

import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from chat.transfer.importers.reading import Found, read
from tests.transfer.chatgpt_samples import export, node
from tests.transfer.samples import line, sample

Json = dict[str, Any]

CLAUDE: Json = {"uuid": "c1", "name": "Hedges", "chat_messages": [], "created_at": "2026-01-01T00:00:00Z"}  # fmt: skip
OPEN_WEBUI: Json = {"id": "w1", "title": "Bread", "chat": {"history": {"messages": {}}}}
LIBRECHAT: Json = {"conversationId": "l1", "title": "Mud", "messagesTree": []}
DEEPSEEK: Json = {
    "id": "d1", "title": "North",
    "mapping": {
        "root": {"id": "root", "parent": None, "children": ["1"], "message": None},
        "1": {"id": "1", "parent": "root", "children": [], "message": {"fragments": [{"type": "REQUEST", "content": "Hi"}]}},
    },
}  # fmt: skip
GROK: Json = {"conversation": {"title": "Stars"}, "responses": []}
GEMINI: Json = {"header": "Gemini Apps", "title": "Prompted hello"}
AI_STUDIO: Json = {"runSettings": {}, "chunkedPrompt": {"chunks": []}}
LLM: Json = {"prompt": "Hi", "response": "Hello", "datetime_utc": "2026-01-01T00:00:00"}
OTHERS = [
    (CLAUDE, "a Claude export", "Hedges"),
    (OPEN_WEBUI, "an Open WebUI export", "Bread"),
    (OPEN_WEBUI["chat"], "an Open WebUI export", ""),
    ({"title": "Bread", "chat": {"messages": [], "models": []}}, "an Open WebUI export", "Bread"),
    (LIBRECHAT, "a LibreChat export", "Mud"),
    (DEEPSEEK, "a DeepSeek export", "North"),
    (GROK, "a Grok export", "Stars"),
    (GEMINI, "a Gemini export", "Prompted hello"),
    (AI_STUDIO, "an AI Studio export", ""),
    (LLM, "a log of llm", ""),
]
CHATGPT = export({"q": node("root", "user", "Q"), "a": node("q", "assistant", "A")})


def found(data: bytes) -> list[Found]:
    return list(read(io.BytesIO(data)))


@pytest.mark.parametrize(("element", "product", "title"), OTHERS)
@pytest.mark.parametrize("layout", ["line", "array", "object", "document"])
def test_other_products_are_refused_by_name(
    element: Json, product: str, title: str, layout: str
) -> None:
    data = {
        "line": json.dumps(element) + "\n" + json.dumps(element),
        "array": json.dumps([element]),
        "object": json.dumps(element, indent=2),
        "document": json.dumps({"projects": [], "conversations": [element]}),
    }[layout]
    for one in found(data.encode()):
        assert one.fault == f"{product}: not supported yet (Talos and ChatGPT exports are)"
        assert layout == "document" or one.title == title
        assert not one.is_empty


def test_each_element_is_recognised_by_itself() -> None:
    mixed = [CLAUDE, sample(), 5, {"title": "Odd"}, CHATGPT, DEEPSEEK, {"mapping": {}}]
    for data in (json.dumps(mixed), "\n".join(map(json.dumps, mixed))):
        of_conversations = [
            one for one in found(data.encode()) if "not a conversation" not in one.fault
        ]
        kinds = [
            one.conversation.title if one.conversation else one.fault.split(":")[0] or one.is_empty
            for one in of_conversations
            if "object" not in one.fault
        ]
        assert kinds == [
            "a Claude export", "Ants", "it is neither a Talos nor a ChatGPT conversation",
            "About ants", "a DeepSeek export", True,
        ]  # fmt: skip


def test_a_broken_element_costs_itself_and_has_its_place() -> None:
    data = json.dumps([sample(), {**CHATGPT, "mapping": 5}, CHATGPT])
    first, broken, last = found(data.encode())
    assert (first.fault, last.fault) == ("", "")
    assert (broken.position, broken.line, broken.title) == (2, 1, "About ants")


@pytest.mark.parametrize("message", [{"role": "user", "content": "Hi"}, {"text": "Hi"}])
@pytest.mark.parametrize("kind", ["auto", "chatgpt"])
def test_unknown_data_is_never_called_empty(message: Json, kind: Any) -> None:
    strange: Json = {
        "mapping": {"1": {"id": "1", "parent": None, "children": [], "message": message}}
    }
    (only,) = read(io.BytesIO(json.dumps(strange).encode()), kind)
    assert only.fault
    assert not only.is_empty


def test_a_document_with_unknown_keys_is_read_by_element() -> None:
    data = json.dumps({"exported_by": "somebody", "conversations": [CHATGPT, CLAUDE]})
    first, second = found(data.encode())
    assert first.conversation
    assert "Claude" in second.fault


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            b"Conversation,Time,Author,Message\r\nHi,2026,Human,Hi",
            "a Copilot export: not supported yet",
        ),
        (b'\xef\xbb\xbf"Conversation","Time","Author","Message"\n', "a Copilot export"),
        (
            b"<!DOCTYPE html><title>My Activity</title>Gemini Apps",
            "a Gemini export: not supported yet",
        ),
        (b"<html><script>var jsonData = []", "it is a web page: import the conversations.json"),
        (b"title,text\n1,2", "Not a Talos or ChatGPT export"),
    ],
)
def test_files_that_are_not_json_are_named(data: bytes, words: str) -> None:
    (only,) = found(data)
    assert words in only.fault


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        (["conversations", "responses"], "a log of llm: not supported yet"),
        (["[threads]", "[turns]"], "a log of llm"),
        (['"user"', '"chat"', "folder"], "an Open WebUI export"),
        (["auth_user", "chat_conversation", "responses"], "restore"),
        (["mine"], "restore"),
    ],
)
def test_databases_are_named_by_their_tables(tmp_path: Path, tables: list[str], words: str) -> None:
    with sqlite3.connect(tmp_path / "a.db") as database:
        for table in (*(f"filler_{n}" for n in range(40)), *tables):
            database.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, a TEXT, b TEXT)")
    (only,) = found((tmp_path / "a.db").read_bytes())
    assert words in only.fault


def test_only_the_beginning_of_a_talos_conversation_is_inspected() -> None:
    (only,) = found(line({**sample(), "mapping": {}}))
    assert "mapping: unknown key" in only.fault
