"""The files that tools may touch: those in the workspace, whatever a path says.

The system never gets a whole path. Folders are opened one by one, each relative to the one before
and never through a link, and checks look at the opened file, not at its name: a link created
between a check and its use leads nowhere. Reads and writes are bounded.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tools.core.errors import ToolError
from tools.sandbox.paths import parts_of

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""Non-blocking: opening a pipe without a writer would hang."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

MAX_WRITTEN = 1024 * 1024
MAX_LISTED = 1000


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """An entry of a folder."""

    name: str
    kind: str
    """`file`, `folder`, or another kind, which is never opened."""
    size: int


class Workspace:
    """One folder, created if missing. Every refusal is a `ToolError`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str, most: int) -> tuple[bytes, int]:
        """Return the beginning of a file, and the size of the whole."""
        parts = _file_parts(path)
        with _errors_explained(path), self._folder(parts[:-1]) as folder:
            _check_file(path, os.stat(parts[-1], dir_fd=folder, follow_symlinks=False))
            with os.fdopen(os.open(parts[-1], _FILE, dir_fd=folder), "rb") as file:
                found = os.fstat(file.fileno())
                _check_file(path, found)
                return file.read(most), found.st_size

    def write(self, path: str, content: bytes) -> bool:
        """Write a whole file or nothing, creating its folders. Returns whether the file is new."""
        if len(content) > MAX_WRITTEN:
            raise ToolError(
                f"A file may have at most {MAX_WRITTEN:,} bytes; this has {len(content):,}."
            )
        *folders, name = _file_parts(path)
        with _errors_explained(path), self._folder(folders, make=True) as folder:
            before = _stat_existing(path, name, folder)
            mode = stat.S_IMODE(before.st_mode) & 0o777 if before else 0o600
            _replace(name, content, folder, mode)
            return before is None

    def entries(self, path: str) -> tuple[list[Entry], bool]:
        """Return a folder's entries, sorted by name, and whether there are more."""
        with (
            _errors_explained(path),
            self._folder(parts_of(path)) as folder,
            os.scandir(folder) as found,
        ):
            entries = [_entry(entry) for entry in islice(found, MAX_LISTED + 1)]
        return sorted(entries[:MAX_LISTED]), len(entries) > MAX_LISTED

    @contextmanager
    def _folder(self, parts: list[str], *, make: bool = False) -> Iterator[int]:
        """Open a folder in the workspace; yields its descriptor."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(part, 0o700, dir_fd=folder)
                inner = os.open(part, _FOLDER, dir_fd=folder)
                os.close(folder)
                folder = inner
            yield folder
        finally:
            os.close(folder)


def _file_parts(path: str) -> list[str]:
    parts = parts_of(path)
    if not parts or path.endswith("/"):
        raise ToolError(f"{path!r} does not name a file.")
    return parts


def _stat_existing(path: str, name: str, folder: int) -> os.stat_result | None:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    _check_file(path, found)
    return found


def _check_file(path: str, found: os.stat_result) -> None:
    """Refuse anything but a plain file: a link of either kind (a way out), a device, a pipe."""
    if stat.S_ISDIR(found.st_mode):
        raise ToolError(f"{path!r} is a folder.")
    if not stat.S_ISREG(found.st_mode):
        raise ToolError(f"{path!r} is a {_kind(found.st_mode)}, not a file.")
    if found.st_nlink > 1:
        raise ToolError(f"{path!r} has a second name (a hard link) that may be anywhere.")


def _replace(name: str, content: bytes, folder: int, mode: int) -> None:
    """Put a new file in place of the old one: a link there is replaced, not followed."""
    draft = f".{secrets.token_hex(8)}.part"
    try:
        with os.fdopen(os.open(draft, _NEW, 0o600, dir_fd=folder), "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(draft, dir_fd=folder)
        raise


def _entry(entry: os.DirEntry[str]) -> Entry:
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:  # gone since
        return Entry(entry.name, "file", 0)
    return Entry(entry.name, _kind(found.st_mode), found.st_size)


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFREG: "file",
        stat.S_IFDIR: "folder",
        stat.S_IFLNK: "link",
        stat.S_IFIFO: "pipe",
        stat.S_IFSOCK: "socket",
    }
    return kinds.get(stat.S_IFMT(mode), "device")


@contextmanager
def _errors_explained(path: str) -> Iterator[None]:
    """Turn the system's errors into sentences without this machine's paths."""
    try:
        yield
    except FileNotFoundError:
        raise ToolError(f"There is no {path!r} in the workspace.") from None
    except NotADirectoryError:
        raise ToolError(f"{path!r} leads through something that is not a folder.") from None
    except PermissionError:
        raise ToolError(f"{path!r} is not accessible to this server.") from None
    except OSError as error:
        raise ToolError(f"{path!r} cannot be used: {error.strerror}.") from None
