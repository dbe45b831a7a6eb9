"""Recognising the kind of a file by its beginning."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import BinaryIO, Literal

import orjson

from chat.transfer.importers import products
from chat.transfer.importers.items import BEFORE, Item, Objects, lines

Kind = Literal["auto", "jsonl", "json", "chatgpt"]

HEAD_BYTES = 64 * 1024
_NOT_YET = {
    b"\x1f\x8b": "it is compressed (gzip): unpack it first, for example with gunzip",
    b"\xff\xfe": "it is UTF-16: convert it to UTF-8 first",
    b"\xfe\xff": "it is UTF-16: convert it to UTF-8 first",
}
_SQLITE = b"SQLite format 3\0"
_PAGES_BYTES = 1024 * 1024
"""Bytes of a database that are searched for the names of its tables."""
_DATABASE = "it is a database: if it is a backup of Talos, use `manage.py restore`"
_COPILOT = re.compile(rb'"?Conversation"?,"?Time"?,"?Author"?,"?Message"?\s')
_PAGE = "it is a web page: import the conversations.json of the same export, or all of its ZIP file"
_NEITHER = "Not a Talos or ChatGPT export (.json, .jsonl or .zip)"
_BOM = b"\xef\xbb\xbf"


def split(file: BinaryIO, kind: Kind) -> Iterator[Item]:
    """Split a file into pieces with one conversation each, or say what is wrong with the file."""
    head = file.read(HEAD_BYTES)
    for magic, what_to_do in _NOT_YET.items():
        if head.startswith(magic):
            return iter([Item(0, b"", what_to_do)])
    if head.startswith(_SQLITE):
        return iter([Item(0, b"", _database(head + file.read(_PAGES_BYTES)))])
    head = head.removeprefix(_BOM)
    if not head.strip(_BOM + b" \t\r\n"):
        return iter([Item(0, b"", "it is empty")])
    return _items(head.lstrip(), rejoin(head, file), kind)


def rejoin(head: bytes, rest: BinaryIO) -> BinaryIO:
    """Return a file from its beginning, of which `head` was read already."""
    return io.BufferedReader(_Joined(head, rest), HEAD_BYTES)


def _items(head: bytes, file: BinaryIO, kind: Kind) -> Iterator[Item]:
    if kind == "jsonl":
        return lines(file)
    if head.startswith(b"["):
        return iter(Objects(file, within=1))
    if not head.startswith(b"{"):
        return iter([Item(0, b"", _other(head))])
    if BEFORE[2].match(head):
        return iter(Objects(file, within=2))
    if kind == "auto" and _is_line(head.split(b"\n", 1)):
        return lines(file)
    return iter(Objects(file, within=0))


def _database(pages: bytes) -> str:
    product = products.of_database(pages)
    return _DATABASE if product in ("", products.TALOS) else products.refusal(product)


def _other(head: bytes) -> str:
    """Say what a file is that is not JSON."""
    if _COPILOT.match(head):
        return products.refusal(products.COPILOT)
    if head.startswith(b"<"):
        return products.refusal(products.GEMINI) if b"Gemini Apps" in head else _PAGE
    return _NEITHER


def _is_line(parts: list[bytes]) -> bool:
    """Whether a file is JSON Lines, by its first line; then one broken line spoils no other."""
    if len(parts) == 1:
        return True  # longer than `head`, or the only line
    try:
        return isinstance(orjson.loads(parts[0]), dict)
    except orjson.JSONDecodeError:
        return parts[0].rstrip().endswith(b"}")  # a broken line, not an indented document


class _Joined(io.RawIOBase):
    """The part of a file that was read already, and the rest."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # always a memoryview
        data = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)
