"""A later export of an existing conversation: new messages are added, changes made here stay."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from chat import services
from chat.access.owner import local_owner
from chat.models import Conversation, Message, Notice
from chat.search import search
from chat.services import steps
from chat.services.imports import conversation, growth
from chat.services.steps import Work
from chat.transfer.archive.format import ArchivedConversation
from tests.transfer.chatgpt_samples import ID
from tests.transfer.conftest import Export, Imports
from tests.transfer.exports import FIRST, SECOND, branch, data
from tests.transfer.samples import ANSWER, OTHER, QUESTION, A, Q, line, sample

pytestmark = pytest.mark.django_db

LATER = "2027-05-06T07:08:09.000001Z"


def test_new_messages_are_added_and_the_branch_follows(imported: Imports) -> None:
    imported(data(FIRST))
    said = imported(data(SECOND, title="Renamed", update_time=1_800_000_000))
    assert said.status == 0
    assert f"“Renamed” ({ID}): 2 new messages." in said.text
    assert "0 imported, 1 updated." in said.text
    assert branch() == ["First question", "First answer", "Second wombat", "Second answer"]
    now = Conversation.objects.get()
    assert (now.title, now.updated_at.timestamp()) == ("Renamed", 1_800_000_000)
    assert search(local_owner().pk, "wombat")
    assert search(local_owner().pk, "renamed")
    assert imported(data(SECOND, title="Renamed")).text.endswith("0 imported, 1 here already.\n")
    assert imported(data(FIRST, title="Renamed")).status == 0
    assert Message.objects.count() == 4


def test_an_open_page_is_told(imported: Imports) -> None:
    imported(data(FIRST))
    Notice.objects.all().delete()
    imported(data(SECOND))
    frames = " ".join(Notice.objects.values_list("frame", flat=True))
    assert '"branch"' in frames
    assert "conversation_changed" in frames


def test_the_branch_continued_here_stays_current(imported: Imports) -> None:
    imported(data(FIRST))
    services.say(local_owner(), conversation_id=UUID(ID), text="Mine", default_model="demo")
    mine = branch()
    said = imported(data(SECOND))
    assert said.status == 0
    assert "2 new messages. It was continued here, so its current branch stays." in said.text
    assert branch() == mine
    assert Message.objects.count() == 6
    second = Message.objects.get(content="Second wombat")
    assert second.parent
    assert second.parent.content == "First answer"


def test_settings_made_here_are_kept(imported: Imports) -> None:
    imported(data(FIRST))
    owner = local_owner()
    services.entitle(owner, UUID(ID), "My own title")
    services.pin(owner, UUID(ID), pinned=True)
    services.configure(owner, UUID(ID), instructions="Be brief.")
    assert imported(data(SECOND, title="Renamed")).status == 0
    now = Conversation.objects.get()
    assert (now.title, now.pinned, now.instructions) == ("My own title", True, "Be brief.")


def test_an_archive_grows_with_calls_and_all(imported: Imports, exported: Export) -> None:
    first = sample()
    later = sample() | {"leaf": (second := str(uuid4())), "updated_at": LATER}
    question = {**QUESTION, "id": OTHER, "parent": A, "client_id": None}
    turn = {**ANSWER["turn"], "client_id": None}
    answer = {**ANSWER, "id": second, "parent": OTHER, "content": "More of them.", "turn": turn}
    later["messages"] += sorted((question, answer), key=lambda message: str(message["id"]))
    imported(line(first))
    assert "2 new messages" in imported(line(later)).text
    now = json.loads(exported())
    assert now["leaf"] == second
    by_id = {message["id"]: message for message in now["messages"]}
    assert by_id[second] == answer
    assert by_id[OTHER] == question
    assert imported(line(later)).text.endswith("0 imported, 1 here already.\n")


def test_a_copy_with_other_ids_grows_too(imported: Imports) -> None:
    imported(data(FIRST))
    User.objects.create(username="ada")
    assert "it got a new one" in imported(data(FIRST), user="ada").text
    assert "2 new messages" in imported(data(SECOND), user="ada").text
    assert Message.objects.count() == 6


def _least(work: Work) -> float | None:
    """Do only the work between two `yield`s in a step."""
    with transaction.atomic():
        return next((0.0 for _ in work), None)


@pytest.mark.parametrize("is_little", [True, False])
def test_an_interrupted_import_adds_nothing_and_the_next_one_everything(
    imported: Imports, monkeypatch: pytest.MonkeyPatch, is_little: bool
) -> None:
    imported(data(FIRST))
    before = Conversation.objects.get().updated_at
    monkeypatch.setattr(steps, "ROWS", 1)
    monkeypatch.setattr(conversation, "step", _least)
    monkeypatch.setattr(conversation, "is_small", lambda new: is_little)
    for module in (conversation, growth):
        monkeypatch.setattr(module, "show", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        imported(data(SECOND))
    here = Conversation.objects.get()
    assert branch() == ["First question", "First answer"]
    assert Message.objects.filter(conversation=here).count() == 2
    assert here.updated_at == before
    assert not search(local_owner().pk, "wombat")
    monkeypatch.undo()
    assert "2 new messages." in imported(data(SECOND)).text
    assert branch()[-1] == "Second answer"
    assert search(local_owner().pk, "wombat")
    assert Conversation.hidden_too.count() == 1


def test_a_conversation_deleted_while_it_grows_is_imported_whole(
    imported: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(data(FIRST))

    def clear(archived: ArchivedConversation) -> None:
        monkeypatch.undo()
        services.delete(local_owner(), UUID(ID))

    monkeypatch.setattr(conversation, "is_small", lambda new: False)
    monkeypatch.setattr(conversation, "_clear_the_way", clear)
    assert "1 imported" in imported(data(SECOND)).text
    assert len(branch()) == 4
    assert Conversation.hidden_too.count() == 1


def test_a_message_is_stored_after_its_parent_whatever_their_times(
    imported: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "ROWS", 1)
    imported(line(sample()))
    later = sample() | {"leaf": OTHER}
    between = str(uuid4())
    later["messages"] = [
        {**QUESTION, "id": OTHER, "parent": between, "client_id": None, "created_at": "2020-01-01T00:00:00.000000Z"},
        *later["messages"],
        {**ANSWER, "id": between, "parent": Q, "created_at": LATER},
    ]  # fmt: skip
    assert "2 new messages" in imported(line(later)).text
