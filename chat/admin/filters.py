"""Filters with cheap choices: fixed ones, or values of the latest rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from chat.display.cards import tool_names
from chat.models import Conversation, ToolCall, Turn

LATEST = 1000
"""Rows that are searched for choices."""
OFFERED = 40
"""Choices that a filter shows."""
CALLS = 5000
"""The latest calls of a tool that the filter looks at."""


class ChoiceFilter(admin.SimpleListFilter):
    """A filter that offers some values of a column; the URL may contain any other."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        values = sorted(set(self.values(model_admin)))[:OFFERED]
        if (chosen := self.value()) is not None and chosen not in values:
            values.append(chosen)
        return [(value, value) for value in values]

    def values(self, model_admin: Any) -> Iterable[str]:
        """The values to offer."""
        raise NotImplementedError


def latest(rows: QuerySet[Any], column: str) -> Iterable[str]:
    """The values of a column in the latest rows."""
    return rows.order_by("-pk").values_list(column, flat=True)[:LATEST]


def recent_filter(column: str, title: str) -> type[ChoiceFilter]:
    """Make a filter by a column of the list's own rows."""

    class RecentFilter(ChoiceFilter):
        parameter_name = column

        def values(self, model_admin: Any) -> Iterable[str]:
            return filter(None, latest(model_admin.model.objects, column))

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            value = self.value()
            return queryset if value is None else queryset.filter(**{column: value})

    RecentFilter.title = title
    return RecentFilter


class ModelFilter(ChoiceFilter):
    """Conversations in which a model answered."""

    title = "model"
    parameter_name = "model"

    def values(self, model_admin: Any) -> Iterable[str]:
        return latest(Turn.objects.all(), "model")

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Conversation]
    ) -> QuerySet[Conversation]:
        value = self.value()
        if value is None:
            return queryset
        return queryset.filter(
            Exists(Turn.objects.filter(conversation=OuterRef("pk"), model=value))
        )


class ToolFilter(ChoiceFilter):
    """Conversations in which a tool was called."""

    title = "tool"
    parameter_name = "tool"
    is_cut = False
    """Conversations may be missing: there are older calls."""

    def values(self, model_admin: Any) -> Iterable[str]:
        return {*tool_names(), *latest(ToolCall.objects.all(), "name")}

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Conversation]
    ) -> QuerySet[Conversation]:
        value = self.value()
        if value is None:
            return queryset
        calls = ToolCall.objects.filter(name=value).order_by("-pk")
        self.is_cut = calls[CALLS : CALLS + 1].exists()
        return queryset.filter(pk__in=calls.values("message__conversation")[:CALLS])


class StateFilter(admin.SimpleListFilter):
    """Conversations by their current activity or, without any, by how the last answer ended."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.value, STATES[status]) for status in Turn.Status]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Conversation]
    ) -> QuerySet[Conversation]:
        value = self.value()
        if value is None:
            return queryset
        unfinished = Turn.objects.unfinished()
        if value in Turn.UNFINISHED:
            return queryset.filter(pk__in=unfinished.filter(status=value).values("conversation"))
        last = Turn.objects.filter(message=OuterRef("leaf"), status=value)
        return queryset.filter(Exists(last)).exclude(pk__in=unfinished.values("conversation"))


STATES: dict[str, str] = {
    Turn.Status.QUEUED: "queued",
    Turn.Status.RUNNING: "running",
    Turn.Status.WAITING: "needs approval",
    Turn.Status.COMPLETED: "completed",
    Turn.Status.CANCELLED: "stopped",
    Turn.Status.FAILED: "failed",
    Turn.Status.INTERRUPTED: "interrupted",
}
"""Labels for the state of a turn, and of the conversation whose last turn it is."""
