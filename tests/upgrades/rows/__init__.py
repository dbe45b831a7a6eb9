"""Every kind of row in every state, for a version's folder.

Created through the current models, always the same: ids come from names, times from the order. Later
versions add to it; existing names stay, because the tests read old folders too.
"""

from __future__ import annotations

from django.db import transaction
from django.db.migrations.recorder import MigrationRecorder

from chat import search
from chat.models import Conversation, Message, SearchEntry, Turn
from tests.upgrades.rows import decisions, records, settled, unfinished
from tests.upgrades.rows.talk import BEGIN


@transaction.atomic
def make() -> None:
    """Fill an empty, migrated database."""
    owner, other = records.users()
    settled.make(owner, other)
    decisions.make(owner)
    unfinished.make(owner)
    records.make(owner, other)
    _index()
    MigrationRecorder.Migration.objects.update(applied=BEGIN)


def _index() -> None:
    """Index as Talos does: each finished message, and each title."""
    unfinished_ones = Turn.objects.unfinished().values("message")
    finished = Message.objects.exclude(pk__in=unfinished_ones).order_by("created_at", "id")
    search.index_messages(finished)
    for conversation in Conversation.objects.exclude(title="").order_by("created_at", "id"):
        search.index_title(conversation, conversation.title)
        title = SearchEntry.objects.filter(conversation=conversation, message=None)
        title.update(said_at=conversation.created_at)
