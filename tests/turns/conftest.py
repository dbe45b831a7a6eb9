"""A tool's effects, and a server that a test may kill."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.servers import OwnServer
from tests.turns.asking import TOOLS


@pytest.fixture
def effects(tmp_path: Path) -> Path:
    return tmp_path / "effects.txt"


@pytest.fixture
def start(own_server: OwnServer) -> OwnServer:
    own_server.variables["TALOS_TOOLS"] = TOOLS
    return own_server
