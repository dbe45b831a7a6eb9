"""Records of who did what: bulk actions, imports, and changes in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.models import LogEntry

from chat.admin.base import ReadOnlyAdmin
from chat.admin.typed import day_filter, owner_filter
from chat.models import Audit, ImportJob


@admin.register(Audit)
class AuditAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "action", "source", "by", "operator", "summary")
    list_filter = ("source", owner_filter("user", "by"), day_filter("created_at", "time"))
    list_select_related = ("by",)
    search_fields = ("action", "summary", "operator")
    search_help_text = "An action (such as prune), who ran a command, or words of the summary"
    ordering = ("-pk",)


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnlyAdmin):
    """Files uploaded on the import page. The audit record has the result."""

    list_display = ("created_at", "owner", "name", "size", "status", "summary")
    list_filter = ("status", "created_at")
    list_select_related = ("owner",)
    ordering = ("-created_at",)


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """Changes and reads in the admin."""

    list_display = ("action_time", "user", "content_type", "object_repr", "get_change_message")
    list_filter = ("action_flag", owner_filter("user", "user"), day_filter("action_time", "time"))
    list_select_related = ("user", "content_type")
    search_fields = ("user__username", "object_repr", "change_message")
    ordering = ("-pk",)
