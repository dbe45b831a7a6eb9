"""Providers connected in the browser. A key is entered once, and no page ever shows it again."""

from __future__ import annotations

from dataclasses import dataclass

from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from chat import connections
from chat.access.owner import may_connect
from chat.connections import sealing
from chat.errors import NotAllowed
from chat.llm.catalogue import configuration, connectable, trial
from chat.llm.catalogue.connectable import Connectable
from chat.models import ProviderConnection


@dataclass(frozen=True, slots=True)
class Connected:
    """A provider in use, or one that could be if its key were entered again."""

    provider: Connectable
    address: str
    """Empty: the provider's own."""
    variable: str | None
    """The environment variable that sets it, and takes precedence over what is stored."""
    is_stored: bool
    has_key: bool
    is_readable: bool


def list_connected() -> list[Connected]:
    """List the providers that the environment sets or that are stored, in the table's order."""
    rows = {row.provider: row for row in ProviderConnection.objects.all()}
    environment = configuration.from_settings()
    found = []
    for provider in dict.fromkeys(known.provider for known in connectable.CONNECTABLE):
        row, variable = rows.get(provider), environment.set_by(provider)
        if row is None and variable is None:
            continue
        address = row.address if row and not variable else ""
        known = connectable.of(provider, has_address=bool(environment.url if variable else address))
        has_key = bool(row and row.sealed_key)
        is_readable = row is None or sealing.unseal(row.sealed_key) is not None
        found.append(Connected(known, address, variable, row is not None, has_key, is_readable))
    return found


@transaction.atomic
def connect(user: User, *, provider: Connectable, address: str, key: str) -> None:
    """Use a provider from now on. An empty key means the stored one, if the address is the same.

    Raises `NotAllowed`.
    """
    _check(user, provider)
    stored = ProviderConnection.objects.select_for_update().filter(provider=provider.provider)
    key = _key(provider, stored.first(), address, key)
    # not `save`: another process may store the first one meanwhile
    ProviderConnection.objects.update_or_create(
        {"sealed_key": sealing.seal(key), "address": address, "updated_at": timezone.now()},
        provider=provider.provider,
    )
    transaction.on_commit(connections.refresh, robust=True)


@transaction.atomic
def disconnect(user: User, *, provider: str) -> None:
    """Delete a provider with its key. Raises `NotAllowed`."""
    _check_person(user)
    ProviderConnection.objects.filter(provider=provider).delete()
    transaction.on_commit(connections.refresh, robust=True)


def models_of(user: User, *, provider: Connectable, address: str, key: str) -> list[str]:
    """List a provider's models, with the key and address that `connect` would use. Stores nothing.

    Raises `NotAllowed`, and `ModelError` with the reason.
    """
    _check(user, provider)
    row = ProviderConnection.objects.filter(provider=provider.provider).first()
    key = _key(provider, row, address, key)
    return async_to_sync(trial.models_of)(provider, address, key)


def _key(provider: Connectable, row: ProviderConnection | None, address: str, entered: str) -> str:
    """Return the entered key, else the stored one, which is never used for another address."""
    key = entered
    if not key and row is not None and row.address == address:
        key = sealing.unseal(row.sealed_key) or ""
    if provider.needs_key and not key:
        raise NotAllowed(f"Enter your {provider.name} API key.")
    return key


def _check(user: User, provider: Connectable) -> None:
    _check_person(user)
    if variable := configuration.from_settings().set_by(provider.provider):
        raise NotAllowed(
            f"{provider.name} is set by {variable} in the environment. Change it there."
        )


def _check_person(user: User) -> None:
    if not may_connect(user):
        raise NotAllowed("Only staff may connect models.")
