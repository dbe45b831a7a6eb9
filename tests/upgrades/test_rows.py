"""What the next version's folder will hold leaves nothing out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.db import connection, models

from chat.models import Suggestion
from tests.upgrades import rows

MODELS: list[type[models.Model]] = [
    *apps.get_app_config("chat").get_models(),
    User,
    Group,
    Session,
    LogEntry,
]


def lacking(model: type[models.Model]) -> Iterator[str]:
    found = model._base_manager.all()
    if not found.exists():
        yield f"a row of {model.__name__}"
    for field in model._meta.concrete_fields:
        for value in wanted(field) if model.__module__.startswith("chat.") else ():
            if not found.filter(**value).exists():
                yield f"a {model.__name__} with {value}"


def wanted(field: models.Field[Any, Any]) -> Iterator[Mapping[str, object]]:
    """Each kind of value that a column may have."""
    if field.choices:
        yield from ({field.attname: value} for value, _ in field.flatchoices if value)
    if isinstance(field, models.BooleanField):
        yield from ({field.attname: value} for value in (True, False))
    if field.null:
        yield from ({f"{field.attname}__isnull": value} for value in (True, False))
    if field.blank and isinstance(field, models.CharField | models.TextField):
        yield {field.attname: ""}
        yield {f"{field.attname}__gt": ""}


@pytest.mark.django_db
def test_every_kind_of_row_in_every_state_is_made() -> None:
    # a migration's own; tests that empty all tables may have come before
    Suggestion.objects.all().delete()
    Suggestion.objects.bulk_create(Suggestion(text=text) for text in ("one", "two"))
    rows.make()
    connection.check_constraints()
    found = [what for model in MODELS for what in lacking(model)]
    assert not found, f"Let tests/upgrades/rows make {', '.join(found)}"
