"""One server process and one model server, for all tests of this folder that kill neither."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.support.client import Chat
from tests.support.databases import FILE, fresh_database
from tests.support.model_server import ModelServer
from tests.support.model_server.server import Recorded
from tests.support.model_server.steps import Step
from tests.support.processes import Talos

OpenChat = Callable[..., Awaitable[Chat]]
API_KEY = "sk-secret-of-the-tests"
PATIENCE = 30
"""Seconds until a new server asks a model: it imports a client first."""


class Model:
    """One model of the model server, under a name of its own, so that tests don't meet."""

    def __init__(self, server: ModelServer) -> None:
        self.server = server
        self.id = f"model-{uuid4().hex[:8]}"

    def reply(self, *steps: Step, bytewise: bool = False) -> None:
        """Script one answer, after earlier ones that still wait."""
        self.server.script(self.id, *steps, bytewise=bytewise)

    @property
    def requests(self) -> list[Recorded]:
        return [found for found in self.server.requests if found.body["model"] == self.id]

    async def request(self, number: int = 1) -> Recorded:
        """Wait for the n-th request to this model."""
        async with asyncio.timeout(PATIENCE):
            while len(self.requests) < number:
                count = len(self.server.requests)
                if len(self.requests) < number:
                    await self.server.arequest(count + 1, timeout=PATIENCE)
        return self.requests[number - 1]


@pytest.fixture(scope="session")
def model_server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def model(model_server: ModelServer) -> Model:
    return Model(model_server)


@pytest.fixture(scope="session")
def address(
    tmp_path_factory: pytest.TempPathFactory, collected: None, model_server: ModelServer
) -> Iterator[str]:
    """The address of the shared server."""
    server = Talos(tmp_path_factory.mktemp("shared") / "data")
    with fresh_database(server.data) as variables:
        yield server.start(**environment(model_server), **variables)
        status, errors = server.stop()
    assert status == 0
    assert "ERROR" not in errors, errors


def environment(model_server: ModelServer) -> dict[str, str]:
    return {
        "OPENAI_BASE_URL": model_server.base_url,
        "OPENAI_API_KEY": API_KEY,
        "TALOS_DEFAULT_MODEL": "echo",
        "TALOS_SYSTEM_PROMPT": "Be brief.",
    }


class OwnServer:
    """A server process for one test, which can be killed and restarted on the same data."""

    def __init__(self, data: Path, variables: dict[str, str], *command: str) -> None:
        self.talos = Talos(data, *command)
        self.variables = variables

    def start(self, **more: str) -> str:
        return self.talos.start(**{**self.variables, **more})

    def kill(self) -> None:
        self.talos.kill()

    def manage(self, *arguments: str) -> str:
        """Run a management command on the same data, as another process would."""
        from tests.support.processes import manage

        done = manage(*arguments, **self._same_data)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a management command without waiting for it."""
        from tests.support.processes import begin

        return begin(*arguments, **self._same_data)

    def database(self) -> Any:
        """Open a connection to the server's database, which the test closes."""
        if url := self.variables.get("DATABASE_URL"):
            return psycopg.connect(url)
        return sqlite3.connect(self.talos.data / FILE)

    @property
    def _same_data(self) -> dict[str, str]:
        return {"TALOS_DATA_DIR": str(self.talos.data), **self.variables}


@pytest.fixture
def own_server(tmp_path: Path, collected: None, model_server: ModelServer) -> Iterator[OwnServer]:
    data = tmp_path / "data"
    with fresh_database(data) as variables:
        server = OwnServer(data, {**environment(model_server), **variables})
        yield server
        server.kill()


@pytest.fixture
async def connect() -> AsyncIterator[OpenChat]:
    """Open connections to any address, and close them at the end."""
    opened: list[Chat] = []

    async def connect(address: str) -> Chat:
        opened.append(await Chat(address).open())
        return opened[-1]

    yield connect
    for chat in opened:
        await chat.close()


@pytest.fixture
async def open_chat(connect: OpenChat, request: pytest.FixtureRequest) -> OpenChat:
    """Open a connection to the shared server."""
    address = request.getfixturevalue("address")

    async def open_chat() -> Chat:
        return await connect(address)

    return open_chat
