"""Documents of the canvas, which the model writes by calls: they are parts of its answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from chat.transfer.importers.chatgpt.fields import Fields
from chat.transfer.importers.chatgpt.marks import plain, translated
from chat.transfer.importers.chatgpt.markup import escaped, fenced, line, storable
from chat.transfer.importers.chatgpt.references import References

CREATE = "canmore.create_textdoc"
UPDATE = "canmore.update_textdoc"
_ALL_OF_IT = {".*", "(?s).*", r"[\s\S]*", "^.*$", r"\A.*\Z"}
"""Patterns of an update that writes the document anew."""
_CODE = "code/"


@dataclass(frozen=True)
class Document:
    """What a later update of it must know."""

    name: str = ""
    kind: str = "document"


NOTHING = Document()


@dataclass
class Documents:
    """All of a conversation."""

    _by_id: dict[str, Document] = field(default_factory=dict)
    _by_name: dict[str, Document] = field(default_factory=dict)

    def add(self, document: Document, canvas: Fields) -> None:
        self._by_name[document.name] = document
        if own_id := canvas.text("textdoc_id"):
            self._by_id[own_id] = document

    def meant(self, canvas: Fields, last: Document) -> Document:
        """The one that a call's result speaks of; if it speaks of none, the last one."""
        known, name = self._by_id.get(canvas.text("textdoc_id")), plain(canvas.text("title"))
        if not name:
            return known or last
        new = Document(name, canvas.text("textdoc_type") or NOTHING.kind)
        return replace(known or self._by_name.get(name, new), name=name)


@dataclass(frozen=True)
class Written:
    """What a call does to a document."""

    document: Document
    markdown: str
    """What it says, to be read."""
    arguments: str
    """Of the call, without the document."""


def written(name: str, text: str, last: Document, marked: References) -> Written | None:
    """None: the call writes no document, or not in a way that is known.

    `marked` is what the marks in it refer to.
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
        bodies.append(_body(words, last) if _is_all(update) else fenced(words, _language(last)))
        rest.append({key: value for key, value in update.items() if key != "replacement"})
    is_new = any(map(_is_all, updates))
    heading = _heading(last, "" if is_new else "Changed in ")
    others = {key: value for key, value in found.items() if key != "updates"}
    return Written(last, heading + "\n\n".join(bodies), _json({**others, "updates": rest}))


def _is_all(update: dict[str, Any]) -> bool:
    return _text(update, "pattern") in _ALL_OF_IT


def _heading(document: Document, before: str = "") -> str:
    name = escaped(line(document.name)) or (before and "the document")
    return f"**{before}{name}**\n\n" if name else ""


def _words(content: str, document: Document, marked: References) -> str:
    return storable(content) if _is_code(document) else translated(content, marked)


def _body(content: str, document: Document) -> str:
    return fenced(content, _language(document)) if _is_code(document) else content


def _is_code(document: Document) -> bool:
    return document.kind.startswith(_CODE)


def _language(document: Document) -> str:
    return document.kind.removeprefix(_CODE) if _is_code(document) else ""


def _text(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else ""


def _json(value: dict[str, Any]) -> str:
    return storable(json.dumps(value, ensure_ascii=False))
