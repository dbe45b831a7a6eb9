"""Connections of the pool, which does not say why it could not open one."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import psycopg


class PooledConnection(psycopg.Connection[Any]):
    """Remembers why the latest attempt to connect failed."""

    failure: ClassVar[psycopg.Error | None] = None
    """None: it did not fail, or has not ended yet."""

    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> Self:
        try:
            made = super().connect(*args, **kwargs)
        except psycopg.Error as error:
            PooledConnection.failure = error
            raise
        PooledConnection.failure = None
        return made
