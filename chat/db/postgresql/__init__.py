"""Django's PostgreSQL backend, except that the answer to a COMMIT may get lost: see `base`."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.db import OperationalError


class OutcomeUnknown(OperationalError):
    """PostgreSQL went away before it said whether a transaction was committed, and is still away."""

    def __init__(self, xid: str, hooks: list[Callable[[], None]]) -> None:
        super().__init__("The answer to a COMMIT was lost.")
        self.xid = xid
        """The transaction's number, by which PostgreSQL can be asked later."""
        self.hooks = hooks
        """Its `on_commit` hooks."""
        self.conversation_id: UUID | None = None
        """The conversation that it was to create, if any."""
