"""On PostgreSQL, the commands that `backup` and `restore` print work exactly as printed."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from chat.db import configuration
from chat.models import Message, ProviderConnection
from tests.support.databases import empty_database
from tests.support.histories import make

if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    pytest.skip("PostgreSQL only", allow_module_level=True)


def named_by(command: str, file: Path) -> list[str]:
    """Return the command line that one of our commands prints."""
    with pytest.raises(CommandError) as refused:
        call_command(command, str(file))
    (line,) = [text for text in str(refused.value).splitlines() if text.startswith("  pg_")]
    return shlex.split(line)


@pytest.mark.django_db(transaction=True)
def test_a_round_trip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(3)
    ProviderConnection.objects.create(provider="groq", sealed_key="sealed")
    file = tmp_path / "it's a dump"
    subprocess.run(named_by("backup", file), check=True)
    with empty_database() as new:
        monkeypatch.setitem(settings.DATABASES, "default", configuration.postgresql(new))
        subprocess.run(named_by("restore", file), check=True)
        with psycopg.connect(new) as database:
            (messages,) = database.execute("SELECT count(*) FROM chat_message").fetchone() or [0]
            rows = database.execute("SELECT count(*) FROM chat_providerconnection").fetchone()
    assert rows == (0,)
    assert messages == Message.objects.count() == 12
