"""An invalid value stops the start with its name and advice; a valid one is used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from chat.db import configuration
from talos_site import clock
from talos_site.environment import Reader
from tests.support.processes import manage


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("PORT", "eighty", "whole number"),
        ("PORT", "70000", "65535"),
        ("TALOS_TIME_ZONE", "Mars/Olympus", "Europe/Paris"),
        ("TALOS_SQLITE_SYNC", "OFF", "NORMAL, FULL"),
        ("TALOS_AUTH", "none", "local"),
        ("TALOS_AUTH", "login", "not in this version"),
        ("TALOS_DRAIN_SECONDS", "-1", "whole number"),
        ("TALOS_DATA_DIR", "/proc/nowhere", "directory"),
        ("TALOS_RETENTION_DAYS", "0", "whole number from 1"),
        ("TALOS_SYSTEM_PROMPT", "@/nowhere/prompt.txt", "file"),
        ("HOST", "0.0.0.0", "SSH tunnel"),  # noqa: S104  # refused
        ("TALOS_ALLOWED_HOSTS", "*", "rebinding"),
        ("OPENAI_BASE_URL", "my server", "http://127.0.0.1:8080/v1"),
        ("OPENAI_BASE_URL", "ftp://127.0.0.1", "http://127.0.0.1:8080/v1"),
        ("OPENAI_BASE_URL", "http://127.0.0.1/v1?version=2", "leave out ?"),
        ("OLLAMA_API_BASE", "http://:80", "http://127.0.0.1:8080/v1"),
        ("OPENAI_BASE_URL", "http://me:x@127.0.0.1/v1", "put the key into OPENAI_API_KEY."),
        ("OPENAI_BASE_URL", "me@127.0.0.1/v1", "Leave user name and password out of the address;"),
        ("OLLAMA_API_BASE", "http://me:x@127.0.0.1", "Leave user name and password out"),
    ],
)
def test_an_invalid_value_stops_startup_with_its_name_and_a_hint(
    tmp_path: Path, name: str, value: str, hint: str
) -> None:
    done = manage("serve", **{"TALOS_DATA_DIR": str(tmp_path), "PORT": "0", name: value})
    assert done.returncode != 0
    assert name in done.stderr
    assert hint in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) <= 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "hunter2"),
        ("DATABASE_URL", "mysql://me:hunter2@127.0.0.1/talos"),
        ("DATABASE_URL", "postgres://me:hunter2@127.0.0.1:x/talos"),
        ("DATABASE_URL", "postgres://me:hunter2@127.0.0.1:1/talos"),
        ("OPENAI_BASE_URL", "http://me:hunter2@127.0.0.1:x/v1"),
        ("OLLAMA_API_BASE", "me:hunter2@exa mple"),
        ("OPENAI_BASE_URL", "http://me:hunter2@127.0.0.1/v1"),
        ("LM_STUDIO_API_BASE", "hunter2@127.0.0.1"),
    ],
)
def test_a_message_never_shows_a_secret(tmp_path: Path, name: str, value: str) -> None:
    done = manage("serve", **{"TALOS_DATA_DIR": str(tmp_path), "PORT": "0", name: value})
    assert done.returncode != 0
    assert done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_addresses_only_litellm_reads_are_not_changed(tmp_path: Path) -> None:
    azure = "https://ant.services.ai.azure.com/models?api-version=2024-05-01-preview"
    done = manage(
        "shell", "-v0", "-c", "from django.conf import settings; print(settings.PROVIDER_VARIABLES)",
        TALOS_DATA_DIR=str(tmp_path),
        AZURE_AI_API_BASE=azure, AZURE_AI_API_KEY="k",
        GROQ_API_BASE="127.0.0.1:8080/v1/models", GROQ_API_KEY="k",
        ANTHROPIC_API_BASE="http://me:it@gateway", ANTHROPIC_API_KEY="k",
    )  # fmt: skip
    assert f"'{azure}'" in done.stdout, done.stderr
    assert "'http://127.0.0.1:8080/v1'" in done.stdout
    assert "'http://me:it@gateway'" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_secret_key_counts_as_unset(tmp_path: Path, empty: str) -> None:
    done = manage("check", TALOS_DATA_DIR=str(tmp_path), SECRET_KEY=empty)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "secret_key").exists()


def test_addresses_of_other_programs_are_not_changed() -> None:
    env = Reader({"SITE_API_BASE": "/api", "X_API_BASE": "localhost:80/v1/models"})
    assert env.address("SITE_API_BASE", is_used=False) == "/api"
    assert env.address("X_API_BASE", is_used=False) == "http://localhost:80/v1"
    with pytest.raises(ImproperlyConfigured, match="SITE_API_BASE"):
        env.address("SITE_API_BASE")


def test_a_password_in_an_address_is_refused_only_where_it_cannot_be_sent() -> None:
    env = Reader({"X_API_BASE": "http://me:hunter2@gateway/v1"})
    assert env.address("X_API_BASE") == "http://me:hunter2@gateway/v1"
    assert env.address("X_API_BASE", key="X_API_KEY", is_used=False)
    with pytest.raises(ImproperlyConfigured, match="put the key into X_API_KEY") as refused:
        env.address("X_API_BASE", key="X_API_KEY")
    assert "hunter2" not in str(refused.value)


def test_an_empty_value_counts_as_unset() -> None:
    env = Reader({"PORT": "", "NAME": "  "})
    assert env.whole("PORT", 8000) == 8000
    assert env.text("NAME") is None


def test_unknown_variables_are_listed_with_the_probable_name() -> None:
    env = Reader({"TALOS_TOLS": "a", "TALOS_TOOLS": "b", "talos_tools": "c", "TALOS_X": "d"})
    env.names("TALOS_TOOLS", ())
    assert env.unknown("TALOS_") == {
        "TALOS_TOLS": "TALOS_TOOLS",
        "TALOS_X": None,
        "talos_tools": "TALOS_TOOLS",
    }


def test_lists_are_separated_by_commas() -> None:
    assert Reader({"HOSTS": "a, b,,"}).names("HOSTS", ()) == ["a", "b"]


def test_a_prompt_can_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "prompt.txt"
    file.write_text("Be brief.\n", encoding="utf-8")
    assert Reader({"P": f"@{file}"}).text_or_file("P") == "Be brief."
    assert Reader({"P": "Be kind."}).text_or_file("P") == "Be kind."


def test_a_test_run_ignores_this_machines_settings() -> None:
    assert settings.OPENAI_API_KEY is None
    assert settings.DATA_DIR != settings.BASE_DIR / "data"


def test_postgresql_is_configured_by_url() -> None:
    found = configuration.postgresql(
        "postgresql://me:p%40ss@db.example:5433/my%20chats?sslmode=require"
    )
    assert (found["NAME"], found["USER"], found["PASSWORD"]) == ("my chats", "me", "p@ss")
    assert (found["HOST"], found["PORT"]) == ("db.example", "5433")
    assert found["OPTIONS"]["sslmode"] == "require"


def test_a_postgresql_url_names_a_database() -> None:
    with pytest.raises(ImproperlyConfigured, match="names no database"):
        configuration.postgresql("postgres://127.0.0.1:5432/")


@pytest.mark.parametrize(
    ("source", "content", "zone"),
    [
        ("_timezone_file", "Europe/Madrid", "Europe/Madrid"),
        ("_localtime_link", "Asia/Tokyo", "Asia/Tokyo"),
        ("_localtime_link", "../../etc/passwd", "UTC"),
        ("_timezone_file", "", "UTC"),
    ],
)
def test_the_time_zone_defaults_to_the_machines(
    monkeypatch: pytest.MonkeyPatch, source: str, content: str, zone: str
) -> None:
    monkeypatch.delenv("TZ", raising=False)
    nothing: Callable[[], Any] = lambda: ""  # noqa: E731
    for name in ("_timezone_file", "_localtime_link"):
        monkeypatch.setattr(clock, name, nothing)
    monkeypatch.setattr(clock, source, lambda: content)
    assert clock.of_this_machine() == zone
