"""Which providers are configured: by the environment, then in the browser.

Values only. The environment takes precedence: of a provider that it names, a connection changes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from chat.llm.catalogue import providers
from chat.llm.failures.failures import Names

SERVER = "openai"
"""The connection of the configured server: OpenAI, or any that speaks its protocol."""
_KEY, _ADDRESS = "the key under Settings", "the address under Settings"
_LOCAL = {"ollama": "OLLAMA_API_BASE", "lm_studio": "LM_STUDIO_API_BASE"}


@dataclass(frozen=True, slots=True)
class Connection:
    """A provider as a person connected it."""

    provider: str
    """As in `providers.py`."""
    address: str = ""
    """Empty: the provider's own."""
    key: str = field(default="", repr=False)
    """Empty: it needs none. `providers.UNREADABLE`: it needs one, which is lost."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a catalogue is made from."""

    url: str | None = None
    """Of the configured server; None with a key: OpenAI."""
    key: str | None = field(default=None, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The other providers' keys and addresses, by LiteLLM's names."""
    names: Mapping[str, Names] = field(default_factory=dict)
    """What a person is to check of a provider that was connected; of others, their variables."""

    def set_by(self, provider: str) -> str | None:
        """The variable that names this provider, if one does."""
        if provider == SERVER:
            if self.url:
                return "OPENAI_BASE_URL"
            return "OPENAI_API_KEY" if self.key else None
        return next((name for name in _deciding(provider) if self.variables.get(name)), None)

    def joined_by(self, connections: Iterable[Connection]) -> Configuration:
        """With the connections of providers that are not named here."""
        joined = self
        for connection in connections:
            if self.set_by(connection.provider) is None:
                joined = joined._with(connection)
        return joined

    def _with(self, connection: Connection) -> Configuration:
        if connection.provider == SERVER:
            names = {**self.names, SERVER: Names(_KEY, _ADDRESS)}
            url, key = connection.address or None, connection.key or None
            return replace(self, url=url, key=key, names=names)
        key, base = _variables(connection.provider)
        address = base if base in self.variables else _ADDRESS
        names = {**self.names, connection.provider: Names(_KEY, address)}
        own = {base: connection.address} if connection.address else {}
        if key and connection.key:
            own[key] = connection.key
        return replace(self, variables={**own, **self.variables}, names=names)


def from_settings() -> Configuration:
    """What the environment alone says."""
    from django.conf import settings

    return Configuration(
        settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY, settings.PROVIDER_VARIABLES
    )


def _deciding(provider: str) -> tuple[str, ...]:
    """The variables of which one is enough."""
    return (_LOCAL[provider],) if provider in _LOCAL else providers.named(provider).keys


def _variables(provider: str) -> tuple[str | None, str]:
    """Of the key, if it has one, and of the address."""
    if provider in _LOCAL:
        return None, _LOCAL[provider]
    known = providers.named(provider)
    return known.keys[0], known.base
