"""Each version's database, upgraded once, and one server on it for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.model_server import ModelServer
from tests.support.processes import Talos
from tests.support.servers import environment
from tests.upgrades.kept import VERSIONS
from tests.upgrades.upgraded import Upgraded, upgraded_database

LATER = "Answered after the update."
"""The model's answer to anything."""


@dataclass(frozen=True)
class Served:
    upgraded: Upgraded
    address: str
    models: ModelServer


@pytest.fixture(scope="session", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def upgraded(version: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    with upgraded_database(version, tmp_path_factory.mktemp(version) / "data") as found:
        yield found


@pytest.fixture(scope="session")
def served(upgraded: Upgraded, collected: None) -> Iterator[Served]:
    server = Talos(upgraded.data)
    with ModelServer() as models:
        models.default = (LATER,)
        # otherwise what has waited since that version would be too old
        variables = {**environment(models), "TALOS_APPROVAL_DAYS": "3650"}
        try:
            yield Served(upgraded, server.start(**variables, **upgraded.variables), models)
            status, errors = server.stop()
        finally:
            server.kill()
    assert status == 0
    assert "ERROR" not in errors, errors
