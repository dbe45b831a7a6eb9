"""Which models there are, and who serves each.

An id goes to the first of these that has it:

1. the configured OpenAI-compatible server, if it lists the id;
2. `demo`;
3. a server on this machine: `ollama/name`, `lm_studio/name`;
4. a provider that LiteLLM knows and whose key is set: `provider/name`, a name of LiteLLM's list, or
   one that begins as only that provider's do (`claude…`, `gemini-…`);
5. the configured server, if it lists nothing: it gets whatever is asked for.

So a key that is set is used, and one that is not set never keeps an id from a server that takes
anything. The lists are kept and renewed in the background. Callers wait only on first use (up to
three seconds), or to learn who answers where nobody is named. `demo` is the default only where
nothing else is configured.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from chat.errors import UnknownModel
from chat.llm import configured, menu, prices, providers, routing
from chat.llm.configured import ConfiguredServer, configured_server
from chat.llm.demo import DemoModel
from chat.llm.limits import Limits
from chat.llm.local_servers import LocalServer, local_servers
from chat.llm.menu import Model
from chat.llm.resolved import Resolved
from chat.llm.routing import Clients
from chat.llm.sources import Sources

__all__ = ["DEMO", "Catalogue", "Model", "Resolved", "get_catalogue", "made_of", "replace"]

DEMO = "demo"
DEMO_NAME = "Scripted demo"
_LIMITS = Limits()
MAX_ID = 200
"""Characters: what the rows that store a model's id hold."""


class Catalogue:
    """One per process: see `get_catalogue`."""

    def __init__(
        self,
        server: ConfiguredServer | None = None,
        *,
        default_model: str | None = None,
        variables: Mapping[str, str] | None = None,
        local: Sequence[LocalServer] = (),
        limits: Limits = _LIMITS,
    ) -> None:
        """`variables` are the providers' keys and addresses, by LiteLLM's names."""
        self._server = server
        self._default_model = default_model
        self._demo = DemoModel()
        self._variables = variables or {}
        self._clients = Clients(self._variables, limits)
        self._local = local
        self._uses = 0
        self._is_retired = False

    async def offer(self) -> dict[str, Any]:
        """The menu as `GET /api/models` tells it."""
        rows = [
            {"id": m.id, "name": m.name, "provider": m.provider, "available": m.available}
            | ({"reason": m.reason} if m.reason else {})
            for m in await self.models()
        ]
        return {"models": rows, "current": await self.default()}

    async def models(self) -> list[Model]:
        """The menu: what can be used, best first, then what a key would add.

        A server that is configured is on it even when it is away: see `reason`.
        """
        await self._look()
        rows = [*self._known(), *self._stand_ins(), Model(DEMO, DEMO_NAME, "talos")]
        rows += menu.without_key(self._variables, has_server=self._server is not None)
        unique: dict[str, Model] = {}
        for row in rows:
            unique.setdefault(row.id, row)
        return list(unique.values())

    async def default(self) -> str:
        """The named one, or the first that is known. Empty: nobody knows as long as a server is
        away; `resolve` asks it again.
        """
        if self._default_model:
            return self._default_model
        await self._look()
        if self._server is not None and self._server.is_unsettled:
            return ""
        found = menu.chat_first(model.id for model in self._known())
        return found[0] if found else "" if self._is_configured else DEMO

    async def resolve(self, model_id: str | None) -> Resolved:
        """The client for a model, or for the default one.

        Raises `UnknownModel`, and `ModelError` (`ModelLoading`, too) where the default model
        is not known because its server is away.
        """
        wanted = model_id or await self._settled_default()
        if len(wanted) > MAX_ID:
            raise self._unknown(wanted, is_default=not model_id)
        await self._look(wanted)
        found = (
            self._listed(wanted)
            or (Resolved(DEMO, self._demo, id=DEMO) if wanted == DEMO else None)
            or self._on_this_machine(wanted)
            or self._routed(wanted)
            or self._untold(wanted)
        )
        if found is None:
            raise self._unknown(wanted, is_default=not model_id)
        return found

    @asynccontextmanager
    async def held(self) -> AsyncIterator[Catalogue]:
        """Keep the connections open until the end of a stream, whatever takes its place."""
        self._uses += 1
        try:
            yield self
        finally:
            self._uses -= 1
            if self._is_retired and not self._uses:
                await self.aclose()

    async def retire(self) -> None:
        """Close it, once nobody holds it any more."""
        self._is_retired = True
        if not self._uses:
            await self.aclose()

    async def aclose(self) -> None:
        """End the background work and close the connections."""
        for server in self._local:
            await server.aclose()
        await self._clients.aclose()
        if self._server is not None:
            await self._server.aclose()

    # --- the menu -----------------------------------------------------------------------------

    def _known(self) -> Iterator[Model]:
        """What is known of those that are configured or run here, away or not."""
        if self._server is not None:
            yield from self._server.rows(self._named)
        yield from menu.of_providers(self._variables)
        for server in self._local:
            yield from server.rows()

    @property
    def _named(self) -> str | None:
        """The default model, where that can only be the configured server's."""
        named = self._default_model
        return named if named and named != DEMO and not self._provider_of(named) else None

    def _stand_ins(self) -> Iterator[Model]:
        """A row for each configured server that is away and has not told its models."""
        if self._server is not None and not any(self._server.rows(self._named)):
            yield self._server.stand_in()
        for server in self._local:
            if row := server.stand_in():
                yield row

    # --- the default --------------------------------------------------------------------------

    @property
    def _is_configured(self) -> bool:
        """Somebody meant another than the demo to answer."""
        return (
            self._server is not None
            or any(server.is_set or server.listing.models for server in self._local)
            or providers.has_key(self._variables)
        )

    async def _settled_default(self) -> str:
        """The default, once the servers that it depends on have said what they have."""
        if not self._default_model:
            await self._settle()
        if wanted := await self.default():
            return wanted
        servers = [self._server, *self._local]
        problems = [server.listing.problem for server in servers if server is not None]
        if problem := next(filter(None, problems), None):
            raise problem.with_traceback(None)
        raise UnknownModel("No model is chosen. Choose one, or name one in TALOS_DEFAULT_MODEL.")

    async def _settle(self) -> None:
        if self._server is not None:
            if self._server.is_unsettled:
                await self._server.listing.renewed()
        elif not providers.has_key(self._variables):
            asked = [s.listing.renewed() for s in self._local if not s.listing.models]
            await asyncio.gather(*asked)

    # --- who has a model ----------------------------------------------------------------------

    def _listed(self, wanted: str) -> Resolved | None:
        return self._server.find(wanted) if self._server is not None else None

    def _untold(self, wanted: str) -> Resolved | None:
        """What a server that lists nothing may have."""
        if self._server is None or not self._server.takes_anything:
            return None
        if wanted == configured.ID and (problem := self._server.listing.problem):
            raise problem.with_traceback(None)
        return self._server.resolved(wanted.removeprefix("openai/"))

    def _on_this_machine(self, wanted: str) -> Resolved | None:
        found = (server.find(wanted) for server in self._local)
        return next(filter(None, found), None)

    def _routed(self, wanted: str) -> Resolved | None:
        route = self._provider_of(wanted)
        if route is None:
            return None
        known = prices.known().get(wanted) or prices.known().get(
            f"{route.provider.id}/{route.name}"
        )
        client = self._clients.of(route.provider)
        if known is None:
            return Resolved(route.name, client, id=wanted)
        tools, window = known.supports_tools, known.context_window
        return Resolved(route.name, client, window, tools, known.price, id=wanted)

    def _provider_of(self, wanted: str) -> routing.Route | None:
        route = routing.route(wanted)
        return route if route and route.provider.key(self._variables) else None

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

    async def _look(self, wanted: str = "") -> None:
        """Have the lists renewed; wait only for what nothing can be said without."""
        if not prices.is_read():
            await asyncio.to_thread(prices.known)
        for server in self._local:
            await server.look(wanted)
        if self._server is not None:
            await self._server.look()


