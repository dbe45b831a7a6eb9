"""`manage.py import_history`: conversations and ids that exist already."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from django.contrib.auth.models import User

from chat import services
from chat.access.owner import local_owner
from chat.models import Conversation, Message, Turn
from tests.support.conversations import talk
from tests.transfer.conftest import Export, Imports
from tests.transfer.samples import ANSWER, OPAQUE, OTHER, QUESTION, TURN, A, C, Q, line, sample

pytestmark = pytest.mark.django_db


def test_a_conversation_continued_here_is_kept_without_a_fault(
    imported: Imports, exported: Export
) -> None:
    imported(line(sample()))
    services.say(local_owner(), conversation_id=UUID(C), text="And now?", default_model="demo")
    before = exported()
    said = imported(line(sample()))
    assert said.status == 0
    assert (
        f"a.jsonl, line 1: “Ants” ({C}): it is here already and stays as it is: it was continued here."
        in said.text
    )
    assert exported() == before


def test_a_title_or_pin_set_here_is_kept_without_a_fault(imported: Imports) -> None:
    imported(line(sample()))
    services.entitle(local_owner(), UUID(C), "Mine")
    services.pin(local_owner(), UUID(C), pinned=True)
    said = imported(line(sample()))
    assert said.status == 0
    assert "its title and pin differ here" in said.text
    assert Conversation.objects.get().title == "Mine"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"messages": [QUESTION, {**ANSWER, "content": "Three."}]}, "1 message differs"),
        ({"messages": [QUESTION, {**ANSWER, "turn": {**TURN, "model": "x"}}]}, "1 message differs"),
        ({"messages": [QUESTION, {**ANSWER, "calls": [], "opaque": []}]}, "1 message differs"),
        ({"messages": [QUESTION, {**ANSWER, "opaque": OPAQUE[:2]}]}, "1 message differs"),
        ({"messages": [QUESTION, {**ANSWER, "opaque": OPAQUE[::-1]}]}, "1 message differs"),
        ({"messages": [QUESTION, {**ANSWER, "turn": {**TURN, "error_details": "x"}}]}, "1 message differs"),
        ({"messages": [QUESTION, {**ANSWER, "content": "Three."}, {**QUESTION, "id": OTHER, "client_id": None}]}, "(and 1 are new)"),
        ({"messages": [{**QUESTION, "id": OTHER}], "leaf": OTHER}, "the existing copy has none of its messages"),
    ],
)  # fmt: skip
def test_a_different_conversation_is_skipped_and_reported(
    imported: Imports, exported: Export, change: dict[str, object], words: str
) -> None:
    imported(line(sample()))
    before = exported()
    said = imported(line({**sample(), **change}))
    assert said.status == 1
    assert words in said.text
    assert f"a.jsonl, line 1: “Ants” ({C}):" in said.text
    assert "Delete that one first" in said.text or "(--renew)" in said.text
    assert exported() == before


def test_an_answer_that_ended_after_its_export_is_the_same(
    imported: Imports, exported: Export
) -> None:
    talk(local_owner(), "Hi", "")
    Turn.objects.update(status="running")
    live = exported()
    Turn.objects.update(status="completed")
    Message.objects.filter(role="assistant").update(content="Done.")
    assert imported(live).status == 0
    assert Message.objects.get(role="assistant").content == "Done."


def test_an_id_of_another_user_is_replaced(imported: Imports, exported: Export) -> None:
    imported(line(sample()))
    User.objects.create(username="ada")
    said = imported(line(sample()), user="ada")
    assert said.status == 0
    assert "its id is taken here, so it got a new one" in said.text
    theirs = Conversation.objects.get(owner__username="ada")
    assert str(theirs.pk) in said.text
    assert str(theirs.pk) != C
    copy = json.loads(exported(user="ada"))
    assert {m["id"] for m in copy["messages"]}.isdisjoint({Q, A})
    by_role = {message["role"]: message for message in copy["messages"]}
    assert by_role["assistant"]["parent"] == by_role["user"]["id"]
    assert copy["leaf"] == by_role["assistant"]["id"]
    assert exported(user="owner") == line(sample())
    assert imported(line(sample()), user="ada").text.endswith("0 imported, 1 here already.\n")


def test_a_message_id_used_elsewhere_is_replaced(imported: Imports, exported: Export) -> None:
    imported(line(sample()))
    assert imported(line(sample("id", OTHER))).status == 0
    assert imported(line(sample("id", OTHER))).text.endswith("0 imported, 1 here already.\n")
    assert Conversation.objects.count() == 2
    assert Message.objects.count() == 4
    first, second = (json.loads(found) for found in exported().splitlines())
    assert [m["content"] for m in first["messages"]] == [m["content"] for m in second["messages"]]


def test_a_client_id_that_is_in_use_stays_with_its_first(imported: Imports) -> None:
    """A repeated send must find its own message."""
    said = services.say(
        local_owner(), conversation_id=UUID(OTHER), text="x", default_model="demo", ask=services.Ask(client_id="k1"), begins=True
    )  # fmt: skip
    imported(line(sample()))
    again = services.say(
        local_owner(),
        conversation_id=UUID(OTHER),
        text="x",
        default_model="demo",
        ask=services.Ask(client_id="k1"),
    )
    assert (again.is_new, again.question.pk) == (False, said.question.pk)
    assert Message.objects.get(pk=Q).client_id is None
    assert imported(line(sample())).status == 0
