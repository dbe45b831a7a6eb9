"""What tests of files with conversations share."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.management import CommandError, call_command

Export = Callable[..., bytes]


@pytest.fixture
def exported(tmp_path: Path) -> Export:
    """What `export_history` writes into a file."""

    def export(**options: Any) -> bytes:
        path = tmp_path / "export"
        call_command("export_history", output=str(path), force=True, stdout=StringIO(), **options)
        return path.read_bytes()

    return export


class Said(NamedTuple):
    """How `import_history` ended."""

    status: int
    text: str
    """All that it wrote."""


Imports = Callable[..., Said]


@pytest.fixture
def imported(tmp_path: Path) -> Imports:
    """What `import_history` says of a file with these bytes, called a.jsonl."""

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
