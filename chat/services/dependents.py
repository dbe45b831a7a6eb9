"""Tables whose rows belong to a message or a conversation, derived from the models' foreign keys."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from django.db.models import (
    CASCADE,
    BinaryField,
    ForeignKey,
    JSONField,
    ManyToOneRel,
    Model,
    TextField,
)

from chat.models import Conversation, Message


class Dependent(NamedTuple):
    """A table, and which of its rows belong to some messages or to a conversation."""

    table: str
    where: str
    """A condition with one `{}`, which stands for the keys of those that the rows belong to."""
    texts: tuple[str, ...]
    """The columns that make a row large."""


@cache
def of_messages() -> tuple[Dependent, ...]:
    """What is deleted with messages, in an order that foreign keys allow."""
    return tuple(_below(Message, "{}"))


@cache
def of_conversation() -> tuple[Dependent, ...]:
    """What is deleted with a conversation once its messages are gone, in the same order."""
    return tuple(
        dependent
        for key in cascading_keys(Conversation)
        if key.model is not Message and not _goes_with_a_message(key.model)
        for dependent in _at(key, "{}")
    )


def cascading_keys(model: type[Model]) -> list[ForeignKey[Any, Any]]:
    """The foreign keys to a model whose rows are deleted with it."""
    fields = model._meta.get_fields(include_hidden=True)
    relations = (field for field in fields if isinstance(field, ManyToOneRel))
    return [relation.field for relation in relations if relation.on_delete is CASCADE]


def _goes_with_a_message(model: type[Model]) -> bool:
    """Whether every row of the model belongs to a message."""
    return any(key.model is model and not key.null for key in cascading_keys(Message))


def _below(model: type[Model], keys: str) -> Iterator[Dependent]:
    for key in cascading_keys(model):
        yield from _at(key, keys)


def _at(key: ForeignKey[Any, Any], keys: str) -> Iterator[Dependent]:
    """The rows that a foreign key leads to, after everything that refers to them."""
    meta = key.model._meta
    where = f"{key.column} IN ({keys})"
    yield from _below(key.model, f"SELECT id FROM {meta.db_table} WHERE {where}")  # noqa: S608  # our own names
    large = TextField, JSONField, BinaryField
    texts = tuple(str(field.column) for field in meta.concrete_fields if isinstance(field, large))
    yield Dependent(meta.db_table, where, texts or ("id",))
