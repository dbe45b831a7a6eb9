"""Conversations in the admin: list, transcript, settings and deletion, through the services."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from chat import services
from chat.admin import transcript
from chat.admin.actions import ConversationActions
from chat.admin.base import AT_ONCE, BoundedList, SearchableAdmin
from chat.admin.facts import Facts, facts
from chat.admin.filters import ModelFilter, StateFilter, ToolFilter
from chat.admin.reading import ReadRecordingAdmin
from chat.admin.typed import day_filter, owner_filter
from chat.models import Conversation, Message
from chat.views.forms import ConversationAdminForm

NO_FACTS = Facts()


class ConversationList(BoundedList):
    """A page of conversations, with their facts."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: Sequence[Any] = list(self.result_list)
        known = facts(rows)
        for row in rows:
            row.facts = known[row.pk]
        self.result_list = rows


@admin.register(Conversation)
class ConversationAdmin(ConversationActions, ReadRecordingAdmin, SearchableAdmin):
    list_display = (
        "name", "owner", "state", "used_model", "messages", "tokens", "last_used", "begun",
    )  # fmt: skip
    list_filter = (
        owner_filter(), day_filter("updated_at", "last use"), StateFilter, ModelFilter, ToolFilter,
        "pinned", "archived",
    )  # fmt: skip
    list_select_related = ("owner",)
    ordering = ("-updated_at",)
    words = ("pk", "conversation")
    form = ConversationAdminForm
    readonly_fields = (
        "titled_by", "owner", "offers_tools", "id", "seq", "created_at", "updated_at",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ConversationAdminForm.Meta.fields}),
        ("Details", {"fields": readonly_fields, "classes": ("collapse",)}),
    )

    # --- the list ---------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedList]:
        return ConversationList

    @admin.display(description="Title", ordering="title")
    def name(self, row: Any) -> str:
        marks = [mark for mark in ("pinned", "archived") if getattr(row, mark)]
        return f"{row} ({', '.join(marks)})" if marks else str(row)

    @admin.display(description="State")
    def state(self, row: Any) -> SafeString | str:
        known = known_of(row)
        if not known.status:
            return "not started"
        return format_html('<span class="state {}">{}</span>', known.status, known.state)

    @admin.display(description="Model")
    def used_model(self, row: Any) -> str:
        return known_of(row).model or row.model or ""

    @admin.display(description="Messages")
    def messages(self, row: Any) -> str:
        return f"{known_of(row).messages:,}"

    @admin.display(description="Tokens in / out")
    def tokens(self, row: Any) -> str:
        known = known_of(row)
        return f"{known.read:,} / {known.written:,}" if known.read or known.written else ""

    @admin.display(description="Last used", ordering="updated_at")
    def last_used(self, row: Any) -> datetime:
        return row.updated_at  # type: ignore[no-any-return]  # a row has any attribute

    @admin.display(description="Created")
    def begun(self, row: Any) -> datetime:
        return row.created_at  # type: ignore[no-any-return]  # a row has any attribute

    # --- one of them ------------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the form, with the transcript."""
        context = {"title": "Conversation", **(extra_context or {})}
        found: Any = self.get_object(request, object_id)
        if found is not None and self.has_view_permission(request, found):
            context["reading"] = _reading(request, found)
            context["facts"] = facts([found])[found.pk]
        return super().change_view(request, object_id, form_url, context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if "title" in form.changed_data:
            services.entitle(obj.owner, obj.pk, obj.title)
        services.configure(
            obj.owner,
            obj.pk,
            model=obj.model,
            instructions=obj.instructions,
            temperature=obj.temperature,
            max_output_tokens=obj.max_output_tokens,
        )

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        services.delete(obj.owner, obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for conversation in queryset.select_related("owner"):
            services.delete(conversation.owner, conversation.pk)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, Any], set[Any], list[Any]]:
        """List the conversations to confirm, not every row deleted with them."""
        names = [str(conversation) for conversation in objs[: AT_ONCE + 1]]
        too_many = len(names) > AT_ONCE
        protected = [f"At most {AT_ONCE:,} at a time; manage.py prune_history deletes more."]
        counted = {Conversation._meta.verbose_name_plural: len(names)}
        return names[:AT_ONCE], counted, set(), protected if too_many else []

    def by_uuid(self, known: UUID) -> Q:
        return Q(pk=known) | Q(pk__in=Message.objects.filter(pk=known).values("conversation"))

    def owner_of(self, row: Model) -> int:
        return row.owner_id  # type: ignore[attr-defined, no-any-return]  # a conversation


def _reading(request: HttpRequest, found: Conversation) -> transcript.Reading:
    """Return the stretch that the URL asks for."""
    try:
        return transcript.read(found, at=request.GET.get("at"), before=request.GET.get("before"))
    except (ValueError, Message.DoesNotExist):
        raise Http404 from None


def known_of(row: Any) -> Facts:
    known: Facts = getattr(row, "facts", NO_FACTS)
    return known
