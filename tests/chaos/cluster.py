"""A PostgreSQL server for one test, which can be stopped, killed and restarted."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

OPTIONS = "-c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=60"

WRITES = "-c default_transaction_read_only=off"
"""The option for a test's own sessions, which write whatever the default is."""


def programs() -> Path | None:
    """Find `initdb` and `pg_ctl`."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    found_all = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found_all[-1].parent if found_all else None


def why_not() -> str | None:
    """Return what is missing on this machine."""
    if programs() is None:
        return "initdb is not installed"
    if os.geteuid() == 0 and not _has_user("postgres"):
        return "PostgreSQL does not run as root, and there is no user postgres"
    return None


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


class Cluster:
    """One server, on a free port."""

    def __init__(self, home: Path, port: int) -> None:
        self._data = home / "data"
        self._home = home
        self.port = port
        self.url = f"postgres://postgres@127.0.0.1:{port}/postgres"

    def make(self) -> None:
        self._run("initdb", "-D", self._data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "-N")

    def start(self) -> None:
        options = f"{OPTIONS} -c port={self.port} -k {self._home}"
        log = self._home / "log"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", log, "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: `fast` ends all sessions, `immediate` is like a crash."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", mode, "stop")

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True, options=WRITES) as connection:
            connection.execute(statement.encode())

    def break_off(self) -> None:
        """End all sessions."""
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = 'postgres' AND pid <> pg_backend_pid()"
        )

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Make all sessions that begin inside the block read-only."""
        self.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
        self.break_off()
        try:
            yield
        finally:
            self.execute("ALTER DATABASE postgres RESET default_transaction_read_only")
            self.break_off()

    def _run(self, program: str, *arguments: object) -> None:
        folder = programs()
        assert folder is not None
        subprocess.run(
            [folder / program, *map(str, arguments)],
            user="postgres" if os.geteuid() == 0 else None,
            cwd=self._home,
            check=True,
            capture_output=True,
            timeout=60,
        )


@contextmanager
def cluster() -> Iterator[Cluster]:
    home = Path(tempfile.mkdtemp(prefix="talos-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Cluster(home, port)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(home, ignore_errors=True)
