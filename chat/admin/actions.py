"""What may be done to conversations: to several from the list, to one from its own page.

Each goes through its service, and Django records it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from chat import services
from chat.admin.base import Listed
from chat.errors import NotAllowed, TalosError
from chat.exchange import attachment
from chat.models import Conversation
from chat.pages import HtmxRequest
from chat.transfer.encoders import Encoder, JsonLines
from chat.transfer.markdown import Markdown
from chat.transfer.selection import Ids, Selection

if TYPE_CHECKING:
    Rows = QuerySet[Conversation]

AT_ONCE = 1000
"""Conversations: more would hold up all other pages. There are commands for that."""
NAMED = 50
"""Users that the form offers by name."""


class ConversationActions(Listed):
    """The actions, for the conversations' admin."""

    actions = ("export", "export_to_read", "archive", "unarchive", "cancel", "reassign")

    @admin.action(description="Export selected ones as an archive", permissions=["view"])
    def export(self, request: HtmxRequest, queryset: Rows) -> HttpResponseBase | None:
        return self._export(request, queryset, JsonLines())

    @admin.action(description="Export selected ones to read (Markdown)", permissions=["view"])
    def export_to_read(self, request: HtmxRequest, queryset: Rows) -> HttpResponseBase | None:
        return self._export(request, queryset, Markdown())

    @admin.action(description="Archive selected ones", permissions=["change"])
    def archive(self, request: HtmxRequest, queryset: Rows) -> HttpResponse | None:
        return self._each(request, queryset, "Archived", _archive)

    @admin.action(description="Bring selected ones back from the archive", permissions=["change"])
    def unarchive(self, request: HtmxRequest, queryset: Rows) -> HttpResponse | None:
        return self._each(request, queryset, "Brought back", _unarchive)

    @admin.action(description="Stop the answers of selected ones", permissions=["change"])
    def cancel(self, request: HtmxRequest, queryset: Rows) -> HttpResponse | None:
        return self._each(request, queryset, "Asked to stop", _cancel)

    @admin.action(description="Give selected ones to somebody else", permissions=["change"])
    def reassign(self, request: HtmxRequest, queryset: Rows) -> HttpResponse | None:
        """Ask to whom first."""
        name = request.POST.get("to", "").strip()
        to = User.objects.filter(username=name).first()
        if to is None:
            return self._ask_for_owner(request, queryset, name)

        def give(conversation: Conversation) -> None:
            services.reassign(conversation.owner, conversation.pk, to=to)

        return self._each(request, queryset, f"Given to {to}", give)

    def _ask_for_owner(self, request: HtmxRequest, queryset: Rows, name: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Give to somebody else",
            "opts": self.opts,
            "chosen": queryset[:AT_ONCE],
            "users": User.objects.order_by("username")[:NAMED],
            "complaint": f"There is no user named “{name}”." if name else "",
            "one": _is_one(request),
        }
        return TemplateResponse(request, "admin/chat/conversation/reassign.html", context)

    def _export(
        self, request: HtmxRequest, queryset: Rows, encoder: Encoder
    ) -> HttpResponseBase | None:
        rows = self._chosen(request, queryset)
        if not rows:
            return None
        _record(request, rows, "Exported.")
        day = timezone.localdate().isoformat()
        ids = Ids(Selection(ids=tuple(row.pk for row in rows)))
        return attachment(ids, encoder, f"talos-{day}")

    def _each(
        self, request: HtmxRequest, queryset: Rows, done: str, do: Callable[[Conversation], None]
    ) -> HttpResponse | None:
        """Do it to each, say what came of it, and go back to where it was asked."""
        rows = self._chosen(request, queryset)
        changed = []
        for conversation in rows:
            try:
                do(conversation)
            except TalosError as error:
                self.message_user(request, f"{conversation}: {error}", messages.WARNING)
            else:
                changed.append(conversation)
        if changed:
            _record(request, changed, f"{done}.")
            what = "1 conversation" if len(changed) == 1 else f"{len(changed):,} conversations"
            self.message_user(request, f"{done}: {what}.", messages.SUCCESS)
        if rows and _is_one(request):
            return redirect("admin:chat_conversation_change", rows[0].pk)
        return None

    def _chosen(self, request: HtmxRequest, queryset: Rows) -> Sequence[Conversation]:
        """Those that are meant; none, and a word to the person, where they are too many."""
        rows = list(queryset.select_related("owner")[: AT_ONCE + 1])
        if len(rows) <= AT_ONCE:
            return rows
        complaint = f"Nothing was done: at most {AT_ONCE:,} conversations at a time."
        self.message_user(request, complaint, messages.ERROR)
        return []


def _record(request: HtmxRequest, rows: Sequence[Conversation], words: str) -> None:
    LogEntry.objects.log_actions(request.user.pk, rows, CHANGE, words)


def _is_one(request: HtmxRequest) -> bool:
    """Whether it was asked on a conversation's own page."""
    return "one" in request.POST


def _archive(conversation: Conversation) -> None:
    services.archive(conversation.owner, conversation.pk, archived=True)


def _unarchive(conversation: Conversation) -> None:
    services.archive(conversation.owner, conversation.pk, archived=False)


def _cancel(conversation: Conversation) -> None:
    if not services.cancel(conversation.owner, conversation.pk):
        raise NotAllowed("no answer is being written in it.")
