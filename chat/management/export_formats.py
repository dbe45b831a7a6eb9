"""The format of an export: `--format`, else the ending of its file."""

from __future__ import annotations

from pathlib import Path

from django.core.management.base import CommandError

from chat.transfer.archive.encoders import Encoder, JsonDocument, JsonLines
from chat.transfer.archive.older import FirstVersion
from chat.transfer.markdown import Markdown

_ARCHIVES: dict[str, type[JsonLines]] = {"jsonl": JsonLines, "json": JsonDocument}
FORMATS = (*_ARCHIVES, "markdown")
_ENDINGS = {".json": "json", ".md": "markdown", ".markdown": "markdown"}
_COMPRESSED = ".gz"
_OTHER_CONTAINERS = {".zip", ".tar", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".lz4", ".br"}
_OTHER_FORMATS = {
    *(".csv", ".tsv", ".html", ".htm", ".txt", ".pdf", ".docx", ".odt", ".xlsx"),
    *(".xml", ".yaml", ".yml", ".db", ".sqlite3"),
}
"""Endings in which nobody expects JSON. Any other ending is allowed: it may be part of a date."""
_WRITABLE = (
    "Write a file that ends in .jsonl, .json or .md (each also compressed: .jsonl.gz), or a "
    "folder, whose name ends in /."
)


def encoder(chosen: str | None, name: str, older: FirstVersion | None) -> Encoder:
    """Return the encoder for a file's name; empty: a folder or a stream. Raises `CommandError`."""
    endings = [ending.lower() for ending in Path(name).suffixes]
    if other := _OTHER_CONTAINERS.intersection(endings[-2:]):
        raise CommandError(f"{name}: {min(other)} cannot be written by this version. {_WRITABLE}")
    chosen = chosen or _by_ending(name, [end for end in endings if end != _COMPRESSED])
    if chosen in _ARCHIVES:
        return _ARCHIVES[chosen](older)
    if older:
        raise CommandError("Markdown has no versions: --format-version works with jsonl and json.")
    return Markdown()


def _by_ending(name: str, endings: list[str]) -> str:
    ending = endings[-1] if endings else ""
    if ending in _OTHER_FORMATS:
        raise CommandError(
            f"{name}: {ending} is not an export format. {_WRITABLE} Or choose one with --format."
        )
    return _ENDINGS.get(ending, "jsonl")


def is_compressed(name: str) -> bool:
    return name.lower().endswith(_COMPRESSED)
