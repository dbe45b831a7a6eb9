"""The base of the admin's lists: a bounded number of queries, each over bounded rows.

Counting all rows, offering all values of a column, and searching all texts would each read a whole
table. So a list counts up to `MOST`, offers recent values (`filters.py`), and searches through the
index of the chat's own search. If that leaves rows out, the list says so.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest, ValidationError
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import JSONField, Model, Q, QuerySet, TextField
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import RawSQL
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import capfirst

from chat import search
from chat.models import SearchEntry, has_hidden, shown

if TYPE_CHECKING:
    AdminBase = admin.ModelAdmin[Any]
    PaginatorBase = Paginator[Any]
else:  # only the type checker may subscript these
    AdminBase, PaginatorBase = admin.ModelAdmin, Paginator

MOST = 2000
"""Rows that a list can page through; older ones are found by search or filters."""
LONGEST = 50_000
"""How much of a text a page shows, in code points."""
_CUT = "\n\n[Cut here: {shown:,} of {all:,} characters. Export the conversation for the full text.]"
FOUND = 2000
"""The latest entries of the search index that a search looks at."""
AT_ONCE = 1000
"""Rows per action: more would hold up other requests. Commands handle larger numbers."""
PLAIN = ("exact", "gt", "gte", "lt", "lte", "isnull")
"""Comparisons of a column that a URL may contain; they work with any value."""


class BoundedPaginator(PaginatorBase):
    """A paginator that stops counting at `MOST`."""

    @cached_property
    def count(self) -> int:
        return min(self.counted, MOST)

    @cached_property
    def counted(self) -> int:
        """The count, or `MOST + 1` if there are more."""
        found: Any = self.object_list
        return int(found.order_by()[: MOST + 1].count())


class BoundedList(ChangeList):
    """A list that knows whether it was cut, and how many rows "select all" means."""

    is_cut = False
    """More rows match, or may match, than are counted here: a search or filter looked only at the
    latest texts or calls."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        paginator: Any = self.paginator
        listed: Any = self.model_admin
        self.is_cut = (
            paginator.counted > self.result_count
            or listed.is_search_cut(self.query)
            or any(getattr(spec, "is_cut", False) for spec in self.filter_specs)
        )
        self.across = min(self.result_count, AT_ONCE)
        self.is_across_cut = self.is_cut or self.across < self.result_count

    @cached_property
    def all_of_them(self) -> str:
        """The value that "select all" sends back."""
        return stamp(self.across, first_keys(self.queryset))


def first_keys(rows: QuerySet[Any]) -> list[Any]:
    """The keys of as many rows as one action takes, in the order of the list."""
    return list(rows.values_list("pk", flat=True)[:AT_ONCE])


def stamp(count: int, keys: list[Any]) -> str:
    """Identify a number of rows and their keys, regardless of order."""
    named = ",".join(sorted(map(str, keys)))
    return f"{count}-{blake2b(named.encode(), digest_size=16).hexdigest()}"


class SelectionAdmin(AdminBase):
    """A list that refuses invalid ids in a selection."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
                self.opts.pk.to_python(key)
        except ValidationError:
            raise BadRequest("The selection contains an invalid id.") from None
        return super().changelist_view(request, extra_context)


class BoundedAdmin(SelectionAdmin):
    """A list that is fast, however much is stored."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0
    conversation_path: ClassVar[str] = ""
    """The lookup path from a row to its conversation, which may be hidden."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        # only if any are hidden: otherwise the database would read rows instead of the index
        is_needed = self.conversation_path and has_hidden()
        return shown(rows, self.conversation_path) if is_needed else rows

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoundedList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow lookups of the filters, and plain comparisons. Others get a 400 response."""
        filters: Any = self.list_filter
        is_ours = any(lookup in names(spec) for spec in filters) or is_plain(self.model, lookup)
        return is_ours and super().lookup_allowed(lookup, value, request)

    def is_search_cut(self, query: str) -> bool:
        """Whether a search may miss matching rows."""
        return False

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *location: Any
    ) -> HttpResponse | None:
        """Refuse "select all" if the rows have changed since the page was shown."""
        if request.POST.get("select_across") == "1":
            keys = first_keys(queryset)
            if request.POST.get("across", now := stamp(len(keys), keys)) != now:
                complaint = "Nothing was done: the list has changed. Check it and select again."
                self.message_user(request, complaint, messages.ERROR)
                return redirect(request.get_full_path())
            queryset = queryset.filter(pk__in=keys)
        return super().response_action(request, queryset, *location)


