"""Limits on the chat's own queries do not stop the update of a large PostgreSQL database."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.models.signals import pre_migrate

LIMITS = ("statement_timeout", "idle_in_transaction_session_timeout")


def limits() -> list[Any]:
    with connection.cursor() as cursor:
        return [cursor.execute(f"SHOW {name}").fetchone()[0] for name in LIMITS]


@pytest.mark.django_db(transaction=True)
def test_migrations_may_take_their_time_and_the_limits_are_back_afterwards() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL only")
    during: list[list[Any]] = []

    def look(**_: object) -> None:
        during.append(limits())

    chat = apps.get_app_config("chat")
    pre_migrate.connect(look, sender=chat)
    try:
        call_command("migrate", verbosity=0)
    finally:
        pre_migrate.disconnect(look, sender=chat)
    assert during == [["0", "0"]]
    assert limits() == ["10s", "10s"]
