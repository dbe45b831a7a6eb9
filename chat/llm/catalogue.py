"""Which models there are, and who serves each.

An id goes to the first of these that has it:

1. the configured OpenAI-compatible server, if it lists the id;
2. `demo`;
3. a server on this machine: `ollama/name`, `lm_studio/name`;
4. a provider that LiteLLM knows and whose key is set: `provider/name`, a name of LiteLLM's list, or
   one that begins as only that provider's do (`claude…`, `gemini-…`);
5. the configured server, if it lists nothing: it gets whatever is asked for.

So a key that is set is used, and one that is not set never keeps an id from a server that takes
anything. The lists are kept and renewed in the background, and nothing fails because a server is
down. Nobody waits for one, but for at most three seconds at the very first time, or for who shall
answer where nobody is named.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from chat.errors import UnknownModel
from chat.llm import menu, prices, routing
from chat.llm.base import ModelClient, Usage
from chat.llm.demo import DemoModel
from chat.llm.limits import Limits
from chat.llm.listing import Listing
from chat.llm.local_servers import LocalServer, local_servers
from chat.llm.menu import Model
from chat.llm.openai import OPENAI_URL, ListedModel, OpenAIClient
from chat.llm.routing import Clients
from chat.llm.sources import Sources

__all__ = ["DEMO", "Catalogue", "Model", "Resolved", "get_catalogue"]

DEMO = "demo"
DEMO_NAME = "Scripted demo"
_LIMITS = Limits()
MAX_ID = 200
"""Characters: what the rows that store a model's id hold."""


@dataclass(frozen=True)
class Resolved:
    """Whom to ask. `model_id` is what to put into `Request.model`."""

    model_id: str
    client: ModelClient
    context_window: int | None = None
    supports_tools: bool | None = None
    """None: not known."""
    price: prices.Price | None = None

    def cost(self, usage: Usage) -> Decimal | None:
        """What one request cost in US dollars, where that is known."""
        return self.price.of(usage) if self.price else None


