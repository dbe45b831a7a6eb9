"""Selecting conversations for an export, oldest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User

from chat.models import Conversation, ConversationQuerySet

BATCH = 100
"""Conversations read at once."""


@dataclass(frozen=True)
class Selection:
    """Conversations that meet every condition given and have a message."""

    ids: tuple[UUID, ...] = ()
    """Only these; empty: all."""
    owner: User | None = None
    since: datetime | None = None
    """Last used at this time or later."""
    until: datetime | None = None
    """Last used before this time."""
    archived: bool | None = None

    def conversations(self) -> ConversationQuerySet:
        found = Conversation.objects.filter(leaf__isnull=False)
        if self.ids:
            found = found.filter(pk__in=self.ids)
        if self.owner is not None:
            found = found.of(self.owner)
        if self.since is not None:
            found = found.filter(updated_at__gte=self.since)
        if self.until is not None:
            found = found.filter(updated_at__lt=self.until)
        if self.archived is not None:
            found = found.filter(archived=self.archived)
        return found.order_by("created_at", "id")


class Ids:
    """The ids of a selection as it is now, in 16 bytes each."""

    def __init__(self, selection: Selection) -> None:
        keys = selection.conversations().values_list("pk", flat=True)
        self._bytes = b"".join(key.bytes for key in keys.iterator(2000))

    def __len__(self) -> int:
        return len(self._bytes) // 16

    def batches(self) -> Iterator[list[UUID]]:
        step = 16 * BATCH
        for start in range(0, len(self._bytes), step):
            batch = self._bytes[start : start + step]
            yield [UUID(bytes=batch[at : at + 16]) for at in range(0, len(batch), 16)]
