"""The providers and keys that this process uses."""

from __future__ import annotations

from asgiref.sync import async_to_sync

from chat.connections.sealing import unseal
from chat.db.lanes import read
from chat.llm.catalogue import models
from chat.llm.catalogue.configuration import Configuration, Connection, from_settings
from chat.llm.catalogue.providers import UNREADABLE
from chat.models import ProviderConnection

_Row = tuple[str, str, str]
"""Provider, address, sealed key."""


class _Known:
    """The rows as this process last read them."""

    def __init__(self) -> None:
        self.rows: tuple[_Row, ...] = ()
        self.connections: tuple[Connection, ...] = ()
        self.changes = 0


_known = _Known()


def configuration() -> Configuration:
    """Return the configuration with all connections; an unreadable key fails every request."""
    return from_settings().with_connections(_known.connections)


def keys() -> list[str]:
    """Return the keys entered in the browser, which no text may show."""
    found = (connection.key for connection in _known.connections)
    return [key for key in found if key and key != UNREADABLE]


def refresh() -> None:
    """Apply rows that this process has just written."""
    async_to_sync(_use)(_rows())


async def poll() -> None:
    """Apply rows that another process may have written."""
    before = _known.changes
    rows = await read(_rows)
    if _known.changes == before:  # else they may be older than those in use
        await _use(rows)


def _rows() -> tuple[_Row, ...]:
    """Read the whole table in one small query; it has a row per connected provider."""
    found = ProviderConnection.objects.order_by("provider")
    return tuple(found.values_list("provider", "address", "sealed_key"))


def _connection(provider: str, address: str, sealed: str) -> Connection:
    key = unseal(sealed)
    return Connection(provider, address, UNREADABLE if key is None else key)


async def _use(rows: tuple[_Row, ...]) -> None:
    if rows == _known.rows:
        return
    _known.connections = tuple(_connection(*row) for row in rows)
    _known.rows = rows
    _known.changes += 1
    await models.replace(models.from_settings(configuration()))
