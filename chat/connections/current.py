"""What this process asks models with."""

from __future__ import annotations

from asgiref.sync import async_to_sync

from chat.connections.sealing import opened
from chat.db.lanes import read
from chat.llm.catalogue import models
from chat.llm.catalogue.configuration import Configuration, Connection, from_settings
from chat.llm.catalogue.providers import UNREADABLE
from chat.models import ProviderConnection

_Row = tuple[str, str, str]
"""Provider, address, sealed key."""


class _Known:
    """The rows as this process saw them last."""

    def __init__(self) -> None:
        self.rows: tuple[_Row, ...] = ()
        self.connections: tuple[Connection, ...] = ()
        self.changes = 0


_known = _Known()


def configuration() -> Configuration:
    """With what was connected. One whose key cannot be opened is asked nothing."""
    return from_settings().joined_by(_known.connections)


def keys() -> list[str]:
    """Those that were entered in the browser: no text may show them."""
    found = (connection.key for connection in _known.connections)
    return [key for key in found if key and key != UNREADABLE]


def refresh() -> None:
    """What was just written holds: whoever asks a model from now on asks with it."""
    async_to_sync(_use)(_rows())


async def poll() -> None:
    """What another process has written holds, too."""
    before = _known.changes
    rows = await read(_rows)
    if _known.changes == before:  # else they may be older than those in use
        await _use(rows)


def _rows() -> tuple[_Row, ...]:
    """One small query: the whole table, which has a row for each connected provider."""
    found = ProviderConnection.objects.order_by("provider")
    return tuple(found.values_list("provider", "address", "sealed_key"))


def _connection(provider: str, address: str, sealed: str) -> Connection:
    key = opened(sealed)
    return Connection(provider, address, UNREADABLE if key is None else key)


async def _use(rows: tuple[_Row, ...]) -> None:
    if rows == _known.rows:
        return
    _known.connections = tuple(_connection(*row) for row in rows)
    _known.rows = rows
    _known.changes += 1
    await models.replace(models.from_settings(configuration()))
