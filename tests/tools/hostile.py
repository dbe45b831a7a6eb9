"""A workspace with a secret beside it, and checks that nothing touched the secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tools.core.declaration import ToolError
from tools.sandbox.workspace import Workspace

SECRET = b"outside"
OWN = b"inside"


def with_a_secret(tmp_path: Path) -> Path:
    """Make the workspace and the secret; returns the workspace."""
    (tmp_path / "secret.txt").write_bytes(SECRET)
    (tmp_path / "workspace-2").mkdir()
    (tmp_path / "workspace-2" / "secret.txt").write_bytes(SECRET)
    root = tmp_path / "workspace"
    (root / "notes").mkdir(parents=True)
    (root / "notes" / "own.txt").write_bytes(OWN)
    return root


def outside(root: Path) -> dict[str, bytes]:
    found = (path for path in root.parent.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path): path.read_bytes() for path in found if root not in path.parents}


@contextmanager
def refused(root: Path) -> Iterator[None]:
    """The block fails with a message for the model, without a path of the machine, and changes nothing."""
    before = outside(root)
    with pytest.raises(ToolError) as error:
        yield
    assert str(root.parent) not in str(error.value)
    assert outside(root) == before


def refuses_all(root: Path, path: str) -> None:
    with refused(root):
        Workspace(root).read(path, 100)
    with refused(root):
        Workspace(root).write(path, b"overwritten")
