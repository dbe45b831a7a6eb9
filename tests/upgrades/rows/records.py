"""Users, and rows besides the conversations."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from chat.access.owner import local_owner
from chat.models import (
    Audit,
    Conversation,
    ImportJob,
    ModelPreference,
    Notice,
    Preference,
    ProviderConnection,
    Suggestion,
)
from chat.protocol import (
    ConversationChanged,
    ConversationChangedData,
    ConversationDeleted,
    ConversationDeletedData,
    Frame,
    TitleChanged,
    TitleData,
)
from tests.upgrades.rows.talk import BEGIN, PROCESS, key


def users() -> tuple[User, User]:
    """The owner, and a staff user with one right of their own and one from a group."""
    owner = local_owner()
    User.objects.update(date_joined=BEGIN, last_login=BEGIN, password="!of-the-owner")
    other = User.objects.create(
        username="grâce", first_name="Grace", email="grace@example.org", is_staff=True,
        date_joined=BEGIN, password="!of-grace",
    )  # fmt: skip
    group = Group.objects.create(name="Readers")
    group.permissions.add(Permission.objects.get(codename="view_message"))
    other.groups.add(group)
    other.user_permissions.add(Permission.objects.get(codename="view_conversation"))
    return owner, other


def make(owner: User, other: User) -> None:
    Preference.objects.create(owner=owner, system_prompt="Be brief, and say “I don't know”.")
    Preference.objects.create(owner=other)
    ModelPreference.objects.create(owner=owner, model="demo")
    ModelPreference.objects.create(owner=owner, model="gemma2:2b", offers_tools=False)
    ProviderConnection.objects.create(
        provider="openai", address="http://127.0.0.1:8080/v1", updated_at=BEGIN
    )
    ProviderConnection.objects.create(provider="groq", sealed_key="sealed", updated_at=BEGIN)
    _suggestions()
    _notices(owner)
    _audits(owner)
    _imports(owner)
    _hidden(owner)
    _log(owner)
    Session.objects.create(
        session_key="0123456789abcdefghijklmnopqrstuv",
        session_data=SessionStore().encode({"kept": "of a session"}),
        expire_date=BEGIN + timedelta(days=3650),
    )


def _suggestions() -> None:
    first, second = Suggestion.objects.all()[:2]
    Suggestion.objects.filter(pk=first.pk).update(text="Explique-moi ça", position=7)
    Suggestion.objects.filter(pk=second.pk).update(is_shown=False)
    Suggestion.objects.create(text="今日は何をしますか", position=1)


def _notices(owner: User) -> None:
    seen, gone = key("seen"), key("deleted")
    title = TitleChanged(data=TitleData(session_id=str(seen), title="Seen"))
    changed = ConversationChanged(data=ConversationChangedData(session_id=str(seen)))
    deleted = ConversationDeleted(data=ConversationDeletedData(session_id=str(gone)))
    written: list[tuple[Frame, dict[str, object]]] = [
        (title, {}),
        (changed, {"conversation_id": seen, "process": PROCESS}),
        (deleted, {"gone": gone}),
    ]
    for number, (frame, fields) in enumerate(written):
        Notice.objects.create(
            owner=owner, frame=frame.model_dump_json(exclude_none=True),
            created_at=BEGIN + timedelta(seconds=number), **fields,
        )  # fmt: skip


def _audits(owner: User) -> None:
    for number, source in enumerate(Audit.Source):
        by = owner if source in (Audit.Source.ADMIN, Audit.Source.PAGE) else None
        Audit.objects.create(
            action=("prune", "import")[number % 2], source=source, by=by,
            operator="root (sudo by grâce)" if source == Audit.Source.COMMAND else "",
            summary=f"Conversations: {number}.", created_at=BEGIN + timedelta(hours=number),
        )  # fmt: skip


def _imports(owner: User) -> None:
    for number, status in enumerate(ImportJob.Status):
        ImportJob.objects.create(
            id=key(f"import {status}"), owner=owner, name="größe.jsonl", size=1000, renew=number == 1, status=status,
            attempts=number, cancel_requested=status == "cancelled", read=900, looked_at=3,
            counts={"imported": 2, "": 1}, summary="2 imported, 1 empty" if number else "", has_faults=status == "failed",
            complaint="The disk of the server is full." if status == "failed" else "",
            report=[["größe.jsonl, line 1: it is empty.", False]], more=number,
            created_at=BEGIN + timedelta(hours=number), ended_at=None if number < 2 else BEGIN,
        )  # fmt: skip


def _hidden(owner: User) -> None:
    for hidden in filter(None, Conversation.Hidden.values):
        Conversation.objects.create(
            id=key(hidden), owner=owner, hidden=hidden, created_at=BEGIN, updated_at=BEGIN
        )


def _log(owner: User) -> None:
    kind = ContentType.objects.get_for_model(Conversation)
    for number, flag in enumerate((ADDITION, CHANGE, DELETION)):
        LogEntry.objects.create(
            user=owner, content_type=kind, object_id=str(key("long")), object_repr="Long",
            action_flag=flag, change_message="Archived.", action_time=BEGIN + timedelta(days=number),
        )  # fmt: skip
