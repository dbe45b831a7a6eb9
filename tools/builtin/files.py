"""List, read and write files in the workspace. Nothing outside it is ever touched."""

from __future__ import annotations

import codecs
from typing import Annotated

from pydantic import Field

from tools import ToolContext, ToolError, Workspace, tool
from tools.core.declaration import OUTPUT_LIMIT
from tools.sandbox.workspace import Entry

Path = Annotated[str, Field(description="Relative to the workspace, as in `notes/today.md`.")]
Folder = Annotated[
    str, Field(description="Relative to the workspace; `.` is the workspace itself.")
]


@tool(approval=False, seconds=10, repeatable=True)
def list_files(context: ToolContext, path: Folder = ".") -> str:
    """List a folder in the workspace: names and sizes. A name that ends with / is a folder."""
    entries, is_cut = Workspace(context.workspace).entries(path)
    lines = [_line(entry) for entry in entries]
    if is_cut:
        lines.append(f"(only the first {len(entries)} entries are listed)")
    return "\n".join(lines) or "(empty)"


@tool(approval=False, seconds=10, repeatable=True)
def read_file(context: ToolContext, path: Path) -> str:
    """Read a text file in the workspace. Only the beginning of a long file is returned."""
    most = OUTPUT_LIMIT - 200  # room for the note below
    content, size = Workspace(context.workspace).read(path, most)
    text = _decode(path, content, size)
    if size > len(content):
        text += f"\n\n[Cut here: {len(content):,} of {size:,} bytes shown.]"
    return text or "(the file is empty)"


@tool(seconds=10)
def write_file(context: ToolContext, path: Path, content: str) -> str:
    """Write a text file in the workspace, replacing its content. Missing folders are created.

    Args:
        content: The whole text of the file.
    """
    data = content.encode()
    is_new = Workspace(context.workspace).write(path, data)
    return f"{'Created' if is_new else 'Replaced'} {path}, {len(data):,} bytes."


def _line(entry: Entry) -> str:
    name = entry.name if entry.name.isprintable() else repr(entry.name)
    match entry.kind:
        case "file":
            return f"{name} ({entry.size:,} bytes)"
        case "folder":
            return f"{name}/"
        case other:
            return f"{name} ({other}, cannot be opened)"


def _decode(path: str, content: bytes, size: int) -> str:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        # Drops a character that was cut in half.
        text = decoder.decode(content, final=len(content) == size)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ToolError(f"{path!r} is not a UTF-8 text file ({size:,} bytes).")
    return text