def names(spec: Any) -> tuple[str | None, ...]:
    """The URL parameters of a filter, apart from comparisons of its column."""
    return (*getattr(spec, "names", ()), getattr(spec, "parameter_name", None))


def is_plain(model: type[Model], lookup: str) -> bool:
    """Whether a lookup compares a column of the list's own rows, other than a long text."""
    name, _, comparison = lookup.partition(LOOKUP_SEP)
    return comparison in ("", *PLAIN) and any(
        name in (column.name, column.attname)
        for column in model._meta.concrete_fields
        if not isinstance(column, TextField | JSONField)
    )


class SearchableAdmin(BoundedAdmin):
    """A list searched by ids, and by words through the index, never by scanning rows."""

    search_fields = ("pk",)
    """Makes Django show the field; `get_search_results` does the search."""
    search_help_text = "Words in titles and messages, or an id"
    has_numbers: ClassVar[bool] = False
    """Whether ids are numbers."""
    words: ClassVar[tuple[str, str]]
    """A column, and the column of the index whose values it must match."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if (known := _uuid(term)) is not None:
            return queryset.filter(self.by_uuid(known)), False
        if self.has_numbers and term.isdecimal() and len(term) < 19:
            return queryset.filter(pk=int(term)), False
        column, indexed = self.words
        return queryset.filter(**{f"{column}__in": entries(term).values(indexed)}), False

    def is_search_cut(self, query: str) -> bool:
        term = query.replace("\0", "").strip()
        if (
            not term
            or _uuid(term) is not None
            or (self.has_numbers and term.isdecimal() and len(term) < 19)
        ):
            return False
        return has_more(term)

    def by_uuid(self, known: UUID) -> Q:
        """Match rows by their id, or by the id of an object that they belong to.

        Each alternative must use an index of the table itself: a join would read all rows.
        """
        raise NotImplementedError


def _uuid(term: str) -> UUID | None:
    try:
        return UUID(term)
    except ValueError:
        return None


def entries(words: str) -> QuerySet[SearchEntry]:
    """The latest entries of the search index with these words, of all owners."""
    matching, params = search.matching(words)
    latest = f"SELECT * FROM ({matching}) found ORDER BY 1 DESC LIMIT {FOUND}"  # noqa: S608  # built by chat.search
    return SearchEntry.objects.filter(pk__in=RawSQL(latest, params))  # noqa: S611  # built above


def has_more(words: str) -> bool:
    """Whether more than `FOUND` entries contain these words."""
    matching, params = search.matching(words)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM ({matching}) found LIMIT 1 OFFSET {FOUND}", params)  # noqa: S608  # built by chat.search
        return cursor.fetchone() is not None


class ReadOnlyAdmin(BoundedAdmin):
    """Rows that must not be changed by hand."""

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Model | None:
        """Return the row for display; long texts are cut and marked."""
        row: Model | None = super().get_object(request, object_id, from_field)
        deferred = row.get_deferred_fields() if row is not None else ()
        for field in self.opts.concrete_fields:
            if isinstance(field, TextField) and field.attname not in deferred:
                text = getattr(row, field.attname, None)
                if isinstance(text, str) and len(text) > LONGEST:
                    end = _CUT.format(shown=LONGEST, all=len(text))
                    setattr(row, field.attname, text[:LONGEST] + end)
        return row

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
