"""`manage.py reference`: write docs/reference.md from the code. A test checks that it is current."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import getdoc, unwrap
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import get_resolver

from chat.slash import commands

FILE = settings.BASE_DIR / "docs" / "reference.md"


class Command(BaseCommand):
    help = "Write docs/reference.md from the code: slash commands and HTTP addresses."

    def handle(self, *args: Any, **options: Any) -> str:
        FILE.write_text(reference(), encoding="utf-8")
        return f"Wrote {FILE.relative_to(settings.BASE_DIR)}"


def reference() -> str:
    """Return the whole page."""
    parts = [
        "# Reference",
        "Written from the code by `manage.py reference`.",
        "## Slash commands",
        "Typed in the chat, or sent as the text of a `send`. Names are read in any case.",
        "\n".join(["| command | |", "|---|---|", *_commands()]),
        "## HTTP",
        "Every answer is the owner's own; what is not there, or somebody else's, is 404.",
        "\n".join(["| address | |", "|---|---|", *_addresses()]),
    ]
    return "\n\n".join(parts) + "\n"


def _commands() -> Iterator[str]:
    for command in commands.values():
        yield f"| `/{' '.join(filter(None, [command.name, command.arguments]))}` | {command.summary} |"


def _addresses() -> Iterator[str]:
    for pattern in get_resolver("chat.urls").url_patterns:
        if view := pattern.callback:
            summary = (getdoc(unwrap(view)) or "").split("\n\n")[0].replace("\n", " ")
            yield f"| `/{pattern.pattern}` | {summary} |"
