"""`manage.py export_history`: what is exported, and with what in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from chat.access.owner import local_owner
from chat.models import Conversation, Message, OpaquePart, Piece, Turn
from chat.transfer.archive import rows
from chat.transfer.archive.encoders import moment
from tests.support import histories
from tests.support.conversations import talk
from tests.transfer.conftest import Export, Imports
from tests.transfer.samples import first_version, line, sample, titles

pytestmark = pytest.mark.django_db


# --- which ones ---------------------------------------------------------------------------------


def test_all_with_messages_are_exported_oldest_first(exported: Export) -> None:
    histories.make(3, messages=1)
    Conversation.objects.create(owner=local_owner(), title="Empty")
    assert titles(exported()) == ["Chat 2", "Chat 1", "Chat 0"]


def test_one_or_some_by_id(exported: Export) -> None:
    made = histories.make(3, messages=1)
    assert titles(exported(id=[str(made[1].pk)])) == ["Chat 1"]
    assert titles(exported(id=[str(made[0].pk), made[2].pk.hex])) == ["Chat 2", "Chat 0"]
    for unknown in (str(uuid4()), "x", ""):
        with pytest.raises(CommandError, match=r"no conversation|not a conversation"):
            exported(id=[unknown])


def test_only_one_users(exported: Export) -> None:
    ada = User.objects.create(username="ada")
    histories.make(1, messages=1, owner=ada)
    talk(local_owner(), "Hi", title="Mine")
    assert titles(exported(user="ada")) == ["Chat 0"]
    assert titles(exported(user="owner")) == ["Mine"]
    with pytest.raises(CommandError, match="no user 'nobody'"):
        exported(user="nobody")


def test_a_period_is_of_days_in_which_they_were_last_used(exported: Export) -> None:
    for day in (1, 2, 3):
        (made,) = histories.make(1, messages=1)
        used = datetime(2026, 5, day, 12, tzinfo=UTC)
        Conversation.objects.filter(pk=made.pk).update(updated_at=used, title=f"Day {day}")
    assert set(titles(exported(since="2026-05-02"))) == {"Day 2", "Day 3"}
    assert set(titles(exported(until="2026-05-02"))) == {"Day 1", "Day 2"}
    assert titles(exported(since="2026-05-02", until="2026-05-02")) == ["Day 2"]
    assert titles(exported(since="2026-05-01T13:00Z", until="2026-05-02T12:00+00:00")) == []
    for wrong in ("yesterday", "2026-02-30", "9999-12-31"):
        with pytest.raises(CommandError, match="not a date"):
            exported(until=wrong)


def test_archived_or_not(exported: Export) -> None:
    talk(local_owner(), "Hi", title="Here")
    talk(local_owner(), "Hi", title="Away")
    Conversation.objects.filter(title="Away").update(archived=True)
    assert titles(exported(archived=True)) == ["Away"]
    assert titles(exported(archived=False)) == ["Here"]
    assert len(titles(exported())) == 2


# --- what is in it ------------------------------------------------------------------------------


@pytest.mark.promise(3)
def test_a_live_answer_is_written_as_far_as_it_is(exported: Export) -> None:
    talk(local_owner(), "Hi", "")
    Turn.objects.update(status="running")
    Piece.objects.create(turn=Turn.objects.get(), seq=2, text="Half of ")
    Piece.objects.create(turn=Turn.objects.get(), seq=3, text="it")
    Piece.objects.create(turn=Turn.objects.get(), seq=3, text="Hm.", thought=1)
    answer = json.loads(exported())["messages"][1]
    assert (answer["content"], answer["reasoning"]) == ("Half of it", "Hm.")
    assert answer["turn"]["status"] == "running"


def test_the_same_rows_make_the_same_bytes_however_much_is_read_at_once(
    exported: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = histories.make(5, messages=9)
    Message.objects.update(created_at=made[0].created_at)  # then the id says
    whole = exported()
    for name, value in [("CHARACTERS", 1), ("CHARACTERS", 450), ("MESSAGES", 2)]:
        with monkeypatch.context() as patch:
            patch.setattr(rows, f"GROUP_{name}", value)
            patch.setattr(rows, "GROUP_IDS", 4)
            assert exported() == whole


def test_only_a_part_of_a_long_conversation_is_held_in_memory() -> None:
    (made,) = histories.make(1, messages=60, text="x" * 100_000)
    (stored,) = rows.conversations([made.pk])
    assert stored.is_long
    assert not any("content" in said for said in stored.outline)
    assert sum(len(message["content"]) for message in stored.load(stored.outline)) == 6_000_000


def test_opaque_parts_count_as_text() -> None:
    (made,) = histories.make(1, messages=4)
    answers = Message.objects.filter(conversation=made, role="assistant")
    OpaquePart.objects.bulk_create(
        OpaquePart(message=answer, round=0, kind="k", source="s", data="x" * 2_000_000)
        for answer in answers
    )
    (stored,) = rows.conversations([made.pk])
    assert stored.is_long
    assert sum(message["size"] for message in stored.outline) > 4_000_000
    assert [len(message["opaque"]) for message in stored.load(stored.outline)] == [0, 1, 0, 1]


def test_times_are_in_utc_with_microseconds() -> None:
    assert moment(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000000Z"


def test_json_holds_the_same_objects_in_one_document(exported: Export) -> None:
    histories.make(3)
    lines = [json.loads(line) for line in exported(format="jsonl").splitlines()]
    document = json.loads(exported(format="json"))
    assert document == {"format": "talos-history", "version": 2, "conversations": lines}


@pytest.mark.parametrize(
    ("form", "empty"),
    [
        ("jsonl", b""),
        ("json", b'{"format":"talos-history","version":2,"conversations":[\n\n]}\n'),
        ("markdown", b""),
    ],
)
def test_an_empty_export(exported: Export, form: str, empty: bytes) -> None:
    assert exported(format=form) == empty


# --- in version 1 -------------------------------------------------------------------------------


def test_version_1_reports_what_it_leaves_out(imported: Imports, exported: Export) -> None:
    imported(line(sample()))
    err = StringIO()
    assert exported(format_version=1, stderr=err) == line(first_version(sample()))
    assert err.getvalue() == (
        "Left out, because version 1 has no keys for them: 1 tool setting, 1 error detail, 1 note, "
        "1 context size, 1 context window, 3 opaque parts\n"
    )
    document = exported(format="json", format_version=1, stderr=err)
    head, conversation, _ = document.split(b"\n", 2)
    assert head == b'{"format":"talos-history","version":1,"conversations":['
    assert conversation + b"\n" == line(first_version(sample()))


def test_nothing_is_reported_if_nothing_is_left_out(imported: Imports, exported: Export) -> None:
    imported(line(first_version(sample())))
    err = StringIO()
    assert exported(format_version=1, stderr=err) == line(first_version(sample()))
    assert err.getvalue() == ""


def test_what_a_stream_leaves_out_is_reported_on_stderr(imported: Imports) -> None:
    imported(line(sample()))
    out, err = StringIO(), StringIO()
    call_command("export_history", format_version=1, stdout=out, stderr=err)
    assert out.getvalue().encode() == line(first_version(sample()))
    assert "3 opaque parts" in err.getvalue()


def test_markdown_has_no_versions(exported: Export) -> None:
    with pytest.raises(CommandError, match="Markdown has no versions"):
        exported(format="markdown", format_version=1)
