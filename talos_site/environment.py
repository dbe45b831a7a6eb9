"""Typed readers of the environment, for `settings.py` only.

A variable that is set but empty counts as unset. Nonsense raises `ImproperlyConfigured` with the
variable's name, its value (never a secret's) and what to do; `manage.py` shows that text alone.
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
    """The environment, over the `.env` file, which also reaches libraries that read keys there."""
    try:
        load_dotenv(dotenv)
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{dotenv} cannot be read as UTF-8 text: {error}.") from None
    return os.environ


class Reader:
    """Reads variables out of `values`."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._asked_for: set[str] = set()

    def unknown(self, beginning: str) -> dict[str, str | None]:
        """Variables that begin so and were never asked for, each with the nearest that was."""
        length = len(beginning)  # compared without: what all have in common makes none alike
        ours = [name[length:] for name in self._asked_for if name.startswith(beginning)]
        unknown = [
            name
            for name in sorted(self._values)
            if name.upper().startswith(beginning) and name not in self._asked_for
        ]
        nearest = {name: get_close_matches(name[length:].upper(), ours, 1) for name in unknown}
        return {name: beginning + found[0] if found else None for name, found in nearest.items()}

    def text(self, name: str) -> str | None:
        self._asked_for.add(name)
        return self._values.get(name, "").strip() or None

    def address(self, name: str, *, key: str | None = None, is_used: bool = True) -> str | None:
        """A model server's address, mended where it is clear what is meant.

        One that is not used may be another program's, and is left as it is. `key`: the variable
        of its key, or empty, where requests are signed with a key and can carry no password.
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
        """All variables whose names end in one of these."""
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
        """A list with commas between its items."""
        value = self.text(name)
        if value is None:
            return list(default)
        return [part for item in value.split(",") if (part := item.strip())]

    def folder(self, name: str, default: Path) -> Path:
        """A directory, made if it is missing, for this user's eyes only."""
        path = Path(self.text(name) or default).expanduser().absolute()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            hint = f"it cannot be made ({error.strerror}); choose a directory that you may write"
            raise wrong(name, str(path), hint) from None
        if not os.access(path, os.W_OK | os.X_OK):
            raise wrong(name, str(path), "choose a directory that you may write")
        return path

    def text_or_file(self, name: str) -> str | None:
        """Text, or the content of the file that `@file` names."""
        value = self.text(name)
        if value is None or not value.startswith("@"):
            return value
        try:
            return Path(value[1:]).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise wrong(name, value, "the file cannot be read as UTF-8 text") from None


def wrong(name: str, value: str, hint: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} is {value!r}: {hint}.")
