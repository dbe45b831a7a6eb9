"""What kind of file this is, by how it begins."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO, Literal

import orjson

from chat.transfer.items import BEFORE, Item, Objects, lines

Kind = Literal["auto", "jsonl", "json", "chatgpt"]

HEAD_BYTES = 64 * 1024
_NOT_YET = {
    b"\x1f\x8b": "it is compressed (gzip): unpack it first, for example with gunzip",
    b"PK\x03\x04": "it is a ZIP file: unpack it, and name the JSON file in it",
    b"\xff\xfe": "it is UTF-16: convert it to UTF-8 first",
    b"\xfe\xff": "it is UTF-16: convert it to UTF-8 first",
    b"SQLite format": "it is a database: `manage.py restore` takes backups back",
}
_NEITHER = "it is no archive: neither JSON Lines nor JSON. `manage.py export_history` writes both"
_BOM = b"\xef\xbb\xbf"


def items(file: BinaryIO, kind: Kind) -> Iterator[Item]:
    """The pieces of a file that hold a conversation each; or what is wrong with all of it."""
    head = file.read(HEAD_BYTES)
    for magic, what_to_do in _NOT_YET.items():
        if head.startswith(magic):
            return iter([Item(0, b"", what_to_do)])
    if not head.strip(_BOM + b" \t\r\n"):
        return iter([Item(0, b"", "it is empty")])
    joined = io.BufferedReader(_Joined(head.removeprefix(_BOM), file), HEAD_BYTES)
    return _items(head.removeprefix(_BOM).lstrip(), joined, kind)


def _items(head: bytes, file: BinaryIO, kind: Kind) -> Iterator[Item]:
    if kind == "jsonl":
        return lines(file)
    if head.startswith(b"["):
        return iter(Objects(file, within=1))
    if not head.startswith(b"{"):
        return iter([Item(0, b"", _NEITHER)])
    if BEFORE[2].match(head):
        return iter(Objects(file, within=2))
    if kind == "auto" and _is_line(head.split(b"\n", 1)):
        return lines(file)
    return iter(Objects(file, within=0))


def _is_line(parts: list[bytes]) -> bool:
    """Is the first line of a file one of JSON Lines, so that a broken one spoils no other?"""
    if len(parts) == 1:
        return True  # longer than what was looked at, or the only one
    try:
        return isinstance(orjson.loads(parts[0]), dict)
    except orjson.JSONDecodeError:
        return parts[0].rstrip().endswith(b"}")  # a broken one, rather than laid out


class _Joined(io.RawIOBase):
    """What was read of a file already, and the rest of it."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what it is given
        data = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)
