"""The target of an export: a file or folder that appears only when it is complete.

It is written beside its target under a temporary name, synced to disk and then renamed. An export
that is cut off, by a kill or a full disk, leaves at most the temporary file, which the next export
to the same target removes. A lock on it shows that its writer is alive.
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
    """Something exists at the target."""


@contextmanager
def whole_file(target: Path, *, force: bool) -> Iterator[IO[bytes]]:
    """Yield a file to write; it appears once it is complete. Raises `PlaceTaken` and `OSError`."""
    check(target, force=force)
    target = target.resolve()  # keep a symbolic link a link
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
    """Yield a folder to fill; it appears once it is complete.

    With `force`, it may have files in it already; then each new file appears by itself.
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
    """Raise `PlaceTaken` if a file may not be written there."""
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise PlaceTaken(f"{target} is neither a file nor a folder")
    if target.exists() and not force:
        raise PlaceTaken(f"{target} exists already")


def _part(target: Path) -> Path:
    return target.with_name(_mark(target) + secrets.token_hex(8))


def _mark(target: Path) -> str:
    """Return the prefix of temporary names for exports to this target."""
    return f".talos-export-{sha256(target.name.encode()).hexdigest()[:12]}-"


def _clear(target: Path) -> None:
    """Remove what interrupted exports to this target left behind."""
    for part in target.parent.glob(_mark(target) + "*"):
        descriptor = os.open(part, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue  # its writer is alive
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
