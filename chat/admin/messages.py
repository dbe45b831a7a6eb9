"""Messages, turns and what belongs to them: to look at."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from chat.admin.base import Found, ReadOnly
from chat.admin.filters import recent
from chat.admin.reading import Recorded
from chat.models import Message, Notice, Piece, SearchEntry, Turn


@admin.register(Message)
class MessageAdmin(Recorded, Found, ReadOnly):
    list_display = ("__str__", "conversation", "owner", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("conversation", "owner")
    ordering = ("-created_at",)
    words = ("pk", "message")

    def by_uuid(self, known: UUID) -> Q:
        return Q(pk=known) | Q(conversation=known)

    def owner_of(self, row: Any) -> int:
        return int(row.owner_id)


@admin.register(Turn)
class TurnAdmin(Found, ReadOnly):
    list_display = ("id", "conversation", "status", "model", "output_tokens", "cost", "created_at")
    list_filter = (
        "status",
        recent("error_code", "error"),
        recent("model", "model"),
        "ended_at",
    )
    list_select_related = ("conversation",)
    ordering = ("-pk",)
    has_numbers = True
    words = ("message", "message")

    def by_uuid(self, known: UUID) -> Q:
        return Q(message=known) | Q(conversation=known)


@admin.register(Piece)
class PieceAdmin(ReadOnly):
    list_display = ("turn_id", "seq", "__str__")
    list_select_related = ("turn",)
    search_fields = ("=turn__id", "text")
    ordering = ("-pk",)


@admin.register(Notice)
class NoticeAdmin(ReadOnly):
    list_display = ("id", "owner", "__str__", "created_at")
    list_select_related = ("owner",)
    search_fields = ("frame",)
    ordering = ("-pk",)


@admin.register(SearchEntry)
class SearchEntryAdmin(Found, ReadOnly):
    """The words of all texts: hardly anybody's business, and so not on the start page."""

    list_display = ("id", "conversation", "owner", "said_at", "__str__")
    list_select_related = ("conversation", "owner")
    ordering = ("-pk",)
    has_numbers = True
    words = ("pk", "pk")

    def by_uuid(self, known: UUID) -> Q:
        return Q(message=known) | Q(conversation=known)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False