def made_of(
    url: str | None,
    key: str | None,
    variables: Mapping[str, str],
    *,
    default_model: str | None = None,
    looks_here: bool = False,
    limits: Limits = _LIMITS,
) -> Catalogue:
    """A catalogue of a configured server, providers, and this machine's servers: those that are
    named, and with `looks_here` those that are found.
    """
    local = local_servers(variables, besides=url, limits=limits)
    return Catalogue(
        configured_server(url, key, limits),
        default_model=default_model,
        variables=variables,
        local=[server for server in local if looks_here or server.is_set],
        limits=limits,
    )


def from_settings(sources: Sources | None = None) -> Catalogue:
    """What the environment configures, with the servers and keys of `sources` if they are given."""
    from django.conf import settings

    found = sources or Sources(
        settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY, settings.PROVIDER_VARIABLES
    )
    return made_of(
        found.url,
        found.key,
        found.variables,
        default_model=settings.TALOS_DEFAULT_MODEL,
        looks_here=settings.TALOS_LOCAL_MODELS,
        limits=Limits(settings.TALOS_SILENCE_SECONDS, settings.TALOS_FIRST_TOKEN_SECONDS),
    )


_catalogue: Catalogue | None = None


def get_catalogue() -> Catalogue:
    """The process's own, made from the settings on first use."""
    global _catalogue
    if _catalogue is None:
        _catalogue = from_settings()
    return _catalogue


async def replace(catalogue: Catalogue) -> None:
    """Use this one from now on. The one before is closed once its last stream has ended.

    To be called on the event loop that turns run on.
    """
    global _catalogue
    before, _catalogue = _catalogue, catalogue
    if before is not None and before is not catalogue:
        await before.retire()
