"""Who did what: to many conversations at once, and in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.models import LogEntry

from chat.admin.base import ReadOnly
from chat.admin.typed import days, owned
from chat.models import Audit, ImportJob


@admin.register(Audit)
class AuditAdmin(ReadOnly):
    list_display = ("created_at", "action", "source", "by", "operator", "summary")
    list_filter = ("source", owned("user", "by"), days("created_at", "time"))
    list_select_related = ("by",)
    search_fields = ("action", "summary", "operator")
    search_help_text = "An action, such as prune, who ran a command, or words of what came of it"
    ordering = ("-pk",)


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnly):
    """Files of the import page. What they brought stands in its record."""

    list_display = ("created_at", "owner", "name", "size", "status", "summary")
    list_filter = ("status", "created_at")
    list_select_related = ("owner",)
    ordering = ("-created_at",)


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnly):
    """What staff did here."""

    list_display = ("action_time", "user", "content_type", "object_repr", "get_change_message")
    list_filter = ("action_flag", owned("user", "user"), days("action_time", "time"))
    list_select_related = ("user", "content_type")
    search_fields = ("user__username", "object_repr", "change_message")
    ordering = ("-pk",)
