"""A later export replaces an earlier import on request, unless it was continued here."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from chat import services
from chat.access.owner import local_owner
from chat.models import Conversation, Message, ToolRule, Turn
from chat.search import search
from chat.services.imports import conversation
from tests.transfer.chatgpt_samples import ID, export, node
from tests.transfer.conftest import Export, Imports
from tests.transfer.exports import FIRST, SECOND, branch, data
from tests.transfer.samples import RULE, line, sample

pytestmark = pytest.mark.django_db


# --- made anew ----------------------------------------------------------------------------------

LOSSY = {**FIRST, "a": node("q", "assistant", "First", at=2)}


def test_an_import_that_lost_words_is_replaced_only_on_request(imported: Imports) -> None:
    imported(data(LOSSY))
    services.pin(local_owner(), UUID(ID), pinned=True)
    services.entitle(local_owner(), UUID(ID), "Mine")
    said = imported(data(SECOND))
    assert said.status == 1
    assert "1 message differs from the existing copy (and 2 are new)" in said.text
    assert "(--renew)" in said.text
    said = imported(data(SECOND), renew=True)
    assert said.status == 0
    assert "0 imported, 1 replaced." in said.text
    assert branch() == ["First question", "First answer", "Second wombat", "Second answer"]
    now = Conversation.objects.get()
    assert (str(now.pk), now.title, now.pinned) == (ID, "Mine", True)
    assert search(local_owner().pk, "wombat")
    assert imported(data(SECOND), renew=True).text.count("0 imported, 1 here already")


def _says_something(conversation_id: UUID) -> None:
    services.say(local_owner(), conversation_id=conversation_id, text="x", default_model="demo")


def _ran_here(conversation_id: UUID) -> None:
    Turn.objects.update(process="a" * 32)


def _allows_a_tool(conversation_id: UUID) -> None:
    ToolRule.objects.create(conversation_id=conversation_id, tool="write_file", allow=True)


@pytest.mark.parametrize("going_on", [_says_something, _ran_here, _allows_a_tool])
def test_a_continued_conversation_is_never_replaced(
    imported: Imports, exported: Export, going_on: Any
) -> None:
    imported(data(LOSSY))
    going_on(UUID(ID))
    before = exported()
    said = imported(data(FIRST), renew=True)
    assert said.status == 1
    assert "It was continued here, so it is not replaced. Delete that one first" in said.text
    assert exported() == before


def test_an_older_file_replaces_nothing_newer(imported: Imports) -> None:
    imported(data({**SECOND, "a": LOSSY["a"]}))
    assert imported(data(FIRST), renew=True).status == 1
    assert Message.objects.count() == 4


def test_conversations_with_one_id_in_a_file_do_not_replace_each_other(imported: Imports) -> None:
    two = json.dumps([export(LOSSY), export(FIRST)]).encode()
    for _ in range(2):
        assert imported(two, renew=True).status == 1
        assert branch() == ["First question", "First"]


def test_imported_rules_do_not_count_as_continuing(imported: Imports) -> None:
    imported(line(sample("messages.1.content", "Other, longer than six.")))
    assert ToolRule.objects.get().tool == RULE["tool"]
    assert "1 replaced" in imported(line(sample()), renew=True).text


def test_a_conversation_continued_at_that_moment_is_kept(
    imported: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(data(LOSSY))
    carry_out = conversation._Run.carry_out

    def beaten(*args: Any) -> None:
        monkeypatch.undo()
        _says_something(UUID(ID))
        carry_out(*args)

    monkeypatch.setattr(conversation._Run, "carry_out", beaten)
    said = imported(data(FIRST), renew=True)
    assert said.status == 1
    assert "It was continued here, so it is not replaced" in said.text
    assert Message.objects.filter(content="x").exists()


# --- what is said, and why ----------------------------------------------------------------------


def test_an_older_export_is_reported_as_having_less(imported: Imports) -> None:
    imported(data(SECOND))
    said = imported(data(FIRST))
    assert "stays as it is: it has more messages here than in the file." in said.text
    other = {**FIRST, "a": node("q", "assistant", "Another answer", at=2)}
    said = imported(data(other), renew=True)
    assert "It has more messages here, so it is not replaced." in said.text
    assert branch()[-1] == "Second answer"


def test_an_older_export_replaces_nothing(imported: Imports) -> None:
    imported(data(FIRST, update_time=1_800_000_000))
    said = imported(data(LOSSY, update_time=1_700_000_000), renew=True)
    assert "The file's version is older, so it is not replaced." in said.text
    assert branch()[-1] == "First answer"


def test_another_conversation_without_an_id_replaces_nothing(imported: Imports) -> None:
    def nameless(answer: str, title: str, at: int) -> bytes:
        nodes = {"q": node("root", "user", "Hello"), "a": node("q", "assistant", answer)}
        more = {
            "title": title,
            "create_time": at,
            "update_time": at,
            "conversation_id": None,
            "id": None,
        }
        return data(nodes, **more)

    imported(nameless("Sun", "Holiday", 1_700_000_000))
    said = imported(nameless("Forms", "Taxes", 1_800_000_000), renew=True)
    assert "It seems to be another conversation, so it is not replaced." in said.text
    assert branch() == ["Hello", "Sun"]


def test_one_file_does_not_replace_the_imports_of_another(imported: Imports) -> None:
    said = imported(json.dumps([export(FIRST), export(LOSSY)]).encode(), renew=True)
    assert "That one came with this import, so it is not replaced." in said.text
    assert "choose to replace" not in said.text
