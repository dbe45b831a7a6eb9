"""Tool calls, the decisions on them, and rules."""

from __future__ import annotations

from typing import ClassVar, Self, TypeAlias

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from chat.models.conversations import Conversation, Message


class CallStatus(models.TextChoices):
    """The states of a tool call: the wire, the archive and the page have the same."""

    PENDING = "pending"
    """Waits for a person."""
    APPROVED = "approved"
    DENIED = "denied"
    RUNNING = "running"
    """Committed before the side effect, so that it is started at most once."""
    FINISHED = "finished"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Was running when its server died: it may or may not have had its effect."""


class ToolCallQuerySet(models.QuerySet["ToolCall"]):
    def pending(self) -> Self:
        """Calls that wait for a person, the longest first: the order of their index."""
        pending = self.filter(status=ToolCall.Status.PENDING)
        return pending.order_by("created_at", "pk")

    def answerable(self) -> Self:
        """Calls that were decided but have no result yet."""
        decided = (ToolCall.Status.APPROVED, ToolCall.Status.DENIED)
        return self.filter(status__in=decided, ended_at=None)

    def unanswered(self) -> Self:
        """Answerable calls, and those that still wait for a person."""
        return self.exclude(status=ToolCall.Status.RUNNING).filter(ended_at=None)


class ToolCall(models.Model):
    """A tool call of an answer, with its decision and its result."""

    Status: TypeAlias = CallStatus
    OPEN = (Status.PENDING, Status.APPROVED, Status.RUNNING)

    class DecidedFrom(models.TextChoices):
        PAGE = "page", "the chat"
        ADMIN = "admin", "the admin"
        COMMAND = "command", "a command"
        RULE = "rule", "a remembered decision"
        EXPIRY = "expiry", "nobody, in time"

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="tool_calls")
    call_id = models.CharField(max_length=200)
    """The model's own id, made unique within the conversation."""
    round = models.PositiveIntegerField()
    """Ordinal of the request, within the answer, whose response made the call; from 0."""
    offset = models.PositiveIntegerField()
    """Length of the answer's text, in code points, when the call was made."""
    name = models.CharField(max_length=200)
    arguments = models.TextField()
    """JSON text as the model wrote it: a JSON column would refuse some of it."""
    edited_arguments = models.TextField(blank=True)
    """A person's arguments in place of the model's, JSON text; empty: not edited."""
    status = models.CharField(max_length=10, choices=Status.choices)
    result = models.TextField(blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    decided_from = models.CharField(max_length=10, choices=DecidedFrom.choices, blank=True)
    """Empty: the tool needs no approval."""
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[ToolCallQuerySet] = ToolCallQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "call_id"], name="tool_call_id_once"),
            models.CheckConstraint(
                condition=Q(status__in=CallStatus.values), name="tool_call_status_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at"], condition=Q(status="pending"), name="tool_call_pending"
            ),
            models.Index(fields=["name", "id"], name="tool_call_by_name"),
            models.Index(fields=["created_at", "id"], name="tool_call_by_time"),
        ]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.name}: {self.status}"

    @property
    def used_arguments(self) -> str:
        """The arguments that the tool is called with."""
        return self.edited_arguments or self.arguments

    @property
    def is_error(self) -> bool:
        return self.status in (self.Status.DENIED, self.Status.FAILED, self.Status.UNKNOWN)


class ToolRule(models.Model):
    """A rule: a remembered decision on one tool in one conversation."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE)
    tool = models.CharField(max_length=200)
    allow = models.BooleanField()
    imported = models.BooleanField(default=False, editable=False)
    """Came with an archive: shown, but without effect."""
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "tool"], name="tool_rule_once")
        ]

    def __str__(self) -> str:
        return f"{self.tool}: {'allowed' if self.allow else 'denied'}"
