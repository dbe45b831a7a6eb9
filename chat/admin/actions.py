"""Actions on conversations: on several from the list, on one from its own page.

Each uses its service and is recorded by Django.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from chat import services
from chat.admin.base import AT_ONCE, BoundedAdmin
from chat.admin.confirmation import TransferForm, ask, number
from chat.errors import NotAllowed, TalosError
from chat.models import Conversation, Message
from chat.transfer.archive.encoders import Encoder, JsonLines
from chat.transfer.markdown import Markdown
from chat.transfer.selection import Ids, Selection
from chat.views.downloads import streamed_download
from chat.views.request import HtmxRequest

if TYPE_CHECKING:
    Rows = QuerySet[Conversation]


NAMED = 10
"""Failures that are listed one by one."""
TRANSFERRED = (
    "The old owner loses access. The new owner can read every message. Remembered decisions about "
    "tools are dropped."
)


def transfer_form(request: HtmxRequest, owners: Collection[int]) -> TransferForm:
    """Return the form with what was entered or picked; unbound if nothing was yet."""
    if picked := request.POST.get("pick"):
        return TransferForm({"to": picked}, owners)
    return TransferForm(request.POST if "to" in request.POST else None, owners)


class ConversationActions(BoundedAdmin):
    """Mixin: the actions of the conversation admin."""

    actions = ("export", "export_to_read", "archive", "unarchive", "cancel", "reassign")

    @admin.action(description="Export selected conversations as an archive", permissions=["view"])
    def export(self, request: HtmxRequest, queryset: Rows) -> HttpResponseBase | None:
        return self._export(request, queryset, JsonLines())

    @admin.action(description="Export selected conversations as Markdown", permissions=["view"])
    def export_to_read(self, request: HtmxRequest, queryset: Rows) -> HttpResponseBase | None:
        return self._export(request, queryset, Markdown())

    @admin.action(description="Archive selected conversations", permissions=["change"])
    def archive(self, request: HtmxRequest, queryset: Rows) -> HttpResponse | None:
        return self._apply(request, queryset, "Archived", _archive)

    @admin.action(description="Unarchive selected conversations", permissions=["change"])
    def unarchive(self, request: HtmxRequest, queryset: Rows) -> HttpResponse | None:
        return self._apply(request, queryset, "Unarchived", _unarchive)

    @admin.action(description="Stop the answers in selected conversations", permissions=["change"])
    def cancel(self, request: HtmxRequest, queryset: Rows) -> HttpResponse | None:
        return self._apply(request, queryset, "Stop requested", _cancel)

    @admin.action(
        description="Transfer ownership of selected conversations…", permissions=["change"]
    )
    def reassign(self, request: HtmxRequest, queryset: Rows) -> HttpResponse | None:
        """Ask for the new owner, then transfer."""
        rows = self._chosen(request, queryset)
        if not rows:
            return None
        form = transfer_form(request, {row.owner_id for row in rows})
        if not form.is_bound or not form.is_valid():
            return self._ask_for_owner(request, rows, form)
        to = form.cleaned_data["to"]

        def transfer(conversation: Conversation) -> None:
            services.reassign(conversation.owner, conversation.pk, to=to)

        return self._apply(request, queryset, f"Transferred to {to}", transfer)

    def _ask_for_owner(
        self, request: HtmxRequest, rows: Sequence[Conversation], form: TransferForm
    ) -> HttpResponse:
        count = Message.objects.filter(conversation__in=[row.pk for row in rows]).count()
        owners = len(form.owners)
        whose = str(rows[0].owner) if owners == 1 else number(owners, "user")
        what = (
            f"{number(len(rows), 'conversation')} with {number(count, 'message')}, owned by {whose}"
        )
        return ask(
            self,
            request,
            title="Transfer ownership",
            chosen=rows,
            sentences=[f"{what}, will be transferred to the new owner.", TRANSFERRED],
            form=form,
            button="Transfer",
        )

    def _export(
        self, request: HtmxRequest, queryset: Rows, encoder: Encoder
    ) -> HttpResponseBase | None:
        rows = self._chosen(request, queryset)
        if not rows:
            return None
        _record(request, rows, "Exported.")
        day = timezone.localdate().isoformat()
        ids = Ids(Selection(ids=tuple(row.pk for row in rows)))
        return streamed_download(ids, encoder, f"talos-{day}")

    def _apply(
        self, request: HtmxRequest, queryset: Rows, done: str, do: Callable[[Conversation], None]
    ) -> HttpResponse | None:
        """Apply an action to each conversation, report the results, and return to the requesting page."""
        rows = self._chosen(request, queryset)
        changed, failures = [], []
        for conversation in rows:
            try:
                do(conversation)
            except TalosError as error:
                failures.append(f"{conversation}: {error}")
            else:
                changed.append(conversation)
        for failure in failures[:NAMED]:
            self.message_user(request, failure, messages.WARNING)
        if len(failures) > NAMED:
            more = f"{len(failures) - NAMED:,} more were left as they are."
            self.message_user(request, more, messages.WARNING)
        if changed:
            _record(request, changed, f"{done}.")
            what = number(len(changed), "conversation")
            self.message_user(request, f"{done}: {what}.", messages.SUCCESS)
        if rows and _is_one(request):
            return redirect("admin:chat_conversation_change", rows[0].pk)
        return None

    def _chosen(self, request: HtmxRequest, queryset: Rows) -> Sequence[Conversation]:
        """Return the selected conversations; if they are too many, none and an error message."""
        rows = list(queryset.select_related("owner")[: AT_ONCE + 1])
        if len(rows) <= AT_ONCE:
            return rows
        complaint = f"Nothing was done: select at most {AT_ONCE:,} conversations."
        self.message_user(request, complaint, messages.ERROR)
        return []


def _record(request: HtmxRequest, rows: Sequence[Conversation], words: str) -> None:
    LogEntry.objects.log_actions(request.user.pk, rows, CHANGE, words)


def _is_one(request: HtmxRequest) -> bool:
    """Whether the action comes from a conversation's own page."""
    return "one" in request.POST


def _archive(conversation: Conversation) -> None:
    services.archive(conversation.owner, conversation.pk, archived=True)


def _unarchive(conversation: Conversation) -> None:
    services.archive(conversation.owner, conversation.pk, archived=False)


def _cancel(conversation: Conversation) -> None:
    if not services.cancel(conversation.owner, conversation.pk):
        raise NotAllowed("no answer is running.")
