"""Decisions on calls that wait for a person. Each is a compare-and-set.

`services.decide` checks who may decide; this module changes the rows, also when nobody decides in
time.
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
    """Decide a pending call, inside a transaction, and make its turn ready to go on.

    Raises `NotAllowed` if the call no longer waits.
    """
    # Lock the turn before its calls, as `transitions.wait` does, or each may miss the other's write.
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
        raise NotAllowed("This call no longer waits for an approval.")
    data = ApprovalResolvedData(call_id=call.call_id, approved=approved)
    conversation = call.message.conversation
    publish.announce(
        conversation.owner_id, ApprovalResolved(data=data), conversation_id=conversation.pk
    )
    waiting = Turn.objects.filter(message=call.message_id, status=Turn.Status.WAITING)
    waiting.update(status=Turn.Status.QUEUED)


def expire(before: datetime) -> int:
    """Deny the calls that have waited since before then. Returns how many there were."""
    old = ToolCall.objects.pending().filter(created_at__lt=before)
    return sum(_expire(call) for call in old.select_related("message"))


@transaction.atomic
def _expire(call: ToolCall) -> bool:
    """Deny a call. False: somebody decided it at this moment."""
    # locked first, as a decision and a deletion do
    Conversation.objects.select_for_update().filter(pk=call.message.conversation_id).first()
    try:
        resolve(call, approved=False, by=None, where=ToolCall.DecidedFrom.EXPIRY)
    except NotAllowed:
        return False
    return True
