"""`manage.py serve`: prepare static files and the database, then serve until signalled."""

from __future__ import annotations

import gc
import socket
from argparse import ArgumentParser, ArgumentTypeError
from time import sleep
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from chat import checks
from chat.db import lanes, process
from chat.management.database import explain_errors
from chat.management.signals import StopSignals
from talos_site import static_files

GARBAGE = (5_000, 20, 50)
"""Thresholds of Python's garbage collector: objects, then collections of the younger generation."""


class Command(BaseCommand):
    help = "Serve Talos on HOST:PORT."
    requires_system_checks = ()  # run in `handle`, after the checks that need only two lines

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST, help="instead of HOST")
        parser.add_argument("--port", default=settings.PORT, type=port, help="instead of PORT")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        self.signals = StopSignals()
        self.signals.take()
        try:
            self._check(host)
            if host != settings.HOST:
                settings.ALLOWED_HOSTS.append(host)  # a host given here is meant to answer
            with bind(host, port) as listener:
                self._collect()
                # before changing the database, which another server may be using
                process.claim(settings.DATA_DIR)
                self._migrate()
                self._serve(listener)
        except process.DataDirectoryBusy as error:
            raise CommandError(str(error)) from None
        finally:
            process.release()

    def _check(self, host: str) -> None:
        for fault in (*checks.local_means_loopback(None, host=host), *checks.hosts_are_named(None)):
            raise CommandError(f"{fault.msg}\n{fault.hint}")
        self.check()
        for warning in checks.others_are_admins(None):
            self.stderr.write(f"Warning: {warning.msg}\n{warning.hint}")

    def _collect(self, tries: int = 3) -> None:
        if settings.DEBUG:
            return  # served directly from `static/`
        if (reason := static_files.find_outdated()) is None:
            return
        self.stderr.write(f"{reason} Collecting them…")
        try:
            call_command("collectstatic", interactive=False, verbosity=0)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and tries > 1:
                sleep(1)  # another starting server is collecting them too
                return self._collect(tries - 1)
            raise CommandError(
                f"The static files cannot be written to {settings.STATIC_ROOT}: {error.strerror}. "
                "As a user who may write there, run: python manage.py collectstatic --noinput"
            ) from None

    def _migrate(self) -> None:
        with explain_errors():
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                self.stderr.write("Preparing the database…")
                call_command("migrate", interactive=False, verbosity=0)

    def _serve(self, listener: socket.socket) -> None:
        # Imported late: Twisted creates its reactor at import, and other commands need none of this.
        from chat.turns import default_model, engine
        from chat.upkeep import chores
        from talos_site.server.run import Server

        from talos_site.asgi import application  # isort: skip

        for chore in (*chores.HOURLY, default_model.check):
            engine.hourly(chore)
        for chore in chores.AT_EACH_POLL:
            engine.at_each_poll(chore)
        server = Server(
            application,
            listener,
            engine,
            signals=self.signals,
            drain_seconds=settings.TALOS_DRAIN_SECONDS,
        )
        # Imported modules stay alive, so no collection needs to traverse them. Streams make little
        # garbage: with Python's own thresholds, collections took a tenth of a busy server's CPU.
        gc.freeze()
        gc.set_threshold(*GARBAGE)
        address = address_of(listener)
        try:
            server.serve(lambda: self._announce(address))
        finally:
            lanes.close()

    def _announce(self, address: str) -> None:
        self.stdout.write(f"Talos is ready at {address}")
        self.stdout.flush()


def port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= 65_535):
        raise ArgumentTypeError(f"{text!r} is not a port: use a whole number from 0 to 65535")
    return int(text)


def bind(host: str, port: int) -> socket.socket:
    """Bind a socket to the address, before anything else is touched. It does not listen yet."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind(address)
    except OSError as error:
        raise CommandError(
            f"Talos cannot listen on {host}:{port}: {error.strerror or error}. Stop what uses this "
            "port, or choose another one: PORT=8001"
        ) from None
    return listener


def address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
