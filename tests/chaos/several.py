"""Several servers on one PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.client import Chat, Frame
from tests.support.databases import fresh_database
from tests.support.model_server import ModelServer
from tests.support.servers import Model, OwnServer, environment


@contextmanager
def several(
    count: int, folder: Path, models: ModelServer, *command: str
) -> Iterator[list[OwnServer]]:
    """Servers on one database."""
    with fresh_database(folder) as variables, ExitStack() as stack:
        common = {
            **environment(models),
            **variables,
            "TALOS_TOOLS": "tools,tests.support.effect_tools",
        }
        made = [OwnServer(folder / str(number), common, *command) for number in range(count)]
        for server in made:
            stack.callback(server.kill)
        yield made


def start(servers: Iterable[OwnServer]) -> list[str]:
    with ThreadPoolExecutor() as side_by_side:
        return list(side_by_side.map(OwnServer.start, servers))


async def begun(
    chat: Chat, model: Model, *steps: object, until: str | Callable[[Frame], bool] = "delta"
) -> str:
    model.reply(*steps)  # type: ignore[arg-type]  # steps
    session_id = await chat.new(model=model.id)
    await chat.send("send", text="go", client_id=f"{model.id}-{session_id}")
    await chat.until(until)
    return session_id
