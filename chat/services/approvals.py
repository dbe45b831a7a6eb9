"""A person's decisions about tool calls."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from chat.errors import NotAllowed
from chat.models import Conversation, ToolCall, ToolRule
from chat.services.base import lock_conversation
from chat.turns import approvals, engine, toolbox


@transaction.atomic
def decide(
    owner: User,
    conversation_id: UUID,
    call_id: str,
    *,
    approved: bool,
    by: User,
    where: ToolCall.DecidedFrom,
    remember: bool = False,
    arguments: dict[str, Any] | None = None,
) -> None:
    """Decide a pending call. Of several decisions exactly one takes effect.

    `remember` allows, or denies, the tool for the rest of this conversation, including other
    pending calls. `arguments` replace the model's. Raises `NotAllowed` for a call that is not
    pending, and for arguments that the tool does not accept.
    """
    conversation = lock_conversation(owner, conversation_id)
    calls = ToolCall.objects.filter(message__conversation=conversation).pending()
    call = calls.filter(call_id=call_id).first()
    if call is None:
        raise NotAllowed("This call is not waiting for approval.")
    edited = _edited(call, arguments) if approved and arguments is not None else ""
    if remember:
        _remember(conversation, call, allow=approved)
    alike = list(calls.filter(name=call.name).exclude(pk=call.pk)) if remember else []
    approvals.resolve(call, approved=approved, by=by, where=where, edited_arguments=edited)
    for other in alike:
        approvals.resolve(other, approved=approved, by=by, where=where)
    engine.run_decided(conversation.pk)


def _edited(call: ToolCall, arguments: dict[str, Any]) -> str:
    text = json.dumps(arguments, ensure_ascii=False)
    if refusal := toolbox.refusal(call.name, text):
        raise NotAllowed(refusal)
    return text


def _remember(conversation: Conversation, call: ToolCall, *, allow: bool) -> None:
    tool = toolbox.registry().get(call.name)
    if tool is None or not tool.may_remember:
        raise NotAllowed(f"Each call of {call.name} needs its own decision.")
    ToolRule.objects.update_or_create(
        conversation=conversation, tool=call.name, defaults={"allow": allow, "imported": False}
    )


@transaction.atomic
def forget_rule(owner: User, conversation_id: UUID, tool: str) -> None:
    """Delete a rule, so that the tool asks again. Raises `NotAllowed` if there is none."""
    conversation = lock_conversation(owner, conversation_id)
    gone, _ = ToolRule.objects.filter(conversation=conversation, tool=tool).delete()
    if not gone:
        raise NotAllowed(f"Nothing is remembered for {tool} in this conversation.")
