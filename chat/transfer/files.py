"""Where an export goes: a file or a folder that is there whole, or not at all.

It is written beside its place under a name that says so, brought to the disk, and put in place by
one rename. Whoever is cut off, by a kill or by a full disk, leaves at most that; the next export to
the same place removes it. A lock on it says that its writer still lives.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO


class PlaceTaken(Exception):
    """Something is there already."""


@contextmanager
def whole_file(target: Path, *, force: bool) -> Iterator[IO[bytes]]:
    """A file to write, in place once all of it is written. Raises `PlaceTaken` and `OSError`."""
    check(target, force=force)
    target = target.resolve()  # a link goes on being one
    _clear(target)
    part = _part(target)
    try:
        with open(part, "xb", opener=_private) as file:
            _lock(file.fileno())
            yield file
            file.flush()
            os.fsync(file.fileno())
            check(target, force=force)
            part.rename(target)
        _sync(target.parent)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def whole_folder(target: Path, *, force: bool) -> Iterator[Path]:
    """A folder to fill, in place once all is in it.

    With `force` it may have files in it already: then each new one is in place by itself.
    """
    if target.is_dir() and any(target.iterdir()):
        if not force:
            raise PlaceTaken(f"{target} has files in it")
        yield target
        return
    check(target, force=target.is_dir())
    target = target.resolve()
    _clear(target)
    part = _part(target)
    try:
        part.mkdir(mode=0o700)
        with _locked(part):
            yield part
            _sync(part)
            part.rename(target)
        _sync(target.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def check(target: Path, *, force: bool) -> None:
    """Raises `PlaceTaken` where a file may not go."""
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise PlaceTaken(f"{target} is neither a file nor a folder")
    if target.exists() and not force:
        raise PlaceTaken(f"{target} is there already")


def _part(target: Path) -> Path:
    return target.with_name(_mark(target) + secrets.token_hex(8))


def _mark(target: Path) -> str:
    """How the names of unfinished exports to this place begin."""
    return f".talos-export-{sha256(target.name.encode()).hexdigest()[:12]}-"


def _clear(target: Path) -> None:
    """Remove what earlier exports to this place left when they were cut off."""
    for part in target.parent.glob(_mark(target) + "*"):
        descriptor = os.open(part, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue  # its writer lives
        finally:
            os.close(descriptor)
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _lock(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_EX)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