class Catalogue:
    """One per process: see `get_catalogue`."""

    def __init__(
        self,
        server: OpenAIClient | None = None,
        *,
        default_model: str | None = None,
        variables: Mapping[str, str] | None = None,
        local: Sequence[LocalServer] = (),
        limits: Limits = _LIMITS,
        fresh_for: float = 60,
        retry_after: float = 5,
        first_wait: float = 3,
    ) -> None:
        """`variables` are the providers' keys and addresses, by LiteLLM's names."""
        self._server = server
        self._listing = Listing(self._list, fresh_for=fresh_for, retry_after=retry_after)
        self._default_model = default_model
        self._demo = DemoModel()
        self._variables = variables or {}
        self._clients = Clients(self._variables, limits)
        self._local = local
        self._first_wait = first_wait
        self._has_waited = False

    @classmethod
    def from_settings(cls, sources: Sources | None = None) -> Self:
        from django.conf import settings

        if sources is None:
            sources = Sources(
                settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY, settings.PROVIDER_VARIABLES
            )
        url, key = sources.url, sources.key
        limits = Limits(settings.TALOS_SILENCE_SECONDS, settings.TALOS_FIRST_TOKEN_SECONDS)
        server = OpenAIClient(url, key, limits=limits) if url or key else None
        variables = sources.variables
        looks = settings.TALOS_LOCAL_MODELS
        local = local_servers(variables, besides=url, limits=limits) if looks else ()
        default = settings.TALOS_DEFAULT_MODEL
        return cls(server, default_model=default, variables=variables, local=local, limits=limits)

    async def offer(self) -> dict[str, Any]:
        """The menu as `GET /api/models` tells it."""
        rows = [
            {"id": m.id, "name": m.name, "provider": m.provider, "available": m.available}
            | ({"reason": m.reason} if m.reason else {})
            for m in await self.models()
        ]
        return {"models": rows, "current": await self.default()}

    async def models(self) -> list[Model]:
        """The menu: what can be used, best first, then what a key would add."""
        await self._look()
        rows = list(menu.of_server(self._listing.models, self._listing.problem))
        named = self._default_model
        if named and named != DEMO and self._takes_anything() and not self._provider_of(named):
            rows.append(Model(named, named, "openai"))
        rows += menu.of_providers(self._variables)
        for server in self._local:
            rows += menu.of_local(server.provider, server.listing.models)
        rows.append(Model(DEMO, DEMO_NAME, "talos"))
        rows += menu.without_key(self._variables, has_server=self._server is not None)
        unique: dict[str, Model] = {}
        for row in rows:
            unique.setdefault(row.id, row)
        return list(unique.values())

    async def default(self, *, for_answer: bool = False) -> str:
        """The named one, or the first that is available.

        For an answer it is waited for what the configured server lists, as long as that may take:
        what only looks like the first would answer in its place.
        """
        if self._default_model:
            return self._default_model
        await self._look()
        is_unknown = self._server is not None and not self._listing.is_known
        if for_answer and is_unknown and (asked := self._listing.refresh()):
            await asyncio.wait([asked])
        listed = (model.id for model in self._listing.models if menu.is_for_chat(model.id))
        if (first := next(listed, None)) is not None:
            return first
        return next(model.id for model in await self.models() if model.available)

    async def resolve(self, model_id: str | None) -> Resolved:
        """The client for a model, or for the default one. Raises `UnknownModel`."""
        wanted = model_id or await self.default(for_answer=True)
        if len(wanted) > MAX_ID:
            raise self._unknown(wanted, is_default=not model_id)
        await self._look(wanted)
        found = (
            self._listed(wanted)
            or (Resolved(DEMO, self._demo) if wanted == DEMO else None)
            or self._on_this_machine(wanted)
            or self._routed(wanted)
        )
        if found is not None:
            return found
        if self._server is not None and self._takes_anything():
            return _by_server(self._server, wanted.removeprefix("openai/"), None)
        raise self._unknown(wanted, is_default=not model_id)

    async def aclose(self) -> None:
        """End the background work and close the connections."""
        await self._listing.aclose()
        for server in self._local:
            await server.aclose()
        await self._clients.aclose()
        if self._server is not None:
            await self._server.aclose()

    # --- who has a model ----------------------------------------------------------------------

    def _listed(self, wanted: str) -> Resolved | None:
        if self._server is None:
            return None
        for model in self._listing.models:
            if model.id in (wanted, wanted.removeprefix("openai/")):
                return _by_server(self._server, model.id, model.context_window)
        return None

    def _on_this_machine(self, wanted: str) -> Resolved | None:
        for server in self._local:
            for model in server.listing.models:
                if f"{server.provider}/{model.id}" == wanted:
                    return Resolved(model.id, server.client, model.context_window)
        return None

    def _routed(self, wanted: str) -> Resolved | None:
        route = self._provider_of(wanted)
        if route is None:
            return None
        known = prices.known().get(wanted) or prices.known().get(
            f"{route.provider.id}/{route.name}"
        )
        client = self._clients.of(route.provider)
        if known is None:
            return Resolved(route.name, client)
        tools, window = known.supports_tools, known.context_window
        return Resolved(route.name, client, window, tools, known.price)

    def _provider_of(self, wanted: str) -> routing.Route | None:
        route = routing.route(wanted)
        return route if route and route.provider.key(self._variables) else None

    def _takes_anything(self) -> bool:
        return self._server is not None and not self._listing.models

    def _unknown(self, wanted: str, *, is_default: bool) -> UnknownModel:
        name = repr(wanted[:100])
        if route := routing.route(wanted):
            key = route.provider.keys[0]
            return UnknownModel(f"The model {name} needs a key: set {key}.")
        if is_default:
            problem = f"TALOS_DEFAULT_MODEL names {name}, which nothing here offers."
        else:
            problem = f"There is no model {name}."
        if self._server is not None:
            return UnknownModel(f"{problem} Choose one of those that /models lists.")
        return UnknownModel(
            f"{problem} To use models beyond the demo, set OPENAI_API_KEY or OPENAI_BASE_URL, "
            "or another provider's key."
        )

    # --- the lists ----------------------------------------------------------------------------

    async def _list(self) -> list[ListedModel]:
        return await self._server.list_models() if self._server is not None else []

    async def _look(self, wanted: str = "") -> None:
        """Have the lists renewed; wait only for what nothing can be said without."""
        if not prices.is_read():
            await asyncio.to_thread(prices.known)
        for server in self._local:
            refresh = server.listing.refresh()
            if refresh and not server.listing.models and wanted.startswith(f"{server.provider}/"):
                await asyncio.wait([refresh], timeout=self._first_wait)
        if self._server is None:
            return
        refresh = self._listing.refresh()
        if refresh is not None and not self._has_waited:
            await asyncio.wait([refresh], timeout=self._first_wait)
            self._has_waited = True


def _by_server(server: OpenAIClient, name: str, window: int | None) -> Resolved:
    known = prices.known().get(name)
    if known is None:
        return Resolved(name, server, window)
    # Another server than OpenAI's own has other prices, whatever its models are called.
    price = known.price if server.base_url == OPENAI_URL else None
    return Resolved(name, server, window or known.context_window, known.supports_tools, price)


@functools.cache
def get_catalogue() -> Catalogue:
    """The process's own, made from the settings on first use."""
    return Catalogue.from_settings(_sources)


_sources: Sources | None = None


def renew(sources: Sources) -> None:
    global _sources
    _sources = sources
    get_catalogue.cache_clear()
