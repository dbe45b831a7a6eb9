"""Tool calls and remembered rules: view, decide, forget."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from chat import services
from chat.admin.base import ReadOnlyAdmin, SearchableAdmin
from chat.admin.filters import recent_filter
from chat.admin.reading import ReadRecordingAdmin
from chat.admin.typed import day_filter, owner_filter
from chat.errors import NotAllowed
from chat.models import Message, ToolCall, ToolRule
from chat.views.request import HtmxRequest


@admin.register(ToolCall)
class ToolCallAdmin(ReadRecordingAdmin, SearchableAdmin, ReadOnlyAdmin):
    conversation_path = "message__conversation"
    list_display = ("name", "status", "conversation", "decided_by", "decided_from", "created_at")
    list_filter = (
        "status", recent_filter("name", "tool"), "decided_from",
        owner_filter(path="message__conversation__owner"), day_filter("created_at", "time"),
    )  # fmt: skip
    list_select_related = ("message__conversation", "decided_by")
    ordering = ("-created_at", "-pk")
    actions = ("approve", "deny")
    has_numbers = True
    words = ("message", "message")

    def by_uuid(self, known: UUID) -> Q:
        found = Message.objects.filter(conversation=known)
        return Q(message=known) | Q(message__in=found.values("pk"))

    def owner_of(self, row: Any) -> int:
        return int(row.message.owner_id)

    @admin.display(ordering="message__conversation__title")
    def conversation(self, call: ToolCall) -> str:
        return str(call.message.conversation)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Allow users with the change permission to decide calls, though not to edit them."""
        return request.user.has_perm("chat.change_toolcall")

    @admin.action(description="Approve selected pending calls", permissions=["decide"])
    def approve(self, request: HtmxRequest, queryset: QuerySet[ToolCall]) -> HttpResponse | None:
        return self._decide(request, queryset, approved=True)

    @admin.action(description="Deny selected pending calls", permissions=["decide"])
    def deny(self, request: HtmxRequest, queryset: QuerySet[ToolCall]) -> HttpResponse | None:
        return self._decide(request, queryset, approved=False)

    def _decide(
        self, request: HtmxRequest, queryset: QuerySet[ToolCall], *, approved: bool
    ) -> HttpResponse | None:
        word = "Approved" if approved else "Denied"
        decided = 0
        calls = list(queryset.select_related("message__conversation__owner"))
        for call in calls:
            try:
                _decide(call, request, approved=approved)
            except NotAllowed as error:
                self.message_user(request, f"{call.name}: {error}", messages.WARNING)
                continue
            self.log_change(request, call, f"{word}.")
            decided += 1
        if decided:
            number = "1 call" if decided == 1 else f"{decided} calls"
            self.message_user(request, f"{word} {number}.", messages.SUCCESS)
        if not calls:
            self.message_user(request, "This call no longer exists.", messages.WARNING)
        elif "one" in request.POST:  # requested in a transcript
            return redirect("admin:chat_conversation_change", calls[0].message.conversation_id)
        return None


def _decide(call: ToolCall, request: HtmxRequest, *, approved: bool) -> None:
    conversation = call.message.conversation
    services.decide(
        conversation.owner,
        conversation.pk,
        call.call_id,
        approved=approved,
        by=request.user,
        where=ToolCall.DecidedFrom.ADMIN,
    )


@admin.register(ToolRule)
class ToolRuleAdmin(SearchableAdmin, ReadOnlyAdmin):
    conversation_path = "conversation"
    list_display = ("tool", "allow", "imported", "conversation", "created_at")
    list_filter = (
        "allow",
        "imported",
        recent_filter("tool", "tool"),
        day_filter("created_at", "time"),
    )
    list_select_related = ("conversation",)
    ordering = ("-pk",)
    has_numbers = True
    words = ("conversation", "conversation")

    def by_uuid(self, known: UUID) -> Q:
        return Q(conversation=known)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("chat.delete_toolrule")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        services.forget_rule(obj.conversation.owner, obj.conversation_id, obj.tool)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for rule in queryset.select_related("conversation__owner"):
            self.delete_model(request, rule)
