"""The normal settings, with nothing from this machine's environment except the database."""

from __future__ import annotations

import os
import tempfile

OURS = ("CHROMIUM", "TALOS_CHAOS_SEED", "TALOS_SOAK_SECONDS")
"""Variables for the tests themselves."""
READ = ("HOST", "PORT", "SECRET_KEY", "REDIS_URL", "TALOS_", "OPENAI_")

for name in list(os.environ):
    is_read = name.startswith(READ) or name.endswith(("_API_KEY", "_API_BASE"))
    if is_read and name not in OURS:
        del os.environ[name]
os.environ |= {
    "PYTHON_DOTENV_DISABLED": "1",
    "TALOS_DATA_DIR": tempfile.mkdtemp(prefix="talos-tests-"),
    "TALOS_LOCAL_MODELS": "0",
}

from talos_site.settings import *  # noqa: E402, F403  (the environment had to be cleared first)

UNKNOWN_VARIABLES.clear()  # noqa: F405  # ours are among them
