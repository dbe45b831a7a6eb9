"""Shared by all tests. In a test run, settings ignore this machine's environment."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from tests.support.processes import Talos, collect_static_files

pytest_plugins = ["tests.support.conversations", "tests.support.servers", "tests.support.unsteady"]
SLOW = {"chromium", "litellm_imported", "own_server", "restored", "talos", "upgraded"}
"""Fixtures that take seconds, most because they start processes."""

# How long an example takes says nothing on a busy machine.
hypothesis.settings.register_profile("talos", deadline=None, print_blob=True)
hypothesis.settings.load_profile("talos")


# Of all that is random in the faults. In the environment: pytest-xdist's workers take it from there.
os.environ["TALOS_CHAOS_SEED"] = os.environ.get("TALOS_CHAOS_SEED") or str(secrets.randbits(32))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    seed = os.environ["TALOS_CHAOS_SEED"]
    terminalreporter.write_line(f"Faults: TALOS_CHAOS_SEED={seed} tries the same moments again.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Replace what UTF-8 cannot encode: reports travel between processes, and some tests log it."""
    report = yield
    report.sections = [
        (title, text.encode(errors="backslashreplace").decode()) for title, text in report.sections
    ]
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that take seconds, so that `make check` leaves them out."""
    for item in items:
        if SLOW.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("slow")


def pytest_unconfigure() -> None:
    shutil.rmtree(settings.DATA_DIR, ignore_errors=True)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _uncollected_static_files() -> Iterator[None]:
    """Render templates without `collectstatic`; only a real server (`talos`) needs it."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain}):
        yield


@pytest.fixture(scope="session", autouse=True)
def _threads_let_go(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Close connections of other threads: PostgreSQL drops no database that is in use."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(scope="session")
def collected() -> None:
    collect_static_files()


@pytest.fixture
def talos(tmp_path: Path, collected: None) -> Iterator[Talos]:
    """A server that a test may start: a real process on its own data directory."""
    server = Talos(tmp_path / "data")
    yield server
    server.kill()
