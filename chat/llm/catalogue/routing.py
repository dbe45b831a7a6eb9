"""Maps a model's id to its provider, and each provider to its client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chat.llm.catalogue import providers
from chat.llm.catalogue.providers import Provider
from chat.llm.catalogue.unreadable import UnreadableKey
from chat.llm.failures.errors import Names
from chat.llm.litellm.client import LiteLLMClient
from chat.llm.openai.client import OpenAIClient
from chat.llm.stream.limits import Limits

_Client = OpenAIClient | LiteLLMClient | UnreadableKey


@dataclass(frozen=True, slots=True)
class Route:
    provider: Provider
    name: str
    """The provider's own name for the model."""


def route(model_id: str) -> Route | None:
    """Return the route for `provider/name` or a bare name.

    None for OpenAI's models: the configured server has them.
    """
    head, slash, name = model_id.partition("/")
    if slash and name and providers.is_provider(head):
        return Route(providers.named(head), name)
    by_name = providers.of_bare_name(model_id)
    return Route(by_name, model_id) if by_name else None


class Clients:
    """Clients by provider, each made on first use."""

    def __init__(
        self, variables: Mapping[str, str], names: Mapping[str, Names], limits: Limits
    ) -> None:
        """`variables` and `names` are as in `Configuration`."""
        self.variables = variables
        self._names = names
        self._limits = limits
        self._made: dict[str, _Client] = {}

    def of(self, provider: Provider) -> _Client:
        if provider.id not in self._made:
            self._made[provider.id] = self._new(provider)
        return self._made[provider.id]

    def _new(self, provider: Provider) -> _Client:
        key = provider.key(self.variables) if provider.takes_key else None
        if key == providers.UNREADABLE:
            return UnreadableKey()
        base = self.variables.get(provider.base)
        limits, demands = self._limits, provider.demands
        names = self._names.get(provider.id, provider.names)
        if provider.openai_url:
            url = base or provider.openai_url
            return OpenAIClient(url, key, limits=limits, demands=demands, names=names)
        return LiteLLMClient(
            provider.id, key, api_base=base, limits=limits, demands=demands, names=names
        )

    async def aclose(self) -> None:
        for client in self._made.values():
            await client.aclose()
