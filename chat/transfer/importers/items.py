"""Splitting a file into pieces with one conversation each, in bounded memory.

Pieces are the lines of JSON Lines, or the objects of a JSON array in any layout, found by their
brackets without parsing what is between them. A piece that is too long is skipped, and reading
continues with the next one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from chat.transfer.archive.format import FORMAT, MAX_BYTES, VERSIONS

CHUNK_BYTES = 256 * 1024
TOO_LONG = f"it is longer than {MAX_BYTES // 2**20} MiB"
CUT_OFF = "the file ends in the middle of it: get the complete file"
STRAY = "there is something that is not a conversation"
FOREIGN = (
    "it declares a format or version that this Talos cannot read: "
    "if a newer Talos wrote it, update this one"
)


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of a file."""

    line: int
    """The line in which it begins, from 1."""
    data: bytes
    fault: str = ""
    """Why it has no data."""
    position: int = 0
    """Its number in the file, from 1; 0 if its line identifies it."""


def lines(file: BinaryIO) -> Iterator[Item]:
    """Yield each line that is not blank."""
    number = 0
    while line := file.readline(MAX_BYTES + 1):
        number += 1
        if len(line) > MAX_BYTES:
            while line and not line.endswith(b"\n"):
                line = file.readline(CHUNK_BYTES)
            yield Item(number, b"", TOO_LONG)
        elif line.strip():
            yield Item(number, line)


_MARK = re.compile(rb'["{}\[\]]')
_MARK_IN_TEXT = re.compile(rb'["\\]')
_QUOTE, _BACKSLASH, _OPENING = ord('"'), ord("\\"), b"{["

_SCALARS = rb'(?:\s*"\w+"\s*:\s*(?:"[^"\\]*"|\d+)\s*,)*'
_SAID = re.compile(rb'"(\w+)"\s*:\s*("[^"\\]*"|\d+)')
_HEAD = {
    b"format": {b'"%s"' % FORMAT.encode()},
    b"version": {b"%d" % version for version in VERSIONS},
}
"""The values that a document may declare before its conversations, by key."""
BEFORE = {
    0: re.compile(rb"\s*"),
    1: re.compile(rb"\s*\[\s*"),
    2: re.compile(rb"\s*\{" + _SCALARS + rb'\s*"conversations"\s*:\s*\[\s*'),
}
"""What precedes the first object, by the number of brackets around it."""
_AFTER = {
    0: re.compile(rb"\s*"),
    1: re.compile(rb"\s*\]\s*"),
    2: re.compile(rb'\s*\](?:\s*,\s*"\w+"\s*:\s*(?:"[^"\\]*"|\d+))*\s*\}\s*'),
}
_BETWEEN = {0: b"", 1: b",", 2: b","}
_MAX_BESIDE = 4096
"""The most bytes between two objects."""


class Objects:
    """The objects inside `within` brackets: 0, or 1 for an array, or 2 for a document's array."""

    def __init__(self, file: BinaryIO, within: int) -> None:
        self._file = file
        self._within = within
        self._depth = 0
        self._is_text = False
        self._skip = 0
        self._line = 1
        self._begin_line = 0
        self._object: list[bytes] = []
        self._size = 0
        self._beside = b""
        self._count = 0
        self._is_foreign = False
        """It declares another format, so nothing of it is read."""

    def __iter__(self) -> Iterator[Item]:
        while chunk := self._file.read(CHUNK_BYTES):
            yield from self._scan(chunk)
            if self._is_foreign:
                return
            if len(self._beside) > _MAX_BESIDE:
                yield Item(self._line, b"", STRAY)
                return
        yield from self._end()

    @property
    def _position(self) -> int:
        return self._count if self._within else 0

    @property
    def _is_inside(self) -> bool:
        return self._depth > self._within

    def _scan(self, chunk: bytes) -> Iterator[Item]:
        at, begin, counted = self._skip, 0, 0
        while match := (_MARK_IN_TEXT if self._is_text else _MARK).search(chunk, at):
            mark, at = chunk[match.start()], match.end()
            if mark == _BACKSLASH:
                at += 1  # skip the escaped character
            elif mark == _QUOTE:
                self._is_text = not self._is_text
            elif mark in _OPENING:
                if self._depth == self._within:
                    self._beside += chunk[begin : match.start()]
                    self._line += chunk.count(b"\n", counted, match.start())
                    begin = counted = match.start()
                    if fault := self._begin():
                        yield fault
                    if self._is_foreign:
                        return
                self._depth += 1
            else:
                self._depth -= 1
                if self._depth == self._within:
                    self._take(chunk[begin:at])
                    yield self._whole()
                    begin = at
        self._skip = max(at - len(chunk), 0)
        self._line += chunk.count(b"\n", counted)
        if self._is_inside:
            self._take(chunk[begin:])
        else:
            self._beside += chunk[begin:]

    def _begin(self) -> Item | None:
        """Begin an object. Return a fault if it is not where one may be."""
        beside, self._beside = self._beside, b""
        self._begin_line = self._line
        before, self._count = self._count, self._count + max(beside.count(b","), 1)
        if not before:
            self._count = 1 + beside.count(b",") * (self._within > 0)
            self._is_foreign = _is_foreign(beside)
            if self._is_foreign:
                return Item(self._line, b"", FOREIGN)
            is_right = BEFORE[self._within].fullmatch(beside) is not None
        else:
            is_right = beside.strip() == _BETWEEN[self._within]
        return None if is_right else Item(self._line, b"", STRAY, self._position and before + 1)

    def _take(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > MAX_BYTES:
            self._object.clear()
        else:
            self._object.append(data)

    def _whole(self) -> Item:
        data, size = b"".join(self._object), self._size
        self._object, self._size = [], 0
        fault = TOO_LONG if size > MAX_BYTES else ""
        return Item(self._begin_line, data, fault, self._position)

    def _end(self) -> Iterator[Item]:
        if self._is_inside:
            yield Item(self._begin_line, b"", CUT_OFF, self._position)
            return
        rest = self._beside
        if not self._count and _is_foreign(rest):
            yield Item(self._line, b"", FOREIGN)
            return
        if not self._count:
            match = BEFORE[self._within].match(rest)
            rest = rest[match.end() :] if match else b"?"
        if self._depth > 0 or self._is_text:
            yield Item(self._line, b"", CUT_OFF)
        elif not _AFTER[self._within].fullmatch(rest):
            yield Item(self._line, b"", STRAY)


def _is_foreign(beside: bytes) -> bool:
    """Whether a document declares another format or version than this archive's.

    One that declares neither comes from another product; its elements are recognised one by one.
    """
    said = dict(_SAID.findall(beside.partition(b"[")[0]))
    if not said.keys() & _HEAD.keys():
        return False
    return said.keys() - _HEAD.keys() != set() or any(said[key] not in _HEAD[key] for key in said)
