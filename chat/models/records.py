"""Rows beside the conversations: notices for other processes, audits, preferences, suggestions."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from chat.models.conversations import MAX_MODEL


class Notice(models.Model):
    """A frame for the pages of other processes: each server reads new ones once a second."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False)
    conversation_id = models.UUIDField(null=True)
    """For its subscribers; NULL: for all connections of the owner."""
    gone = models.UUIDField(null=True)
    """A conversation that is gone: its subscriptions end."""
    process = models.CharField(max_length=32, blank=True)
    """The process that wrote it, and need not hear it again."""
    frame = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        indexes = [
            # for the deletion with their conversation
            models.Index(
                fields=["conversation_id"],
                condition=Q(conversation_id__isnull=False),
                name="notice_by_conversation",
            )
        ]

    def __str__(self) -> str:
        return self.frame[:60]


class Audit(models.Model):
    """A change to many conversations at once: a prune, an import, a backup, a restore."""

    class Source(models.TextChoices):
        COMMAND = "command", "a command"
        ADMIN = "admin", "the admin"
        PAGE = "page", "the chat"
        RETENTION = "retention", "the retention setting"

    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    action = models.CharField(max_length=20)
    """`prune`, `import`, …"""
    source = models.CharField(max_length=10, choices=Source.choices)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    """The user who asked; NULL: nobody, or a command."""
    operator = models.CharField(max_length=200, blank=True)
    """The person who ran the command: the operating system's user, and sudo's; empty: no command."""
    summary = models.TextField()
    """The request and its result, in words."""

    def __str__(self) -> str:
        return f"{self.action}: {self.summary[:60]}"


class Preference(models.Model):
    """An owner's settings for all of their conversations."""

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    system_prompt = models.TextField(blank=True)
    """Replaces the configured one; empty: does not."""

    def __str__(self) -> str:
        return f"Preferences of {self.owner}"


class ModelPreference(models.Model):
    """An owner's settings for one model, in all of their conversations."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False)
    model = models.CharField(max_length=MAX_MODEL)
    offers_tools = models.BooleanField(default=True)
    """The model may call tools."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "model"], name="model_preference_once")
        ]

    def __str__(self) -> str:
        return f"{self.model} of {self.owner}"


def offers_tools(owner_id: int, model: str) -> bool:
    """Whether an owner lets this model call tools. The default is yes."""
    chosen = ModelPreference.objects.filter(owner=owner_id, model=model)
    return chosen.values_list("offers_tools", flat=True).first() is not False


class ProviderConnection(models.Model):
    """A provider that was connected in the browser. The environment takes precedence."""

    provider = models.CharField(max_length=100, unique=True)
    """As in `llm/catalogue/providers.py`; `openai` is the configured OpenAI-compatible server."""
    address = models.CharField(max_length=500, blank=True)
    """Empty: the provider's own."""
    sealed_key = models.TextField(blank=True)
    """The key, encrypted with one derived from `SECRET_KEY`; empty: it needs none."""
    updated_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.provider


class Suggestion(models.Model):
    """A suggested first message, shown in an empty conversation."""

    text = models.CharField(max_length=200, unique=True)
    position = models.PositiveSmallIntegerField(default=0)
    """Lower ones come first."""
    is_shown = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.text
