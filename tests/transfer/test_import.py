"""`manage.py import_history`: its effect on conversations, and its report."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from chat import services
from chat.access.owner import local_owner
from chat.models import Audit, Conversation, Message, Notice, ToolCall, ToolRule, Turn
from chat.search import search
from tests.support.databases import fresh_database
from tests.support.processes import environment, manage
from tests.transfer.conftest import Export, Imports
from tests.transfer.samples import OTHER, QUESTION, C, first_version, line, sample

pytestmark = pytest.mark.django_db


# --- there and back -----------------------------------------------------------------------------


def test_an_archive_comes_back_as_it_was(imported: Imports, exported: Export) -> None:
    assert imported(line(sample())) == (0, "Import of a.jsonl: 1 imported.\n")
    assert exported() == line(sample())


def test_an_archive_of_version_1_is_imported_with_defaults(
    imported: Imports, exported: Export
) -> None:
    assert imported(line(first_version(sample()))).text == "Import of a.jsonl: 1 imported.\n"
    (now,) = map(json.loads, exported().splitlines())
    turn = now["messages"][1]["turn"]
    assert (now["version"], now["offers_tools"], now["messages"][1]["opaque"]) == (2, True, [])
    assert (turn["error_details"], turn["note"], turn["context_window"]) == ("", "", None)
    assert first_version(now) == first_version(sample())


def test_one_file_may_have_lines_of_both_versions(imported: Imports) -> None:
    other = {**sample(), "id": OTHER, "messages": [{**QUESTION, "id": OTHER}], "leaf": OTHER}
    assert imported(line(first_version(sample())) + line(other)).text.endswith(": 2 imported.\n")
    document = {"format": "talos-history", "version": 2}
    document["conversations"] = [first_version(sample()), other]
    assert imported(json.dumps(document).encode()).text.endswith("0 imported, 2 here already.\n")


def test_a_file_of_version_1_matches_a_conversation_with_newer_keys(
    imported: Imports, exported: Export
) -> None:
    imported(line(sample()))
    said = imported(line(first_version(sample())))
    assert said == (0, "Import of a.jsonl: 0 imported, 1 here already.\n")
    assert exported() == line(sample())


def test_a_file_of_version_2_with_more_details_is_skipped_and_reported(
    imported: Imports,
) -> None:
    imported(line(first_version(sample())))
    said = imported(line(sample()))
    assert said.status == 1
    assert "1 message differs from the existing copy" in said.text


def test_a_different_tool_setting_here_is_kept_without_a_fault(imported: Imports) -> None:
    imported(line(sample()))
    said = imported(line(sample("offers_tools", True)))
    assert said.status == 0
    assert "its use of tools differs here" in said.text


def test_json_in_any_layout_is_read(imported: Imports, exported: Export) -> None:
    one, two = (
        sample(),
        {**sample(), "id": OTHER, "messages": [{**QUESTION, "id": OTHER}], "leaf": OTHER},
    )
    document = {"format": "talos-history", "version": 2, "conversations": [one, two]}
    last = {"conversations": [one, two], "format": "talos-history", "version": 1}
    for text in (
        json.dumps(document),
        json.dumps(document, indent=4),
        json.dumps(last, indent="\t"),
        json.dumps([one, two]),
        json.dumps([one, two], indent=1).replace("\n", "\r\n"),
        json.dumps(one, indent=2) + "\n\n" + json.dumps(two, indent=2),
        "\ufeff" + json.dumps(one) + "\r\n\r\n" + json.dumps(two),
    ):
        assert imported(text.encode()).status == 0
        assert Conversation.objects.count() == 2, text
        for conversation in Conversation.objects.all():
            services.delete(local_owner(), conversation.pk)


def test_twice_makes_no_duplicates(imported: Imports) -> None:
    imported(line(sample()))
    assert imported(line(sample())) == (0, "Import of a.jsonl: 0 imported, 1 here already.\n")
    said = imported(line(sample()) * 2)
    assert said == (0, "Import of a.jsonl: 0 imported, 2 here already.\n")
    assert Message.objects.count() == 2


def test_imported_conversations_are_found(imported: Imports) -> None:
    imported(line(sample()))
    for words in ("quadrillion", "many ants", "Ants"):
        assert search(local_owner().pk, words)


# --- owners --------------------------------------------------------------------------------------


def test_all_conversations_go_to_the_local_owner(imported: Imports) -> None:
    assert imported(line(sample("owner", "ada"))).status == 0
    assert Conversation.objects.get().owner == local_owner()


def test_owners_can_be_one_user_or_those_in_the_file(imported: Imports) -> None:
    ada = User.objects.create(username="ada")
    assert imported(line(sample("owner", "ada")), keep_owners=True).status == 0
    assert Conversation.objects.get().owner == ada
    assert imported(line({**sample("owner", "eve"), "id": OTHER}), keep_owners=True).status == 1
    said = imported(line(sample("owner", "eve")), keep_owners=True)
    assert "there is no user 'eve' here" in said.text
    assert imported(line(sample()), user="nobody") == (
        1, "There is no user 'nobody': the admin lists them at /admin/auth/user/.",
    )  # fmt: skip


def test_a_decision_keeps_its_user_if_known_here(imported: Imports) -> None:
    ada = User.objects.create(username="ada")
    for by, known in [("ada", ada), ("eve", None), ("owner", local_owner())]:
        imported(line(sample("messages.1.calls.0.decided_by", by)))
        assert ToolCall.objects.get().decided_by == known
        assert ToolCall.objects.get().decided_from == "page"
        services.delete(local_owner(), UUID(C))


# --- nothing imported acts ----------------------------------------------------------------------


@pytest.mark.parametrize("status", ["queued", "running", "waiting"])
@pytest.mark.parametrize(
    ("call", "becomes"), [("pending", "failed"), ("approved", "failed"), ("running", "unknown")]
)
def test_nothing_imported_runs_or_waits(
    imported: Imports, status: str, call: str, becomes: str
) -> None:
    made = sample("messages.1.turn.status", status)
    made["messages"][1]["calls"][0] |= {"status": call, "result": "", "ended_at": None}
    assert imported(line(made)).status == 0
    assert Turn.objects.get().status == "interrupted"
    stored = ToolCall.objects.get()
    assert stored.status == becomes
    assert "exported" in stored.result
    assert stored.ended_at is not None


def test_a_pending_call_of_a_finished_answer_is_closed(imported: Imports) -> None:
    imported(line(sample("messages.1.calls.0.status", "pending")))
    assert not ToolCall.objects.pending().exists()
    assert imported(line(sample("messages.1.calls.0.status", "pending"))).status == 0


def test_an_imported_rule_allows_nothing(imported: Imports) -> None:
    imported(line(sample()))
    rule = ToolRule.objects.get()
    assert rule.allow
    assert rule.imported


# --- what is said and kept of it ----------------------------------------------------------------


def test_a_dry_run_reports_the_same_and_writes_nothing(imported: Imports) -> None:
    broken = line(sample("seq", -1))
    said = imported(line(sample()) * 2 + broken, dry_run=True)
    assert said.status == 1
    assert "1 would be imported, 1 here already, 1 skipped" in said.text
    assert "line 3" in said.text
    assert not Conversation.objects.exists()
    assert not Audit.objects.exists()


def test_one_broken_line_spoils_no_other(imported: Imports) -> None:
    other = {**sample(), "id": OTHER, "messages": [{**QUESTION, "id": OTHER}], "leaf": OTHER}
    said = imported(line(sample()) + b'{"format": nonsense}\n' + line(other))
    assert said.status == 1
    assert "Skipped: a.jsonl, line 2: it is not JSON" in said.text
    assert "2 imported, 1 skipped" in said.text
    assert Conversation.objects.count() == 2


def test_an_import_is_recorded_and_open_pages_are_told(imported: Imports) -> None:
    imported(line(sample()) + b"{}\n")
    audit = Audit.objects.get()
    assert (audit.action, audit.source, audit.by) == ("import", "command", None)
    assert audit.summary.endswith("a.jsonl: 1 imported, 1 skipped.")
    assert C in Notice.objects.get().frame


def test_a_conversation_is_imported_whole_or_not_at_all(
    imported: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise IntegrityError

    monkeypatch.setattr(ToolRule.objects, "bulk_create", fail)
    said = imported(line(sample()))
    assert said.status == 1
    assert not Conversation.hidden_too.exists()
    assert not Message.objects.exists()
    assert "ids of its messages are taken" in said.text


def test_several_files_and_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(line(sample()))
    out = StringIO()
    with pytest.raises(CommandError, match=r"1 imported, 2 skipped"):
        call_command(
            "import_history",
            str(tmp_path / "a"),
            str(tmp_path / "b"),
            str(tmp_path),
            stdout=out,
            stderr=out,
        )
    assert f"{tmp_path / 'b'}: No such file" in out.getvalue()
    assert "Is a directory" in out.getvalue()
    assert Conversation.objects.count() == 1


# --- as a process -------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_pipe_between_two_databases(tmp_path: Path) -> None:
    with fresh_database(tmp_path / "data") as variables:
        own = {"TALOS_DATA_DIR": str(tmp_path / "data"), **variables}
        done = subprocess.run(
            [sys.executable, "manage.py", "import_history", "-"],
            input=line(sample()) + b'{"cut',
            cwd=settings.BASE_DIR,
            env=environment(**own),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 1
        assert done.stdout == b""
        assert b"-, line 2: the file ends in the middle of it" in done.stderr
        assert b"Import of -: 1 imported, 1 skipped." in done.stderr
        assert manage("export_history", **own).stdout.encode() == line(sample())
