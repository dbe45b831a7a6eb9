"""Fixtures for tests of files with conversations."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.management import CommandError, call_command

from tests.transfer.uploads import folder

Export = Callable[..., bytes]


@pytest.fixture
def exported(tmp_path: Path) -> Export:
    """Returns what `export_history` writes into a file."""

    def export(**options: Any) -> bytes:
        path = tmp_path / "export"
        call_command("export_history", output=str(path), force=True, stdout=StringIO(), **options)
        return path.read_bytes()

    return export


class Said(NamedTuple):
    """The result of `import_history`."""

    status: int
    text: str
    """Everything it wrote."""


Imports = Callable[..., Said]


@pytest.fixture
def imported(tmp_path: Path) -> Imports:
    """Runs `import_history` on a file with these bytes, called a.jsonl."""

    def run(data: bytes, **options: Any) -> Said:
        path = tmp_path / "a.jsonl"
        path.write_bytes(data)
        out = StringIO()
        try:
            call_command("import_history", str(path), stdout=out, stderr=out, **options)
        except CommandError as error:
            return Said(error.returncode, f"{out.getvalue()}{error}".replace(str(path), "a.jsonl"))
        return Said(0, out.getvalue().replace(str(path), "a.jsonl"))

    return run


@pytest.fixture
def no_files() -> None:
    """Remove files of imports that another test left."""
    shutil.rmtree(folder(), ignore_errors=True)
