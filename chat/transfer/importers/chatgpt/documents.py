"""Canvas documents, which the model writes through calls: they become parts of its answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from chat.transfer.importers.chatgpt.fields import Fields
from chat.transfer.importers.chatgpt.marks import plain, translate
from chat.transfer.importers.chatgpt.markup import escape, fence_code, line, replace_unstorable
from chat.transfer.importers.chatgpt.references import References

CREATE = "canmore.create_textdoc"
UPDATE = "canmore.update_textdoc"
_ALL_OF_IT = {".*", "(?s).*", r"[\s\S]*", "^.*$", r"\A.*\Z"}
"""Patterns of an update that rewrites the whole document."""
_CODE = "code/"


@dataclass(frozen=True)
class Document:
    """A document, as later updates need to know it."""

    name: str = ""
    kind: str = "document"


NOTHING = Document()


@dataclass
class Documents:
    """All documents of a conversation."""

    _by_id: dict[str, Document] = field(default_factory=dict)
    _by_name: dict[str, Document] = field(default_factory=dict)

    def add(self, document: Document, canvas: Fields) -> None:
        self._by_name[document.name] = document
        if own_id := canvas.text("textdoc_id"):
            self._by_id[own_id] = document

    def find(self, canvas: Fields, last: Document) -> Document:
        """Return the document that a call's result names, or else the last one."""
        known, name = self._by_id.get(canvas.text("textdoc_id")), plain(canvas.text("title"))
        if not name:
            return known or last
        new = Document(name, canvas.text("textdoc_type") or NOTHING.kind)
        return replace(known or self._by_name.get(name, new), name=name)


@dataclass(frozen=True)
class Written:
    """The effect of a call on a document."""

    document: Document
    markdown: str
    """The text that it wrote."""
    arguments: str
    """The call's arguments without the document."""


def read_call(name: str, text: str, last: Document, marked: References) -> Written | None:
    """Read a call that writes a document; None if it does not, or in an unknown way.

    `marked` resolves the marks in the text.
    """
    if name not in (CREATE, UPDATE):
        return None
    try:
        found = json.loads(text)
        if not isinstance(found, dict):
            return None
        return _created(found, marked) if name == CREATE else _updated(found, last, marked)
    except (ValueError, RecursionError):
        return None


def _created(found: dict[str, Any], marked: References) -> Written | None:
    content = found.get("content")
    if not isinstance(content, str):
        return None
    document = Document(plain(_text(found, "name")), _text(found, "type") or "document")
    content = _words(content, document, marked)
    rest = {key: value for key, value in found.items() if key != "content"}
    is_titled = content.lstrip("# ").startswith(f"{document.name}\n")
    heading = "" if is_titled else _heading(document)
    return Written(document, heading + _body(content, document), _json(rest))


def _updated(found: dict[str, Any], last: Document, marked: References) -> Written | None:
    updates = found.get("updates")
    if not isinstance(updates, list) or not all(isinstance(one, dict) for one in updates):
        return None
    bodies, rest = [], []
    for update in updates:
        replacement = update.get("replacement")
        if not isinstance(replacement, str):
            return None
        words = _words(replacement, last, marked)
        bodies.append(_body(words, last) if _is_all(update) else fence_code(words, _language(last)))
        rest.append({key: value for key, value in update.items() if key != "replacement"})
    is_new = any(map(_is_all, updates))
    heading = _heading(last, "" if is_new else "Changed in ")
    others = {key: value for key, value in found.items() if key != "updates"}
    return Written(last, heading + "\n\n".join(bodies), _json({**others, "updates": rest}))


def _is_all(update: dict[str, Any]) -> bool:
    return _text(update, "pattern") in _ALL_OF_IT


def _heading(document: Document, before: str = "") -> str:
    name = escape(line(document.name)) or (before and "the document")
    return f"**{before}{name}**\n\n" if name else ""


def _words(content: str, document: Document, marked: References) -> str:
    return replace_unstorable(content) if _is_code(document) else translate(content, marked)


def _body(content: str, document: Document) -> str:
    return fence_code(content, _language(document)) if _is_code(document) else content


def _is_code(document: Document) -> bool:
    return document.kind.startswith(_CODE)


def _language(document: Document) -> str:
    return document.kind.removeprefix(_CODE) if _is_code(document) else ""


def _text(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else ""


def _json(value: dict[str, Any]) -> str:
    return replace_unstorable(json.dumps(value, ensure_ascii=False))
