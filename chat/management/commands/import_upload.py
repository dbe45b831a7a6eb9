"""`manage.py import_upload`: run by the server for each file uploaded on the import page."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand

from chat.management.database import explain_errors
from chat.management.stopping import Stop
from chat.services.imports import jobs


class Command(BaseCommand):
    help = (
        "Import an uploaded file, or continue its import. The server runs this command itself, so "
        "that an import takes no time from the chat and its memory is freed."
    )
    requires_system_checks = ()  # the server has run the checks

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job", type=UUID, help="the id in the import page's address")

    def handle(self, *args: Any, **options: Any) -> None:
        with explain_errors(), Stop() as stop:
            jobs.run(options["job"], is_stopped=lambda: stop.is_asked)
