"""Messages to the operator from real processes: one sentence, and no secrets."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError

from chat.db import configuration, reasons
from tests.site.operators import place, postgresql_only, sqlite_only
from tests.support.processes import Talos, manage

__all__ = ["place"]  # a fixture
pytestmark = pytest.mark.slow


# --- the database's reason ----------------------------------------------------------------------


@postgresql_only
@pytest.mark.parametrize("command", ["serve", "approvals", "migrate"])
@pytest.mark.parametrize(
    ("user", "rest", "words"),
    [
        ("nobody_here", "{name}", ['role "nobody_here" does not exist', "createuser"]),
        ("{user}", "no_such_one", ['database "no_such_one" does not exist', "createdb"]),
        ("{user}", "{name}?sslmode=require", ["SSL", "sslmode"]),
        ("{user}", "{name}?sslmode=bogus", ['"bogus"', "sslmode"]),
        ("{user}", "{name}?options=-c%20odd%3D1", ['parameter "odd"', "after the ?"]),
    ],
)
def test_postgresqls_reason_is_reported_with_advice(
    tmp_path: Path, collected: None, command: str, user: str, rest: str, words: list[str]
) -> None:
    database = settings.DATABASES["default"]
    names = {"user": database["USER"], "name": "postgres"}
    host = f"{database['HOST']}:{database['PORT'] or 5432}"
    url = f"postgres://{user.format(**names)}:hunter%402@{host}/{rest.format(**names)}"
    done = manage(command, TALOS_DATA_DIR=str(tmp_path), PORT="0", DATABASE_URL=url)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "hunter" not in done.stderr
    for part in ["The database cannot be used", *words]:
        assert part.replace("after", "follows") in done.stderr or part in done.stderr


@pytest.mark.parametrize("command", ["serve", "approvals", "export_history", "migrate"])
def test_an_unreachable_database_server_is_named(
    tmp_path: Path, collected: None, command: str
) -> None:
    url = "postgres://me:hunter2@127.0.0.1:1/talos"
    done = manage(command, TALOS_DATA_DIR=str(tmp_path), PORT="0", DATABASE_URL=url)
    assert done.returncode == 1
    for part in ("127.0.0.1", "port 1", "Connection refused", "Start PostgreSQL"):
        assert part in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgres://me:hunt/er2@db.example/talos", "%2F"),
        ("postgres://me:12/hunter2@db.example/talos", "%2F"),
        ("postgres://me:12#hunter2@db.example/talos", "%23"),
        ("postgres://me:12?hunter2@db.example/talos", "%3F"),
        ("postgres://me:hunter2@db.example/talos?sslmod=require", "did you mean sslmode?"),
        ("postgres://me:hunter2@db.example/talos?pool=5", "'pool'"),
    ],
)
def test_an_invalid_address_is_refused_without_printing_it(
    tmp_path: Path, url: str, words: str
) -> None:
    done = manage("approvals", TALOS_DATA_DIR=str(tmp_path), DATABASE_URL=url)
    assert done.returncode == 1
    assert words in done.stderr
    assert "er2" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_reason_never_contains_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    database = configuration.postgresql("postgres://me:p%40ss%2Fw%20d@db.example/talos")
    monkeypatch.setattr(settings, "DATABASES", {"default": database})
    for said in ("p@ss/w d", "p%40ss%2Fw%20d", "p%40ss/w%20d", "p%40ss%2Fw+d"):
        told = reasons.reason(OperationalError(f'FATAL: "{said}" at postgres://me:{said}@db/talos'))
        assert "ss" not in told
        assert told.startswith('FATAL: "***"')


def test_an_unreadable_file_is_named_with_its_owner(tmp_path: Path, collected: None) -> None:
    (tmp_path / "talos.sqlite3").symlink_to(tmp_path / "nowhere" / "talos.sqlite3")
    for command in ("serve", "approvals", "migrate"):
        done = manage(command, TALOS_DATA_DIR=str(tmp_path), PORT="0")
        assert done.returncode == 1
        assert f"{tmp_path}/talos.sqlite3 (no such file or directory)" in done.stderr
        assert f"{tmp_path} (owner {tmp_path.owner()}, drwx------)" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_file_that_is_no_database_is_explained(tmp_path: Path, collected: None) -> None:
    (tmp_path / "talos.sqlite3").write_text("something else " * 100)
    for command in ("serve", "approvals", "migrate"):
        done = manage(command, TALOS_DATA_DIR=str(tmp_path), PORT="0")
        assert done.returncode == 1
        assert "file is not a database" in done.stderr
        assert "Traceback" not in done.stderr


@sqlite_only
def test_no_command_works_on_a_database_of_a_newer_version(tmp_path: Path, place: Path) -> None:
    (tmp_path / "talos.sqlite3").write_bytes((place / "talos.sqlite3").read_bytes())
    with closing(sqlite3.connect(tmp_path / "talos.sqlite3")) as database, database:
        database.execute(
            "INSERT INTO django_migrations VALUES (999, 'chat', '0999_x', '2030-01-01')"
        )
    for command in (
        ("export_history",), ("import_history", "/dev/null"), ("approvals",),
        ("prune_history", "--older-than", "1d"), ("migrate", "-v0"),
    ):  # fmt: skip
        done = manage(*command, TALOS_DATA_DIR=str(tmp_path))
        assert done.returncode == 1, command
        assert "does not know chat.0999_x" in done.stderr
        assert done.stdout == ""


# --- settings -----------------------------------------------------------------------------------


def test_an_unknown_variable_causes_only_a_warning(talos: Talos) -> None:
    talos.start(TALOS_DATADIR="/x", TALOS_ZZZ="1", TALOS_APPROVAL_DAYS="3")
    status, errors = talos.stop()
    assert status == 0
    assert "TALOS_DATADIR is set, but there is no such variable" in errors
    assert "Did you mean TALOS_DATA_DIR?" in errors
    assert "TALOS_ZZZ is set" in errors
    assert "APPROVAL" not in errors


def test_an_unavailable_default_model_causes_a_warning(talos: Talos) -> None:
    talos.start(TALOS_DEFAULT_MODEL="demmo")
    line = talos.said("20")
    assert "TALOS_DEFAULT_MODEL names 'demmo', which nothing here offers" in line
    assert "Did you mean demo?" in line


def test_own_host_names_stay_allowed_and_others_cause_a_warning(talos: Talos) -> None:
    address = talos.start(TALOS_ALLOWED_HOSTS="talos.example.com")
    for host, status in [
        ("127.0.0.1", "200"),
        ("localhost", "200"),
        ("talos.example.com", "200"),
        ("x.example.com", "400"),
    ]:
        asked = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Host: {host}"]
        assert subprocess.check_output([*asked, f"{address}/healthz"], text=True) == status
    errors = talos.stop()[1]
    assert "TALOS_ALLOWED_HOSTS has talos.example.com: anyone who reaches this server" in errors
    assert "is the owner and the admin" in errors
