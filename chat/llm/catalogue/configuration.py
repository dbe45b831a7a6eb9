"""The configured providers: those from the environment, then those connected in the browser.

Values only. The environment takes precedence: a connection cannot change a provider that it names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from chat.llm.catalogue import providers
from chat.llm.failures.errors import Names

SERVER = "openai"
"""The id of the configured server's connection: OpenAI, or any server that speaks its protocol."""
_KEY, _ADDRESS = "the key under Settings", "the address under Settings"
_LOCAL = {"ollama": "OLLAMA_API_BASE", "lm_studio": "LM_STUDIO_API_BASE"}


@dataclass(frozen=True, slots=True)
class Connection:
    """A provider connected in the browser."""

    provider: str
    """An id from `providers.py`."""
    address: str = ""
    """Empty for the provider's default."""
    key: str = field(default="", repr=False)
    """Empty if none is needed; `providers.UNREADABLE` if the stored key is lost."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The input for building a catalogue."""

    url: str | None = None
    """The configured server's address; None with a key means OpenAI."""
    key: str | None = field(default=None, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The other providers' keys and addresses, by LiteLLM's variable names."""
    names: Mapping[str, Names] = field(default_factory=dict)
    """The settings to check for each connected provider; other providers have their variables."""

    def set_by(self, provider: str) -> str | None:
        """Return the variable that configures this provider, if any."""
        if provider == SERVER:
            if self.url:
                return "OPENAI_BASE_URL"
            return "OPENAI_API_KEY" if self.key else None
        return next(
            (name for name in _deciding_variables(provider) if self.variables.get(name)), None
        )

    def with_connections(self, connections: Iterable[Connection]) -> Configuration:
        """Return a copy with the connections to providers that it does not configure itself."""
        joined = self
        for connection in connections:
            if self.set_by(connection.provider) is None:
                joined = joined._with_connection(connection)
        return joined

    def _with_connection(self, connection: Connection) -> Configuration:
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
    """Return the configuration from the environment alone."""
    from django.conf import settings

    return Configuration(
        settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY, settings.PROVIDER_VARIABLES
    )


def _deciding_variables(provider: str) -> tuple[str, ...]:
    """Return the variables of which any one configures the provider."""
    return (_LOCAL[provider],) if provider in _LOCAL else providers.named(provider).keys


def _variables(provider: str) -> tuple[str | None, str]:
    """Return the variables for the key, if there is one, and for the address."""
    if provider in _LOCAL:
        return None, _LOCAL[provider]
    known = providers.named(provider)
    return known.keys[0], known.base
