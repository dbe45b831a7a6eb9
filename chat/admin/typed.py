"""Filters with text fields: days, and a username. Plain forms without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

MATCHES = 20
"""Users suggested for an incomplete name."""
FIRST, LAST = date(1970, 1, 1), date(2999, 12, 31)
YEARS = f"Enter days from {FIRST.year} to {LAST.year}."


@dataclass(frozen=True)
class Box:
    """A text field of a filter."""

    name: str
    label: str
    value: str
    type: str = "text"


class FormFilter(admin.ListFilter):
    """A form among the filters, which preserves the other filters."""

    template = "admin/typed_filter.html"
    complaint = ""
    """Why the entry is invalid. The list is empty then, since it would not match the request."""
    names: tuple[str, ...] = ()
    """The URL parameters."""

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.names:
            written = params.pop(name, [""])[-1].replace("\0", "").strip()
            if written:
                self.used_parameters[name] = written

    def expected_parameters(self) -> list[str | None]:
        return list(self.names)

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        """Yield the hidden fields: the other URL parameters."""
        for name, values in changelist.filter_params.items():
            if name not in (*self.names, PAGE_VAR):
                for value in values if isinstance(values, list) else [values]:
                    yield {"name": name, "value": value}

    def written(self, name: str) -> str:
        return str(self.used_parameters.get(name, ""))

    @property
    def boxes(self) -> list[Box]:
        raise NotImplementedError

    @property
    def suggestions(self) -> list[str]:
        """Suggestions for the first field."""
        return []


def day_filter(column: str, title: str) -> type[FormFilter]:
    """Make a filter by a range of days, both included, on an indexed column."""

    class DayFilter(FormFilter):
        names = (f"{column}__from", f"{column}__to")

        @property
        def boxes(self) -> list[Box]:
            labels = zip(self.names, ("From", "To"), strict=True)
            return [Box(name, label, self.written(name), "date") for name, label in labels]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            try:
                since, until = (day(self.written(name)) for name in self.names)
            except ValueError as error:
                self.complaint = str(error)
                return queryset.none()
            return queryset.filter(between(column, since, until))

    DayFilter.title = title
    return DayFilter


def day(text: str) -> date | None:
    """Parse a day as browsers send it; None if empty. Raises `ValueError` with a sentence."""
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise ValueError("Enter days as YYYY-MM-DD, such as 2026-01-31.") from None
    if not FIRST <= found <= LAST:
        raise ValueError(YEARS)
    return found


def between(column: str, since: date | None, until: date | None) -> Q:
    """Match from the start of one day to the end of another, in the page's time zone."""
    found = Q()
    if since:
        found &= Q(**{f"{column}__gte": midnight(since)})
    if until:
        found &= Q(**{f"{column}__lt": midnight(until + timedelta(1))})
    return found


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone())


def owner_filter(title: str = "owner", path: str = "owner") -> type[FormFilter]:
    """Make a filter by the user at `path`: by an entered name, or by an id in a link."""

    class OwnerFilter(FormFilter):
        names = ("username", "owner")

        @property
        def boxes(self) -> list[Box]:
            return [Box("username", "Username", self.written("username") or self._name())]

        def _name(self) -> str:
            """The name of the user whose id is in the URL."""
            key = self.written("owner")
            known = User.objects.filter(pk=int(key)) if is_key(key) else User.objects.none()
            return known.values_list("username", flat=True).first() or ""

        @property
        def suggestions(self) -> list[str]:
            return matching(self.written("username")) if self.complaint else []

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            name, key = self.written("username"), self.written("owner")
            if not name and not key:
                return queryset
            users = User.objects.filter(username=name) if name else None
            if users is None and is_key(key):
                users = User.objects.filter(pk=int(key))
            found = users.first() if users is not None else None
            if found is None:
                self.complaint = f"There is no user “{name or key}”."
                return queryset.none()
            return queryset.filter(**{path: found.pk})

    OwnerFilter.title = title
    return OwnerFilter


def is_key(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def matching(text: str) -> list[str]:
    """The first usernames of users whose name or email address contains a text."""
    found = User.objects.filter(Q(username__icontains=text) | Q(email__icontains=text))
    return list(found.order_by("username").values_list("username", flat=True)[:MATCHES])
