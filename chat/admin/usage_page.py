"""The usage page: a chart and tables for a period, and the same as CSV."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from chat.admin.chart import chart
from chat.admin.typed import FIRST, LAST, YEARS, matching
from chat.admin.usage import Period, Row, Usage, rows, summary
from chat.views.downloads import file_download

DAYS = 30
"""Days shown by default."""
MOST_DAYS = 366
SHOWN = 50
"""Rows of the tables of models and owners; the CSV has all."""
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
_TAKEN = (MinValueValidator(FIRST, YEARS), MaxValueValidator(LAST, YEARS))


class PeriodForm(forms.Form):
    """The period, owner and model. The owner is entered by name, or given by a link's id."""

    since = forms.DateField(label="From", required=False, widget=_DAY, validators=_TAKEN)
    until = forms.DateField(label="To", required=False, widget=_DAY, validators=_TAKEN)
    username = forms.CharField(label="Owner", required=False, max_length=150)
    model = forms.CharField(required=False, max_length=200)
    owner = forms.IntegerField(required=False, widget=forms.HiddenInput)
    suggestions: list[str] = []  # set on each form, never changed

    def clean(self) -> dict[str, Any]:
        entered = super().clean() or self.cleaned_data
        if self.errors:
            return entered
        last = entered["until"] or timezone.localdate()
        first = entered["since"] or max(FIRST, last - timedelta(DAYS - 1))
        if first > last:
            raise forms.ValidationError("The first day must not be after the last.")
        if (last - first).days >= MOST_DAYS:
            raise forms.ValidationError(f"Choose at most {MOST_DAYS} days.")
        entered["period"] = Period(first, last, self._owner(entered), entered.get("model") or "")
        return entered

    def _owner(self, entered: dict[str, Any]) -> int | None:
        if name := entered.get("username"):
            found = User.objects.filter(username=name).values_list("pk", flat=True).first()
            if found is None:
                self.suggestions = matching(name)
                raise forms.ValidationError(f"There is no user “{name}”.")
            return found
        owner: int | None = entered.get("owner")
        return owner


def period_of(request: HttpRequest) -> tuple[PeriodForm, Period | None]:
    """Return the form, and the period that the URL asks for, or None if it is invalid."""
    form = PeriodForm({name: str(value).replace("\0", "") for name, value in request.GET.items()})
    if not form.is_valid():
        return form, None
    period: Period = form.cleaned_data["period"]
    shown = {"since": period.first, "until": period.last, "model": period.model}
    if period.owner is not None:
        known = User.objects.filter(pk=period.owner).values_list("username", flat=True).first()
        shown["username"] = known or "nobody"
    return PeriodForm(initial=shown), period


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    _check(request)
    form, period = period_of(request)
    context: dict[str, Any] = {
        **admin.site.each_context(request), "title": "Usage", "form": form, "period": period,
    }  # fmt: skip
    if period is not None:
        found = summary(period)
        context |= {
            "usage": found,
            "chart": chart(found.days),
            "used_days": [day for day in found.days if day.answers],
            "models": found.models[:SHOWN],
            "owners": found.owners[:SHOWN],
            "more_models": len(found.models) - SHOWN,
            "more_owners": len(found.owners) - SHOWN,
            "address": _address(period),
        }
    return TemplateResponse(request, "admin/usage.html", context)


def _address(period: Period) -> str:
    asked: dict[str, Any] = {"since": period.first.isoformat(), "until": period.last.isoformat()}
    if period.owner is not None:
        asked["owner"] = period.owner
    if period.model:
        asked["model"] = period.model
    return urlencode(asked)


# --- CSV ----------------------------------------------------------------------------------------

GROUPS = ("day", "model", "owner")
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Characters that start a formula, in both widths."""
_BLANKS = ("\t", "\r", "\n")
COLUMNS = ("answers", "failed", "tokens_in", "tokens_out", "cost_usd")


@require_GET
def download(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Download a line per day, model and owner, or per combination of the columns in `by`."""
    _check(request)
    _, period = period_of(request)
    by = tuple(name for name in GROUPS if name in request.GET.getlist("by")) or GROUPS
    if period is None:
        return HttpResponse("The days or the user are invalid.", status=400)
    file = TemporaryFile()  # noqa: SIM115  # closed with the response
    _write(file, by, period)
    name = f"talos-usage-{period.first.isoformat()}-{period.last.isoformat()}"
    return file_download(file, f"{name}.csv", "text/csv")


def _write(file: IO[bytes], by: tuple[str, ...], period: Period) -> None:
    text = codecs.getwriter("utf-8")(file)
    lines = csv.writer(text)
    lines.writerow((*by, *COLUMNS))
    for names, used in _grouped(rows(period), by):
        cost = "" if used.cost is None else f"{used.cost.normalize():f}"
        numbers = (used.answers, used.failed, used.read, used.written, cost)
        lines.writerow((*map(cell, names), *numbers))


def _grouped(found: Iterable[Row], by: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Usage]]:
    """Group rows by columns. If they include the day, only one day is in memory at a time."""
    groups: dict[tuple[str, ...], Usage] = {}
    day: date | None = None
    for row in found:
        if "day" in by and row.day != day:
            yield from groups.items()
            groups, day = {}, row.day
        values = {"day": row.day.isoformat(), "model": row.model, "owner": row.owner}
        names = tuple(values[name] for name in by)
        groups[names] = groups[names] + row.used if names in groups else row.used
    yield from groups.items()


def cell(text: str) -> str:
    """Escape a text so that no spreadsheet takes it for a formula, even after blanks."""
    is_formula = text.lstrip().startswith(_FORMULA) or text.startswith(_BLANKS)
    return f"'{text}" if is_formula else text


def _check(request: HttpRequest) -> None:
    if not request.user.has_perm("chat.view_turn"):
        raise PermissionDenied
