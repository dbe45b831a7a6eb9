"""Read-only lists of messages, turns and the rows that belong to them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Left, Length
from django.http import HttpRequest
from django.urls import URLPattern, path

from chat.admin import usage_page
from chat.admin.base import ReadOnlyAdmin, SearchableAdmin
from chat.admin.filters import recent_filter
from chat.admin.reading import ReadRecordingAdmin
from chat.admin.typed import day_filter, owner_filter
from chat.models import KeptRender, Message, Notice, OpaquePart, Piece, SearchEntry, Turn

SHOWN = 2000
"""Code points shown of a text of any length."""


@admin.register(Message)
class MessageAdmin(ReadRecordingAdmin, SearchableAdmin, ReadOnlyAdmin):
    conversation_path = "conversation"
    list_display = ("__str__", "conversation", "owner", "created_at")
    list_filter = (owner_filter(path="conversation__owner"), day_filter("created_at", "time"))
    list_select_related = ("conversation", "owner")
    ordering = ("-created_at",)
    words = ("pk", "message")
    readonly_fields = ("error", "error_details", "note", "context")

    def by_uuid(self, known: UUID) -> Q:
        return Q(pk=known) | Q(conversation=known)

    def owner_of(self, row: Any) -> int:
        return int(row.owner_id)

    def error(self, message: Message) -> str:
        return _turn_text(message, "error")

    def error_details(self, message: Message) -> str:
        return _turn_text(message, "error_details")

    def note(self, message: Message) -> str:
        return _turn_text(message, "note")

    @admin.display(description="Context")
    def context(self, message: Message) -> str:
        """How much of its model's context the answer used."""
        turn = Turn.objects.filter(message=message).only("context_tokens", "context_window").first()
        return context_use(turn.context_tokens, turn.context_window) if turn else ""


def _turn_text(message: Message, column: str) -> str:
    """The beginning of a text column of the answer's turn."""
    turns = Turn.objects.filter(message=message)
    return turns.values_list(Left(column, SHOWN), flat=True).first() or ""


def context_use(tokens: int | None, window: int | None) -> str:
    """Format `1,234 of 8,192 tokens`, as far as known."""
    known = [f"{number:,}" if number is not None else "" for number in (tokens, window)]
    return f"{' of '.join(filter(None, known))} tokens" if known[0] else ""


@admin.register(Turn)
class TurnAdmin(SearchableAdmin, ReadOnlyAdmin):
    conversation_path = "conversation"
    list_display = (
        "id", "conversation", "status", "model", "input_tokens", "output_tokens", "cost",
        "created_at", "ended_at",
    )  # fmt: skip
    list_filter = (
        "status",
        recent_filter("error_code", "error"),
        recent_filter("model", "model"),
        owner_filter(path="conversation__owner"),
        day_filter("ended_at", "end"),
    )
    list_select_related = ("conversation",)
    ordering = ("-pk",)
    has_numbers = True
    words = ("message", "message")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("usage/", view(usage_page.page), name="chat_turn_usage"),
            path("usage.csv", view(usage_page.download), name="chat_turn_usage_csv"),
            *super().get_urls(),
        ]

    def by_uuid(self, known: UUID) -> Q:
        return Q(message=known) | Q(conversation=known)


@admin.register(OpaquePart)
class OpaquePartAdmin(ReadRecordingAdmin, SearchableAdmin, ReadOnlyAdmin):
    """Opaque parts: a model's data for itself. They may be long, so no list reads them."""

    conversation_path = "message__conversation"
    list_display = ("id", "kind", "source", "round", "conversation", "message_id")
    list_select_related = ("message__conversation",)
    ordering = ("-pk",)
    has_numbers = True
    words = ("message", "message")
    fields = ("message", "round", "call_id", "kind", "source", "length", "beginning")
    readonly_fields = ("length", "beginning")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OpaquePart]:
        parts: QuerySet[OpaquePart] = super().get_queryset(request)
        return parts.defer("data", "message__content", "message__reasoning")

    def by_uuid(self, known: UUID) -> Q:
        messages = Message.objects.filter(conversation=known)
        return Q(message=known) | Q(message__in=messages.values("pk"))

    def owner_of(self, row: Any) -> int:
        return int(row.message.owner_id)

    @admin.display(ordering="message__conversation__title")
    def conversation(self, part: OpaquePart) -> str:
        return str(part.message.conversation)

    @admin.display(description="Data length (characters)")
    def length(self, part: OpaquePart) -> str:
        return f"{_data(part, Length('data')):,}"

    @admin.display(description=f"Data (first {SHOWN:,} characters)")
    def beginning(self, part: OpaquePart) -> str:
        return str(_data(part, Left("data", SHOWN)))


def _data(part: OpaquePart, what: Length | Left) -> Any:
    """Let the database compute it, so that the whole text is not loaded."""
    return OpaquePart.objects.values_list(what, flat=True).get(pk=part.pk)


@admin.register(Piece)
class PieceAdmin(ReadOnlyAdmin):
    conversation_path = "turn__conversation"
    list_display = ("turn_id", "seq", "__str__")
    list_select_related = ("turn",)
    search_fields = ("=turn__id", "text")
    ordering = ("-pk",)


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("id", "owner", "__str__", "created_at")
    list_filter = (day_filter("created_at", "time"),)
    list_select_related = ("owner",)
    search_fields = ("frame",)
    ordering = ("-pk",)


@admin.register(SearchEntry)
class SearchEntryAdmin(SearchableAdmin, ReadOnlyAdmin):
    """The search index. Rarely of interest, so it is not on the start page."""

    conversation_path = "conversation"
    list_display = ("id", "conversation", "owner", "said_at", "__str__")
    list_select_related = ("conversation", "owner")
    ordering = ("-pk",)
    has_numbers = True
    words = ("pk", "pk")

    def by_uuid(self, known: UUID) -> Q:
        return Q(message=known) | Q(conversation=known)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(KeptRender)
class KeptRenderAdmin(ReadOnlyAdmin):
    """Cached HTML of finished messages. Rarely of interest, so it is not on the start page."""

    conversation_path = "message__conversation"
    list_display = ("message_id", "begin", "key", "until")
    ordering = ("-pk",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False
