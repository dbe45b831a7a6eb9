"""Reading conversations directly from a ZIP file, as products send it, without unpacking it.

A ZIP file may lie about its contents to cost memory or time. So no more is read at once than a
table of contents may take, and no more in total than the file could honestly hold.
"""

from __future__ import annotations

import io
import re
import shutil
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO, BinaryIO, Self, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from chat.transfer.importers import products

MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
"""The first bytes of a ZIP file; the second is an empty one."""
MAX_CONTENTS = 16 * 1024 * 1024
"""The most bytes of the table of contents: about 200,000 files."""
MAX_RATIO = 100
"""How many times its size it may be when unpacked; conversations reach about 10."""
ALWAYS = 256 * 1024 * 1024
"""Unpacked bytes that are allowed whatever its size."""
DAMAGED = "the ZIP file is damaged or cut off: get the complete file"
ENCRYPTED = "it is encrypted: unpack it with its password, then import the files in it"
PACKED = "it uses an unusual compression: unpack it, then import the files in it"
TOO_LARGE = (
    f"it would be more than {MAX_RATIO} times as large when unpacked: "
    "unpack it yourself, then import the files in it"
)
NESTED = "it contains only other ZIP files: unpack it, then import those"
NOTHING = "it contains no conversations: neither conversations.json nor another .json or .jsonl"
_FAULTS = (
    BadZipFile, zlib.error, EOFError, struct.error, ValueError, OverflowError, NotImplementedError, OSError,
)  # fmt: skip
"""Exceptions raised by reading a broken one."""

_CHATS = re.compile(r"conversations(?:[-_ ]?\d+)?\.json|.+\.jsonl", re.IGNORECASE)
_BESIDE = re.compile(
    r"(?:users?|message_feedback|shared_conversations|model_comparisons|projects|memories"
    r"|user_settings|export_manifest)\.json|(?:chat|report)\.html|\.DS_Store",
    re.IGNORECASE,
)
"""Other files of an export, without conversations."""
_KINDS = {
    "image": {"png", "jpg", "jpeg", "gif", "webp", "heic", "bmp", "svg", "tif", "tiff", "avif"},
    "audio": {"wav", "mp3", "m4a", "ogg", "oga", "opus", "flac", "aac"},
}
"""Kinds of files by their endings; all others count as `file`."""
_UNKNOWN = "dat"
"""An ending that any kind of file may have."""


class Unreadable(Exception):
    """Says why a file cannot be read, and what to do."""


class Zip:
    """An open ZIP file. Every method may raise `Unreadable`."""

    def __init__(self, file: BinaryIO) -> None:
        try:
            self._size = file.seek(0, io.SEEK_END)
            self._zip = ZipFile(cast("IO[bytes]", _Sparing(file)))
        except _FAULTS as error:
            raise Unreadable(DAMAGED) from error
        found = [info for info in self._zip.infolist() if not _is_nothing(info)]
        self._chats = sorted(_chats(found), key=lambda info: info.filename)
        chats = set(map(id, self._chats))
        self._others = [info for info in found if id(info) not in chats]
        self._check(found)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()

    def _check(self, found: list[ZipInfo]) -> None:
        if any("Gemini Apps" in info.filename for info in found):
            raise Unreadable(products.refusal(products.GEMINI))
        if not self._chats:
            is_nested = any(info.filename.lower().endswith(".zip") for info in found)
            raise Unreadable(NESTED if is_nested else NOTHING)
        if self.unpacked > max(ALWAYS, MAX_RATIO * self._size):
            raise Unreadable(TOO_LARGE)

    @property
    def unpacked(self) -> int:
        """The declared bytes of its conversations; no more than that is read."""
        return sum(info.file_size for info in self._chats)

    def left_out(self, counted: Counter[str]) -> Counter[str]:
        """Count the images, audio recordings and other files that the conversations did not count.

        Files ending in `.dat` may be of any kind, so they fill up what the conversations counted.
        """
        found = Counter(map(_kind, self._others))
        unknown = found.pop(_UNKNOWN, 0)
        elsewhere = sum((counted - found)[kind] for kind in (*_KINDS, "file"))
        return found - counted + Counter(file=max(unknown - elsewhere, 0))

    def chats(self) -> Iterator[ZipInfo]:
        yield from self._chats

    def open(self, info: ZipInfo) -> BinaryIO:
        """Open one of `chats`, limited to its declared size. Reading it may raise `Unreadable` too."""
        if info.flag_bits & 0x1:
            raise Unreadable(ENCRYPTED)
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise Unreadable(PACKED)  # others can unpack a small piece to any size at once
        try:
            file = self._zip.open(info)
        except (*_FAULTS, RuntimeError) as error:
            raise Unreadable(DAMAGED) from error
        return io.BufferedReader(_Member(cast("BinaryIO", file)))


class _Member(io.RawIOBase):
    """A file in a ZIP file. Reading it raises only `Unreadable`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # always a memoryview
        try:
            data = self._file.read(len(buffer))
        except _FAULTS as error:
            raise Unreadable(DAMAGED) from error
        buffer[: len(data)] = data
        return len(data)


class _Sparing:
    """A file that limits a single read: `ZipFile` reads the whole table of contents at once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(min(size, MAX_CONTENTS + 1) if size >= 0 else MAX_CONTENTS + 1)
        if len(data) > MAX_CONTENTS:
            raise BadZipFile("its table of contents is too long")
        return data


def readable_size(file: BinaryIO) -> int:
    """Return how many bytes of a file will be read; for a ZIP file, its unpacked size."""
    file.seek(0)
    if file.read(len(MAGIC[0])) not in MAGIC:
        return file.seek(0, io.SEEK_END)
    try:
        with Zip(file) as archive:
            return archive.unpacked
    except Unreadable:
        return 0


@contextmanager
def make_seekable(head: bytes, file: BinaryIO) -> Iterator[BinaryIO]:
    """Yield a seekable file, after `head` was read from it; a pipe is copied to disk."""
    if file.seekable():
        yield file
        return
    with TemporaryFile() as copy:
        copy.write(head)
        shutil.copyfileobj(file, copy)
        yield cast("BinaryIO", copy)


def _base(info: ZipInfo) -> str:
    return re.split(r"[/\\]", info.filename)[-1]  # some Windows programs write backslashes


def _is_nothing(info: ZipInfo) -> bool:
    is_macs = info.filename.startswith("__MACOSX/") or _base(info).startswith("._")
    is_folder = info.filename[-1:] in ("", "/")
    return is_folder or is_macs or _BESIDE.fullmatch(_base(info)) is not None


def _chats(found: list[ZipInfo]) -> list[ZipInfo]:
    """Return the files named like conversations; if there are none, all JSON files."""
    named = [info for info in found if _CHATS.fullmatch(_base(info))]
    return named or [info for info in found if info.filename.lower().endswith(".json")]


def _kind(info: ZipInfo) -> str:
    ending = _base(info).rpartition(".")[2].lower()
    other = _UNKNOWN if ending == _UNKNOWN else "file"
    return next((kind for kind, endings in _KINDS.items() if ending in endings), other)
