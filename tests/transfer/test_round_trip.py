"""Export, import into an empty database, export: the same bytes, on and between all databases."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chat.access.owner import local_owner
from chat.models import Audit, Conversation, Message, ToolCall, ToolRule, Turn
from chat.services.imports.plan import Outcome
from chat.services.imports.run import Import
from chat.transfer.archive import rows, writing
from chat.transfer.archive.encoders import JsonDocument, JsonLines
from chat.transfer.selection import Ids, Selection
from tests.support.processes import manage
from tests.transfer import drawn
from tests.transfer.drawn import Drawn, histories

pytestmark = pytest.mark.django_db(transaction=True)
EXAMPLES = 12 if connection.vendor == "postgresql" else 30
whatever = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))


def exported(encoder: type[JsonLines] = JsonLines) -> bytes:
    return b"".join(chunk for _, chunk in writing.together(Ids(Selection()), encoder()))


def imported(data: bytes, owner: User | None = None) -> Import:
    run = Import(owner or local_owner(), lambda name: None, source=Audit.Source.COMMAND)
    for report in run.file(BytesIO(data), "a file"):
        assert report.outcome is not Outcome.SKIPPED, report
    run.finish("a file")
    return run


@pytest.mark.slow
@whatever
@given(histories(), st.sampled_from([JsonLines, JsonDocument]), st.sampled_from([1, 50, 2**21]))
def test_finished_conversations_come_back_to_the_byte(
    history: list[Drawn], encoder: type[JsonLines], held: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "GROUP_CHARACTERS", held)
        drawn.clear()
        drawn.store(history, local_owner())
        first = exported(encoder)
        drawn.clear()
        assert imported(first).counts == {Outcome.IMPORTED: len(history)}
        assert exported(encoder) == first
        again = imported(first)
        assert again.counts == {Outcome.PRESENT: len(history)}
        assert exported(encoder) == first


@whatever
@given(histories(live=True))
def test_unfinished_answers_are_interrupted_and_then_unchanged(history: list[Drawn]) -> None:
    drawn.clear()
    drawn.store(history, local_owner())
    first = exported()
    drawn.clear()
    imported(first)
    assert not Turn.objects.unfinished().exists()
    assert not ToolCall.objects.filter(status__in=ToolCall.OPEN).exists()
    assert not ToolRule.objects.filter(imported=False).exists()
    second = exported()
    texts = [
        [(m["id"], m["content"]) for m in json.loads(line)["messages"]]
        for line in first.splitlines()
    ]
    assert texts == [
        [(m["id"], m["content"]) for m in json.loads(line)["messages"]]
        for line in second.splitlines()
    ]
    assert imported(first).counts == {Outcome.PRESENT: len(history)}
    drawn.clear()
    imported(second)
    assert exported() == second


@whatever
@given(histories(live=True))
def test_another_user_gets_one_copy_of_their_own(history: list[Drawn]) -> None:
    drawn.clear()
    drawn.store(history, local_owner())
    first = exported()
    ada, _ = User.objects.get_or_create(username="ada")
    assert imported(first, ada).counts == {Outcome.IMPORTED: len(history)}
    assert imported(first, ada).counts == {Outcome.PRESENT: len(history)}
    assert Conversation.objects.of(ada).count() == len(history)
    assert Message.objects.filter(owner=ada).count() == sum(len(one.messages) for one in history)
    mine = Ids(Selection(owner=local_owner()))
    assert b"".join(chunk for _, chunk in writing.together(mine, JsonLines())) == first


@pytest.mark.skipif(connection.vendor != "postgresql", reason="it takes both databases")
@settings(
    max_examples=1, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(histories=st.lists(histories(), min_size=6, max_size=6))
def test_a_file_moves_from_one_database_to_the_other_and_back(
    tmp_path: Path, histories: list[list[Drawn]]
) -> None:
    drawn.clear()
    for history in histories:
        drawn.store(history, local_owner())
    archive = exported()
    (first := tmp_path / "from-postgresql.jsonl").write_bytes(archive)
    second = tmp_path / "from-sqlite.jsonl"
    data = {"TALOS_DATA_DIR": str(tmp_path / "sqlite")}
    for command in (
        ("migrate", "--verbosity=0"),
        ("import_history", str(first)),
        ("export_history", f"--output={second}", "--force"),
    ):
        done = manage(*command, **data)
        assert done.returncode == 0, done.stderr
    assert second.read_bytes() == archive
    drawn.clear()
    imported(second.read_bytes())
    assert exported() == archive
