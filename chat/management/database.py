"""What a command says when the database does not do what it should: never a traceback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError, InterfaceError

from chat.db import reasons, versions
from chat.db.lanes import notes


@contextmanager
def explained(*, is_there: bool = True, so_far: Callable[[], str] = lambda: "") -> Iterator[None]:
    """Turn the database's errors into what a person can do about them, and say what was done `so_far`.

    A database that `is_there` and was upgraded by a newer version is refused.
    """
    try:
        if is_there:
            versions.refuse_newer()
        yield
    except (DatabaseError, InterfaceError) as error:
        if (words := reasons.explained(error)) is None:
            raise
        raise CommandError(" ".join((words, *notes(error), so_far())).rstrip()) from None
