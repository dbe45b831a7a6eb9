"""The sources of models: the configured server, servers on this machine, providers, the demo."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from chat.errors import ModelError
from chat.llm.catalogue import configured, menu, prices, providers, routing
from chat.llm.catalogue.configured import ConfiguredServer
from chat.llm.catalogue.local_servers import LocalServer
from chat.llm.catalogue.menu import Model
from chat.llm.catalogue.resolved import Resolved
from chat.llm.catalogue.routing import Clients
from chat.llm.demo.client import DemoModel

DEMO = "demo"


class Sources:
    """All sources, in the order in which an id is looked up."""

    def __init__(
        self,
        server: ConfiguredServer | None,
        local: Sequence[LocalServer],
        clients: Clients,
    ) -> None:
        self.server = server
        self.local = local
        self.variables = clients.variables
        self._demo = DemoModel()
        self._clients = clients

    async def refresh(self, wanted: str = "") -> None:
        """Start renewing the lists; wait only if nothing is known yet."""
        if not prices.is_read():
            await asyncio.to_thread(prices.known)
        for server in self.local:
            await server.refresh(wanted)
        if self.server is not None:
            await self.server.refresh()

    async def wait_for_lists(self) -> None:
        """Wait for the lists that the default depends on."""
        if self.server is not None:
            if self.server.is_unsettled:
                await self.server.listing.renew()
        elif not providers.has_key(self.variables):
            asked = [s.listing.renew() for s in self.local if not s.listing.models]
            await asyncio.gather(*asked)

    @property
    def problem(self) -> ModelError | None:
        """Why a server cannot be reached, if one cannot."""
        servers = [server for server in (self.server, *self.local) if server is not None]
        return next((s.listing.problem for s in servers if s.listing.problem), None)

    @property
    def is_configured(self) -> bool:
        """Whether any source besides the demo is configured or running."""
        return (
            self.server is not None
            or any(server.is_set or server.listing.models for server in self.local)
            or providers.has_key(self.variables)
        )

    def known(self, named: str | None) -> Iterator[Model]:
        """Yield the known models of all configured or local sources, reachable or not.

        `named`: a model that the settings ascribe to the configured server.
        """
        if self.server is not None:
            yield from self.server.rows(named)
        yield from menu.of_providers(self.variables)
        for server in self.local:
            yield from server.rows()

    def stand_ins(self, named: str | None) -> Iterator[Model]:
        """Yield a row for each unreachable configured server whose models are unknown."""
        if self.server is not None and not any(self.server.rows(named)):
            yield self.server.stand_in()
        for server in self.local:
            if row := server.stand_in():
                yield row

    def find(self, wanted: str) -> Resolved | None:
        """Return the client for an id. Raises `ModelError` for an unreachable server's stand-in."""
        return (
            (self.server.find(wanted) if self.server is not None else None)
            or (Resolved(DEMO, self._demo, id=DEMO) if wanted == DEMO else None)
            or self._find_local(wanted)
            or self._find_at_provider(wanted)
            or self._assume_on_server(wanted)
        )

    def provider_of(self, wanted: str) -> routing.Route | None:
        route = routing.route(wanted)
        return route if route and route.provider.key(self.variables) else None

    async def aclose(self) -> None:
        for server in self.local:
            await server.aclose()
        await self._clients.aclose()
        if self.server is not None:
            await self.server.aclose()

    def _find_local(self, wanted: str) -> Resolved | None:
        found = (server.find(wanted) for server in self.local)
        return next(filter(None, found), None)

    def _find_at_provider(self, wanted: str) -> Resolved | None:
        route = self.provider_of(wanted)
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

    def _assume_on_server(self, wanted: str) -> Resolved | None:
        """Assume that a configured server without a list has the model."""
        if self.server is None or not self.server.takes_anything:
            return None
        if wanted == configured.ID and (problem := self.server.listing.problem):
            raise problem.with_traceback(None)
        return self.server.resolve(wanted.removeprefix("openai/"))
