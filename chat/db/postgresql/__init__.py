"""PostgreSQL as Django knows it, but that the answer to a COMMIT may get lost: see `base`."""

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
        """What was to be done on its commit."""
        self.conversation_id: UUID | None = None
        """The conversation that it made, if any, for who asked for it."""
