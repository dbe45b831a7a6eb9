"""This version reads the archive of every earlier one, as docs/archive.md promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from tests.upgrades.kept import ARCHIVE, FOLDER, UNFINISHED, archive, conversations


def at_rest(conversation: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Return what an import must not change; for an unfinished answer, that excludes turn and calls."""
    open_ones = {
        m["id"] for m in before["messages"] if (m["turn"] or {}).get("status") in UNFINISHED
    }
    settled = {"turn": None, "calls": None}
    messages = [
        {**message, **settled} if message["id"] in open_ones else message
        for message in conversation["messages"]
    ]
    return {**conversation, "messages": messages}


@pytest.mark.django_db(transaction=True)
def test_all_conversations_are_imported_unchanged(version: str, tmp_path: Path) -> None:
    before = conversations(archive(version))
    for name in {conversation["owner"] for conversation in before.values()}:
        User.objects.create(username=name)
    call_command("import_history", str(FOLDER / version / ARCHIVE), keep_owners=True)
    (number,) = {conversation["version"] for conversation in before.values()}
    call_command("export_history", output=str(tmp_path / "now.jsonl"), format_version=number)
    now = conversations((tmp_path / "now.jsonl").read_bytes())
    assert list(now) == list(before)
    for key, conversation in before.items():
        assert at_rest(now[key], conversation) == at_rest(conversation, conversation)
