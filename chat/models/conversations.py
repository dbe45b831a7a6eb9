"""Conversations and their messages."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils import timezone

from chat.db import sql

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MAX_MODEL = 200
"""Code points of a model's id."""
OPENING_WORDS = 60
"""Code points of the first message that serve as a title until there is a better one."""
HIDDEN = "SELECT id FROM chat_conversation WHERE hidden > ''"
"""Conversations that nobody can see: few or none, and found by an index of their own."""

M = TypeVar("M", bound=models.Model)


def shown(rows: models.QuerySet[M], conversation: str = "conversation") -> models.QuerySet[M]:
    """Filter rows to those of visible conversations, for code that has not found the conversation."""
    return rows.exclude(**{f"{conversation}__in": RawSQL(HIDDEN, ())})  # noqa: S611  # ours


def has_hidden() -> bool:
    """Return whether there are hidden conversations."""
    return bool(sql.select(f"{HIDDEN} LIMIT 1"))


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def of(self, owner: User | int) -> Self:
        """The owner's conversations: the only way to reach one."""
        return self.filter(owner=owner)

    def listed(self, *, archived: bool = False) -> Self:
        """The ones that lists show, latest first. A conversation without a message is not listed."""
        begun = self.filter(leaf__isnull=False, archived=archived)
        return begun.order_by("-updated_at", "-id")


class _Shown(models.Manager["Conversation"]):
    def get_queryset(self) -> models.QuerySet[Conversation]:
        return super().get_queryset().filter(hidden="")


class Conversation(models.Model):
    class Hidden(models.TextChoices):
        """Why nobody can see a conversation. A hidden one has no unfinished turn."""

        NOT = "", "not hidden"
        ARRIVING = "arriving", "being imported"
        """By the process that holds its lock: see `services/imports/locks.py`."""
        LEAVING = "leaving", "being deleted"
        MOVING = "moving", "being given to its owner"
        """Some of its rows still belong to the former owner."""

    class TitledBy(models.TextChoices):
        OPENING = "opening", "its opening words"
        MODEL = "model", "the model"
        PERSON = "person", "a person"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False)
    title = models.CharField(max_length=200, blank=True)
    titled_by = models.CharField(
        max_length=10, choices=TitledBy.choices, default=TitledBy.OPENING, editable=False
    )
    model = models.CharField(max_length=MAX_MODEL, blank=True)
    """For turns without a model of their own; empty: the default model of the day."""
    instructions = models.TextField(blank=True)
    """Sent to the model in this conversation, after the system prompt."""
    temperature = models.FloatField(null=True, blank=True)
    """0 to 2; NULL: the model's own."""
    max_output_tokens = models.PositiveIntegerField(null=True, blank=True)
    """For one request; NULL: the model's own."""
    offers_tools = models.BooleanField(default=True)
    """The model may call tools."""
    leaf = models.ForeignKey(
        "Message", on_delete=models.DO_NOTHING, null=True, editable=False, related_name="+"
    )
    """The end of the current branch. Never dangling: messages go only with their conversation."""
    seq = models.PositiveBigIntegerField(default=0, editable=False)
    """Number of the last frame of the turns that have ended."""
    pinned = models.BooleanField(default=False)
    """Kept at the top of the list."""
    archived = models.BooleanField(default=False)
    """Hidden from the lists until it gets a new message."""
    hidden = models.CharField(
        max_length=10, choices=Hidden.choices, default=Hidden.NOT, blank=True, editable=False
    )
    """Set while a change takes many short steps, so that it shows all at once: `services/hidden.py`."""
    unread = models.BooleanField(default=False, editable=False)
    """An answer ended while nobody had the conversation open."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[ConversationQuerySet] = _Shown.from_queryset(ConversationQuerySet)()  # type: ignore[assignment]
    """The visible ones: the default."""
    hidden_too: ClassVar[ConversationQuerySet] = ConversationQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(hidden__in=["", "arriving", "leaving", "moving"]),
                name="conversation_hidden_known",
            )
        ]
        indexes = [
            models.Index(fields=["hidden"], condition=Q(hidden__gt=""), name="conversation_hidden"),
            models.Index(fields=["owner", "-updated_at", "-id"], name="conversation_latest"),
            # for the sidebar, however many are archived
            models.Index(
                fields=["owner", "-updated_at", "-id"],
                condition=Q(archived=False, leaf__isnull=False),
                name="conversation_listed",
            ),
            models.Index(
                fields=["owner", "-updated_at", "-id"],
                condition=Q(pinned=True),
                name="conversation_pinned",
            ),
            # of all owners: for the admin's list and for a prune
            models.Index(fields=["updated_at"], name="conversation_by_time"),
        ]

    def __str__(self) -> str:
        return self.title or "New chat"

    def get_absolute_url(self) -> str:
        return f"/c/{self.pk}/"


class Message(models.Model):
    """A question or an answer. The `Turn` of an answer records how it was made."""

    class Role(models.TextChoices):
        USER = "user", "user"
        ASSISTANT = "assistant", "assistant"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False)
    """The conversation's, repeated for the constraint on `client_id`."""
    parent = models.ForeignKey(
        # DO_NOTHING: a cascade down a chain of a thousand answers would be a thousand queries
        "self",
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="children",
    )
    role = models.CharField(max_length=10, choices=Role.choices)
    content = models.TextField(blank=True)
    """Empty for a live answer: its text is in the pieces."""
    reasoning = models.TextField(blank=True)
    """The model's visible reasoning. Never part of the answer, never sent back."""
    client_id = models.CharField(max_length=64, null=True)  # noqa: DJ001  (NULLs are not unique)
    withdrawn = models.BooleanField(default=False)
    """Cancelled before it was answered: kept for its `client_id`, on no branch."""
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "client_id"],
                condition=Q(client_id__isnull=False),
                name="message_client_id_once",
            ),
            models.CheckConstraint(
                condition=Q(role__in=["user", "assistant"]), name="message_role_known"
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="message_by_time")]

    def __str__(self) -> str:
        return f"{self.role}: {self.content[:60]}"


class OpaquePart(models.Model):
    """A part of an answer that goes back to the model that sent it; nothing else reads it."""

    THOUGHT = "thought"
    """A `kind` of our own: the round's text up to the code point in `data` was reasoning, and is not
    sent back. It has no source."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="opaque_parts")
    round = models.PositiveIntegerField()
    """The request that it answered, as in `ToolCall`."""
    call_id = models.CharField(max_length=200, blank=True)
    """The call that it belongs to; empty: the whole round."""
    kind = models.CharField(max_length=40)
    source = models.CharField(max_length=500, blank=True)
    """The server and model that sent it."""
    data = models.TextField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.source}"
