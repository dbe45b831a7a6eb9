"""A deletion finds its tables by the models' foreign keys, also those that a later version adds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models

from chat import services
from chat.access.owner import local_owner
from chat.models import Conversation, Message, ToolCall, Turn
from chat.services import dependents, hidden
from chat.services.imports.conversation import import_conversation
from chat.transfer.archive.format import ArchivedConversation
from tests.transfer.samples import line, long_one

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[Conversation, Message, Turn])
def new_model(request: pytest.FixtureRequest) -> Iterator[type[models.Model]]:
    """A model that a later version might add: each of its rows belongs to a row of another one."""
    parent = request.param
    meta = type("Meta", (), {"app_label": "chat", "db_table": "chat_attached"})
    key = models.ForeignKey(parent, on_delete=models.CASCADE, related_name="+")
    attached: Any = type(
        "Attached", (models.Model,), {"__module__": __name__, "Meta": meta, "parent": key}
    )
    _forget_relations()
    with connection.schema_editor() as editor:
        editor.create_model(attached)
    yield attached
    with connection.schema_editor() as editor:
        editor.delete_model(attached)
    del apps.all_models["chat"]["attached"]
    _forget_relations()


def _forget_relations() -> None:
    apps.clear_cache()
    dependents.of_messages.cache_clear()
    dependents.of_conversation.cache_clear()


@pytest.mark.parametrize("messages", [2, 600])
def test_a_deletion_includes_the_rows_of_a_new_model(new_model: Any, messages: int) -> None:
    whole = ArchivedConversation.model_validate_json(line(long_one(messages)))
    import_conversation(local_owner(), whole, find_user=lambda _: None)
    parents = new_model._meta.get_field("parent").related_model._base_manager.all()
    new_model.objects.bulk_create(new_model(parent=parent) for parent in parents)
    assert new_model.objects.exists()
    services.delete(local_owner(), whole.id)
    for conversation_id, _ in hidden.list_hidden():
        hidden.finish_all([conversation_id])
    assert not new_model.objects.exists()
    assert not Conversation.hidden_too.exists()


def test_each_key_that_does_not_cascade_is_cleared_by_hand() -> None:
    """A row may refer to a deleted one only if the deletion knows of that."""
    cleared = {(Message, "parent"), (Conversation, "leaf")}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if field.related_model in (Conversation, Message, Turn, ToolCall):
                is_cascading = field in dependents.cascading_keys(field.related_model)
                assert is_cascading or (model, field.name) in cleared, field
