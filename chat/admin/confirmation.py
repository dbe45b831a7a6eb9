"""The confirmation page before many rows change, with numbers of what would happen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from chat.admin.base import BoundedAdmin
from chat.admin.typed import matching

LONGEST = 36_500
"""Days: a hundred years."""


class TransferForm(forms.Form):
    """The new owner of conversations."""

    to = forms.CharField(
        label="New owner",
        max_length=150,
        help_text="A username, or part of a name or email address to search for.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    suggestions: Sequence[str] = ()

    def __init__(self, data: Mapping[str, Any] | None, owners: Collection[int]) -> None:
        super().__init__(data)
        self.owners = set(owners)
        """Ids of the current owners."""

    def clean_to(self) -> User:
        name = self.cleaned_data["to"]
        found = User.objects.filter(username=name).first()
        if found is None:
            self.suggestions = matching(name)
            pick = " Did you mean one of these?" if self.suggestions else ""
            raise forms.ValidationError(f"There is no user named “{name}”.{pick}")
        if not found.is_active:
            raise forms.ValidationError(f"{name} is not active, so nobody could read them.")
        if self.owners == {found.pk}:
            raise forms.ValidationError(f"{name} already owns them.")
        return found


class PruneForm(forms.Form):
    """Which conversations of a user to delete."""

    older_than = forms.IntegerField(
        label="Not used for (days)",
        min_value=0,
        max_value=LONGEST,
        initial=90,
        help_text="0 means all of them.",
    )
    keep_pinned = forms.BooleanField(
        label="Keep pinned conversations", required=False, initial=True
    )
    archived_only = forms.BooleanField(label="Only archived conversations", required=False)
    at = forms.DateTimeField(required=False, widget=forms.HiddenInput)
    """When the form was first shown: conversations used since then are kept."""

    def clean_at(self) -> Any:
        now = timezone.now()
        return min(self.cleaned_data["at"] or now, now)


def ask(
    admin: BoundedAdmin,
    request: HttpRequest,
    *,
    title: str,
    chosen: Sequence[Any],
    sentences: Sequence[str],
    form: forms.Form,
    button: str,
    confirmed: bool = False,
) -> HttpResponse:
    """Render the page. It submits to the same action, with the same rows.

    `confirmed`: the button performs the action; otherwise the numbers are shown first.
    """
    context = {
        **admin.admin_site.each_context(request),
        "title": title,
        "opts": admin.opts,
        "action": request.POST["action"],
        "chosen": chosen,
        "sentences": sentences,
        "form": form,
        "suggestions": getattr(form, "suggestions", ()),
        "button": button,
        "confirmed": confirmed,
        "one": "one" in request.POST,
    }
    return TemplateResponse(request, "admin/confirmation.html", context)


def number(count: int, what: str) -> str:
    """`1 message`, `1,234 messages`."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
