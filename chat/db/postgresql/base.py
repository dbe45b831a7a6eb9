"""The database backend that `DATABASE_URL` names.

When a connection breaks during COMMIT, the transaction may have happened or not. PostgreSQL knows
its outcome by its number (`pg_xact_status`), so it is asked before the caller is told.
"""

from __future__ import annotations

from contextlib import suppress
from time import monotonic, sleep
from typing import Any

from django.db import DataError, InterfaceError, OperationalError
from django.db.backends.postgresql import base
from psycopg.errors import InvalidParameterValue
from psycopg_pool import ConnectionPool, PoolTimeout

from chat.db.postgresql import OutcomeUnknown
from chat.db.postgresql.pooled import PooledConnection

PATIENCE = 5.0
"""Seconds for which PostgreSQL is asked again."""
PAUSE = 0.05


class DatabaseWrapper(base.DatabaseWrapper):
    @property
    def pool(self) -> ConnectionPool[Any] | None:
        if options := self.settings_dict["OPTIONS"].get("pool"):
            options.setdefault("connection_class", PooledConnection)
        pool: ConnectionPool[Any] | None = super().pool
        return pool

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Raise PostgreSQL's own error: the pool only says that there is no connection."""
        try:
            return super().get_new_connection(conn_params)
        except PoolTimeout as timeout:
            if (failure := PooledConnection.failure) is None:
                where = f"{conn_params.get('host', 'this machine')}, port {conn_params.get('port', 5432)}"
                raise self.Database.OperationalError(f"{where} does not answer") from timeout
            raise self.Database.OperationalError(str(failure)) from failure

    def _commit(self) -> None:
        xid = self._transaction_id()
        try:
            super()._commit()  # type: ignore[misc]  # the stubs leave it out
        except (OperationalError, InterfaceError) as error:
            if xid is None or self.is_usable():
                raise
            hooks = [entry[1] for entry in self.run_on_commit]
            self._drop()
            was_committed = self._ask_patiently(xid)
            if was_committed is None:
                self.closed_in_transaction = True  # `atomic` has nothing to roll back
                raise OutcomeUnknown(xid, hooks) from error
            if not was_committed:
                raise

    def _transaction_id(self) -> str | None:
        """The number of the current transaction; None: it has written nothing."""
        if self.connection is None:
            return None
        with self.wrap_database_errors, self.connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id_if_assigned()::text")
            ((xid,),) = cursor.fetchall()
        return None if xid is None else str(xid)

    def _ask_patiently(self, xid: str) -> bool | None:
        deadline = monotonic() + PATIENCE
        while True:
            try:
                if self.connection is None:
                    self.connection = self.get_new_connection(self.get_connection_params())
                    self.init_connection_state()
                    self.connection.autocommit = True
                if (was_committed := self.was_committed(xid)) is not None:
                    return was_committed
            except (OperationalError, InterfaceError, self.Database.Error):
                self._drop()
            if monotonic() > deadline:
                return None
            sleep(PAUSE)

    def _drop(self) -> None:
        """Drop a broken connection, without `close`, which would forget the `on_commit` hooks."""
        if self.connection is not None:
            broken, self.connection = self.connection, None
            with suppress(self.Database.Error):
                self.pool.putconn(broken) if self.pool else broken.close()

    def was_committed(self, xid: str) -> bool | None:
        """Whether a transaction was committed; None: it has not ended yet."""
        with self.cursor() as cursor:
            try:
                cursor.execute("SELECT pg_xact_status(%s::xid8)", [xid])
            except DataError as error:
                if isinstance(error.__cause__, InvalidParameterValue):
                    return False  # another server took over, and has not reached this number
                raise
            ((status,),) = cursor.fetchall()
        known: dict[Any, bool | None] = {"committed": True, "aborted": False}
        return known.get(status)
