"""Connections of the pool, which keeps to itself why it could make none."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import psycopg


class PooledConnection(psycopg.Connection[Any]):
    """Remembers why the latest attempt to connect has failed."""

    failure: ClassVar[psycopg.Error | None] = None
    """None: it has not failed, or has not ended yet."""

    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> Self:
        try:
            made = super().connect(*args, **kwargs)
        except psycopg.Error as error:
            PooledConnection.failure = error
            raise
        PooledConnection.failure = None
        return made
