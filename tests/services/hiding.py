"""A conversation that is long enough to be imported and deleted in steps."""

from __future__ import annotations

from uuid import UUID

from chat import services
from chat.access.owner import local_owner
from chat.services import hidden
from chat.services.imports.conversation import import_conversation
from chat.services.imports.plan import Outcome
from chat.transfer.archive.format import ArchivedConversation
from tests.transfer.samples import LONG, line, long_one

WORD = "wombats"


def archived(said: str = WORD) -> ArchivedConversation:
    return ArchivedConversation.model_validate_json(line(long_one(said=said)))


def import_it(stop_at: float = 2.0) -> None:
    """Import the sample; stop, as by a kill, once this share of it is stored."""

    def on_step(part: float) -> None:
        if part >= stop_at:
            raise KeyboardInterrupt

    done = import_conversation(local_owner(), archived(), find_user=lambda _: None, on_step=on_step)
    assert done.outcome is Outcome.IMPORTED


def leaving() -> UUID:
    import_it()
    services.delete(local_owner(), UUID(LONG))
    assert hidden.list_hidden() == [(UUID(LONG), "leaving")]
    return UUID(LONG)


def sweep() -> None:
    """Finish hidden conversations as a server does at each poll."""
    for conversation_id, why in hidden.list_hidden():
        if why == "arriving":
            hidden.give_up_if_dead(conversation_id)
        hidden.finish_all([conversation_id])
