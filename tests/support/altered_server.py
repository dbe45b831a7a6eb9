"""`manage.py serve` with a jumping clock or altered constants, for faults that take long to appear.

    python -m tests.support.altered_server chat.turns.poller:DEAD_POLLS=3
    python -m tests.support.altered_server clock=FILE

The wall clock is off by the number of seconds in FILE, from the moment FILE exists.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import django
from django.core.management import execute_from_command_line
from django.utils import timezone


def make_jumpy(file: Path) -> None:
    """Alter the clock before importing anything of ours: defaults of models keep the clock they see."""
    real_time, real_now = time.time, timezone.now

    def offset() -> float:
        return float(file.read_text()) if file.exists() else 0.0

    def now() -> datetime:
        return real_now() + timedelta(seconds=offset())

    time.time = lambda: real_time() + offset()
    timezone.now = now


def alter(name: str, value: str) -> None:
    module, constant = name.split(":")
    setattr(importlib.import_module(module), constant, int(value))


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "talos_site.settings"
    changes = dict(argument.split("=", 1) for argument in sys.argv[1:])
    if clock := changes.pop("clock", None):
        make_jumpy(Path(clock))
    django.setup()
    for name, value in changes.items():
        alter(name, value)
    execute_from_command_line(["manage.py", "serve"])
