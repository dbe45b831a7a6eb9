"""Typed readers of environment variables, for `settings.py` only.

A variable that is set but empty counts as unset. An invalid value raises `ImproperlyConfigured` with
the variable's name, its value (never a secret's) and what to do; `manage.py` shows only that text.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv

from chat.llm.catalogue.addresses import normalize


def load(dotenv: Path) -> Mapping[str, str]:
    """Load `.env` into the environment, which overrides it; libraries read their keys there."""
    try:
        load_dotenv(dotenv)
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{dotenv} cannot be read as UTF-8 text: {error}.") from None
    return os.environ


class Reader:
    """Reads variables from `values`."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._known: set[str] = set()

    def unknown(self, beginning: str) -> dict[str, str | None]:
        """Return variables with this prefix that were never read, each with the nearest that was."""
        length = len(beginning)  # compared without the prefix, which makes all names similar
        ours = [name[length:] for name in self._known if name.startswith(beginning)]
        unknown = [
            name
            for name in sorted(self._values)
            if name.upper().startswith(beginning) and name not in self._known
        ]
        nearest = {name: get_close_matches(name[length:].upper(), ours, 1) for name in unknown}
        return {name: beginning + found[0] if found else None for name, found in nearest.items()}

    def text(self, name: str) -> str | None:
        self._known.add(name)
        return self._values.get(name, "").strip() or None

    def address(self, name: str, *, key: str | None = None, is_used: bool = True) -> str | None:
        """Read a model server's address, corrected where the intention is clear.

        An unused one may belong to another program and is not changed. `key` is the variable of the
        server's key, or empty; set it if requests carry a key and cannot carry a password.
        """
        value = self.text(name)
        try:
            address = normalize(value) if value else None
        except ValueError as error:
            if not is_used:
                return value
            raise ImproperlyConfigured(f"{name} is not an address: {error}.") from None
        if key is not None and is_used and "@" in urlsplit(address or "").netloc:
            where = f"; put the key into {key}" if key else ""
            raise ImproperlyConfigured(
                f"{name}: Leave user name and password out of the address{where}."
            )
        return address

    def ending(self, *ends: str) -> dict[str, str]:
        """Return all variables whose names end in one of these."""
        found = {name: self.text(name) for name in self._values if name.endswith(ends)}
        return {name: value for name, value in found.items() if value is not None}

    def whole(self, name: str, default: int, *, least: int = 0, most: int = 2**31 - 1) -> int:
        number = self.whole_or_none(name, least=least, most=most)
        return default if number is None else number

    def whole_or_none(self, name: str, *, least: int = 0, most: int = 2**31 - 1) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not (value.isascii() and value.isdecimal() and least <= int(value) <= most):
            raise wrong(name, value, f"use a whole number from {least} to {most}")
        return int(value)

    def choice(self, name: str, default: str, choices: Collection[str]) -> str:
        value = self.text(name) or default
        if value not in choices:
            raise wrong(name, value, f"use one of: {', '.join(choices)}")
        return value

    def names(self, name: str, default: Collection[str]) -> list[str]:
        """Read a list separated by commas."""
        value = self.text(name)
        if value is None:
            return list(default)
        return [part for item in value.split(",") if (part := item.strip())]

    def folder(self, name: str, default: Path) -> Path:
        """Return a directory, created for this user only if it is missing."""
        path = Path(self.text(name) or default).expanduser().absolute()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            hint = f"it cannot be created ({error.strerror}); choose a writable directory"
            raise wrong(name, str(path), hint) from None
        if not os.access(path, os.W_OK | os.X_OK):
            raise wrong(name, str(path), "choose a writable directory")
        return path

    def text_or_file(self, name: str) -> str | None:
        """Read text, or the file that `@file` names."""
        value = self.text(name)
        if value is None or not value.startswith("@"):
            return value
        try:
            return Path(value[1:]).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise wrong(name, value, "the file cannot be read as UTF-8 text") from None


def wrong(name: str, value: str, hint: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} is {value!r}: {hint}.")
