#!/usr/bin/env python3
"""Talos's command line: `manage.py help` lists the commands."""

from __future__ import annotations

import os
import sys

from chat.management.signals import CommandSignals

if __name__ == "__main__":
    signals = CommandSignals()  # before the rest is imported, which takes its time
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "talos_site.settings")

    from chat.management.command_line import run

    sys.exit(run(sys.argv, signals))
