"""`manage.py approvals`: list, approve or deny pending tool calls."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.timesince import timesince

from chat import services
from chat.access.operator import operator
from chat.errors import TalosError
from chat.management.database import explain_errors
from chat.management.options import conversation_id, is_text
from chat.models import Audit, ToolCall


class Command(BaseCommand):
    help = "List pending approvals, or decide one. A running server continues within a second."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "decision", nargs="?", choices=["list", "approve", "deny"], default="list"
        )
        parser.add_argument("call_id", nargs="?", help="the id that the list shows")
        parser.add_argument(
            "--remember",
            action="store_true",
            help="remember the decision for this tool in this conversation",
        )
        parser.add_argument(
            "--conversation", help="the conversation's id, if several have a call with this id"
        )

    def handle(self, *args: Any, **options: Any) -> str:
        with explain_errors():
            return self._handle(options)

    def _handle(self, options: dict[str, Any]) -> str:
        pending = ToolCall.objects.pending().select_related("message__conversation__owner")
        if options["conversation"] is not None:
            wanted = conversation_id(options["conversation"])
            pending = pending.filter(message__conversation=wanted)
        if options["decision"] == "list":
            return "\n".join(map(line, pending)) or "No approvals are pending."
        call = find_call(pending, options["call_id"])
        conversation = call.message.conversation
        approved = options["decision"] == "approve"
        try:
            _decide(call, approved=approved, remember=options["remember"])
        except TalosError as error:
            raise CommandError(error.message) from None
        return f"{'Approved' if approved else 'Denied'}: {call.name} in “{conversation}”."


@transaction.atomic
def _decide(call: ToolCall, *, approved: bool, remember: bool) -> None:
    """Decide on behalf of the conversation's owner; the audit row records the operator."""
    conversation = call.message.conversation
    services.decide(
        conversation.owner,
        conversation.pk,
        call.call_id,
        approved=approved,
        by=conversation.owner,
        where=ToolCall.DecidedFrom.COMMAND,
        remember=remember,
    )
    Audit.objects.create(
        action="approve" if approved else "deny",
        source=Audit.Source.COMMAND,
        operator=operator(),
        summary=f"{call.name} ({call.call_id}) in conversation {conversation.pk}"
        + (", remembered." if remember else "."),
    )


def line(call: ToolCall) -> str:
    """Format one pending call for the list."""
    conversation = call.message.conversation
    waits = timesince(call.created_at)
    return (
        f"{call.call_id}  {call.name} {call.arguments}  (in “{conversation}”, waiting for {waits})"
    )


def find_call(pending: QuerySet[ToolCall], call_id: str | None) -> ToolCall:
    if not call_id:
        raise CommandError("Which call? Add its id, as `manage.py approvals` lists it.")
    found = list(pending.filter(call_id=call_id)) if is_text(call_id) else []
    if not found:
        raise CommandError(
            f"No pending call has the id {call_id!r}. `manage.py approvals` lists them."
        )
    if len(found) > 1:
        raise CommandError("Several conversations have a call with this id: add --conversation.")
    return found[0]
