"""What becomes of a call that waits for a person. Each decision is a compare-and-set.

Who may decide is `services.decide`'s business; here is what a decision does to the rows, and what
happens when nobody decides in time.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from chat import publish
from chat.errors import NotAllowed
from chat.models import Conversation, ToolCall, Turn
from chat.protocol import ApprovalResolved, ApprovalResolvedData


def resolve(
    call: ToolCall,
    *,
    approved: bool,
    by: User | None,
    where: ToolCall.DecidedFrom,
    edited_arguments: str = "",
) -> None:
    """Answer a pending call, inside a transaction; its turn is ready to go on with it.

    Raises `NotAllowed` when it does not wait any more.
    """
    # The turn before its calls, as `transitions.wait` does: else each may miss what the other writes.
    Turn.objects.select_for_update().filter(message=call.message_id).first()
    pending = ToolCall.objects.pending().filter(pk=call.pk)
    changed = pending.update(
        status=ToolCall.Status.APPROVED if approved else ToolCall.Status.DENIED,
        edited_arguments=edited_arguments,
        decided_by=by,
        decided_at=timezone.now(),
        decided_from=where,
    )
    if changed != 1:
        raise NotAllowed("This call does not wait for an approval any more.")
    data = ApprovalResolvedData(call_id=call.call_id, approved=approved)
    conversation = call.message.conversation
    publish.announce(
        conversation.owner_id, ApprovalResolved(data=data), conversation_id=conversation.pk
    )
    waiting = Turn.objects.filter(message=call.message_id, status=Turn.Status.WAITING)
    waiting.update(status=Turn.Status.QUEUED)


def expire(before: datetime) -> int:
    """Deny the calls that have waited since before then; how many there were."""
    old = ToolCall.objects.pending().filter(created_at__lt=before)
    return sum(_expired(call) for call in old.select_related("message"))


@transaction.atomic
def _expired(call: ToolCall) -> bool:
    """False: somebody decided it at this moment."""
    # held first, as by whoever decides or deletes
    Conversation.objects.select_for_update().filter(pk=call.message.conversation_id).first()
    try:
        resolve(call, approved=False, by=None, where=ToolCall.DecidedFrom.EXPIRY)
    except NotAllowed:
        return False
    return True
