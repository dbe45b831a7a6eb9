"""Actions on all conversations of a user: export, prune, transfer."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from chat import services
from chat.admin.actions import TRANSFERRED, transfer_form
from chat.admin.base import AT_ONCE, BoundedAdmin
from chat.admin.confirmation import PruneForm, ask, number
from chat.errors import TalosError
from chat.models import Audit, Conversation, Message
from chat.transfer.archive.encoders import JsonLines
from chat.transfer.names import slug
from chat.transfer.selection import Ids, Selection
from chat.upkeep.prune.batches import Prune
from chat.upkeep.prune.rules import Amount, Rules, measure
from chat.views.downloads import streamed_download
from chat.views.request import HtmxRequest

if TYPE_CHECKING:
    Users = QuerySet[User]

PATIENCE = 20
"""Seconds of deleting or transferring per request; then the page says how much is left."""


class UserActions(BoundedAdmin):
    """Mixin: the actions of the user admin."""

    actions = ("export", "prune", "transfer")

    @admin.action(description="Export all conversations of the selected user", permissions=["read"])
    def export(self, request: HtmxRequest, queryset: Users) -> HttpResponseBase | None:
        user = self._the_one(request, queryset)
        if user is None:
            return None
        ids = Ids(Selection(owner=user))
        _record(request, user, f"Exported {number(len(ids), 'conversation')}.")
        day = timezone.localdate().isoformat()
        return streamed_download(ids, JsonLines(), f"talos-{slug(user.username) or user.pk}-{day}")

    @admin.action(description="Prune conversations of the selected user…", permissions=["prune"])
    def prune(self, request: HtmxRequest, queryset: Users) -> HttpResponseBase | None:
        """Ask which conversations, show how many they are, then delete them."""
        user = self._the_one(request, queryset)
        if user is None:
            return None
        form = PruneForm(request.POST if "older_than" in request.POST else None)
        if not form.is_bound or not form.is_valid():
            has = number(Conversation.objects.of(user).count(), "conversation")
            return self._ask_which(request, user, form, f"{user} has {has}.")
        rules = _rules(user, form)
        if "confirmed" in request.POST:
            self._prune(request, user, rules)
            return self._back(request, user)
        found = measure(rules)
        if not found.conversations:
            return self._ask_which(request, user, form, f"{rules}: none. {_in_use(found)}")
        return self._confirm(request, user, rules, found)

    @admin.action(
        description="Transfer all conversations of the selected user…", permissions=["transfer"]
    )
    def transfer(self, request: HtmxRequest, queryset: Users) -> HttpResponseBase | None:
        user = self._the_one(request, queryset)
        if user is None:
            return None
        form = transfer_form(request, [user.pk])
        if form.is_bound and form.is_valid():
            self._transfer(request, user, form.cleaned_data["to"])
            return self._back(request, user)
        owned = Conversation.objects.of(user)
        count = Message.objects.filter(conversation__in=owned.values("pk")).count()
        what = f"{number(owned.count(), 'conversation')} with {number(count, 'message')}"
        return ask(
            self,
            request,
            title=f"Transfer conversations of {user}",
            chosen=[user],
            sentences=[
                f"{what}, owned by {user}, will be transferred to the new owner.",
                TRANSFERRED,
            ],
            form=form,
            button="Transfer",
        )

    def has_read_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.view_conversation")

    def has_prune_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.delete_conversation")

    def has_transfer_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.change_conversation")

    def _the_one(self, request: HtmxRequest, queryset: Users) -> User | None:
        users = list(queryset[:2])
        if len(users) == 1:
            return users[0]
        self.message_user(request, "Nothing was done: select one user.", messages.ERROR)
        return None

    def _back(self, request: HtmxRequest, user: User) -> HttpResponse | None:
        return redirect("admin:auth_user_change", user.pk) if "one" in request.POST else None

    def _ask_which(
        self, request: HtmxRequest, user: User, form: PruneForm, sentence: str
    ) -> HttpResponse:
        title = f"Prune conversations of {user}"
        return ask(
            self, request, title=title, chosen=[user], sentences=[sentence], form=form,
            button="Show what would be deleted",
        )  # fmt: skip

    def _confirm(
        self, request: HtmxRequest, user: User, rules: Rules, found: Amount
    ) -> HttpResponse:
        what = number(found.conversations, "conversation")
        sentences = [
            f"{rules}: {what} with {number(found.messages, 'message')} and "
            f"{filesizeformat(found.size)} of text. {_in_use(found)}",
            "They are permanently deleted. Conversations used from now on are kept.",
        ]
        form = PruneForm(
            {
                "older_than": rules.older_than.days if rules.older_than else 0,
                "keep_pinned": rules.keep_pinned,
                "archived_only": rules.archived_only,
                "at": rules.at.isoformat(),
            }
        )
        return ask(
            self, request, title=f"Prune conversations of {user}", chosen=[user],
            sentences=sentences, form=form, button=f"Delete {what}", confirmed=True,
        )  # fmt: skip

    def _prune(self, request: HtmxRequest, user: User, rules: Rules) -> None:
        prune = Prune(rules, Audit(action="prune", source=Audit.Source.ADMIN, by=request.user))
        end = time.monotonic() + PATIENCE
        while (pause := prune.step()) is not None and time.monotonic() < end:
            time.sleep(pause)
        what = number(prune.deleted, "conversation")
        done = f"Deleted {what} with {number(prune.messages, 'message')}."
        _record(request, user, done)
        if pause is not None:
            done += (
                f" There are more: repeat the action, or run manage.py prune_history --user {user}."
            )
        self.message_user(request, done, messages.SUCCESS)

    def _transfer(self, request: HtmxRequest, user: User, to: User) -> None:
        moved, stay, why = 0, 0, ""
        end = time.monotonic() + PATIENCE
        keys = Conversation.objects.of(user).order_by("pk").values_list("pk", flat=True)
        for key in list(keys[:AT_ONCE]):
            try:
                services.reassign(user, key, to=to)
                moved += 1
            except TalosError as error:
                stay, why = stay + 1, str(error)
            if time.monotonic() > end:
                break
        done = f"Transferred {number(moved, 'conversation')} of {user} to {to}."
        if moved:
            Audit.objects.create(
                action="transfer", source=Audit.Source.ADMIN, by=request.user, summary=done
            )
            _record(request, user, done)
            self.message_user(request, done, messages.SUCCESS)
        if stay:
            stays = "1 stays" if stay == 1 else f"{stay:,} stay"
            self.message_user(request, f"{stays}: {why}", messages.WARNING)
        left = Conversation.objects.of(user).count() - stay
        if left > 0:
            self.message_user(request, f"{left:,} are left: repeat the action.", messages.WARNING)


def _rules(user: User, form: PruneForm) -> Rules:
    entered = form.cleaned_data
    return Rules(
        older_than=timedelta(entered["older_than"]),
        keep_pinned=entered["keep_pinned"],
        archived_only=entered["archived_only"],
        owner=user,
        at=entered["at"],
    )


def _in_use(found: Amount) -> str:
    if not found.in_use:
        return ""
    return f"{found.in_use:,} more {'is in use and stays' if found.in_use == 1 else 'are in use and stay'}."


def _record(request: HtmxRequest, user: User, words: str) -> None:
    LogEntry.objects.log_actions(request.user.pk, [user], CHANGE, words, single_object=True)
