"""What a command says when the database does not do what it should: never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import OperationalError, ProgrammingError


@contextmanager
def explained() -> Iterator[None]:
    """Turn the database's errors into what a person can do about them."""
    try:
        yield
    except OperationalError as error:
        raise CommandError(_words(_reason(error))) from None
    except ProgrammingError as error:
        if "does not exist" not in _reason(error):  # PostgreSQL's way to say: no such table
            raise
        raise CommandError(_words(_reason(error))) from None


def _reason(error: Exception) -> str:
    return (str(error).strip() or "it does not answer").splitlines()[0]


def _words(reason: str) -> str:
    if "locked" in reason or "lock timeout" in reason:
        return (
            "The database is busy: another program has kept it to itself for more than 5 seconds. "
            "Try again in a moment."
        )
    if "no such table" in reason or "does not exist" in reason:
        return f"The database is not prepared ({reason}). Run: python manage.py migrate"
    return f"The database cannot be used: {reason}"
