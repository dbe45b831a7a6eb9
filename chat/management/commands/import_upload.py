"""`manage.py import_upload`: what the server runs for each file of its import page."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand

from chat.management.database import explained
from chat.management.stopping import Stop
from chat.services.imports import jobs


class Command(BaseCommand):
    help = (
        "Import a file that was uploaded on the page, or go on with it. The server runs this by "
        "itself: a process of its own takes no time from the chat, and gives its memory back."
    )
    requires_system_checks = ()  # the server has run them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job", type=UUID, help="the id, as in the page's address")

    def handle(self, *args: Any, **options: Any) -> None:
        with explained(), Stop() as stop:
            jobs.run(options["job"], stopped=lambda: stop.asked)
