"""Who serves models: the configured server, this machine's servers, the providers, the demo."""

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
    """All that can be asked, in the order in which an id is looked for."""

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
        """Have the lists renewed; wait only for what nothing can be said without."""
        if not prices.is_read():
            await asyncio.to_thread(prices.known)
        for server in self.local:
            await server.refresh(wanted)
        if self.server is not None:
            await self.server.refresh()

    async def settle(self) -> None:
        """Wait for the lists that the default depends on."""
        if self.server is not None:
            if self.server.is_unsettled:
                await self.server.listing.renewed()
        elif not providers.has_key(self.variables):
            asked = [s.listing.renewed() for s in self.local if not s.listing.models]
            await asyncio.gather(*asked)

    @property
    def problem(self) -> ModelError | None:
        """Why a server is away, if one is."""
        servers = [server for server in (self.server, *self.local) if server is not None]
        return next((s.listing.problem for s in servers if s.listing.problem), None)

    @property
    def is_configured(self) -> bool:
        """Somebody meant another than the demo to answer."""
        return (
            self.server is not None
            or any(server.is_set or server.listing.models for server in self.local)
            or providers.has_key(self.variables)
        )

    def known(self, named: str | None) -> Iterator[Model]:
        """What is known of those that are configured or run here, away or not.

        `named`: a model that the configured server was said to have.
        """
        if self.server is not None:
            yield from self.server.rows(named)
        yield from menu.of_providers(self.variables)
        for server in self.local:
            yield from server.rows()

    def stand_ins(self, named: str | None) -> Iterator[Model]:
        """A row for each configured server that is away and has not told its models."""
        if self.server is not None and not any(self.server.rows(named)):
            yield self.server.stand_in()
        for server in self.local:
            if row := server.stand_in():
                yield row

    def find(self, wanted: str) -> Resolved | None:
        """The client for an id. Raises `ModelError` for the row of a server that is away."""
        return (
            (self.server.find(wanted) if self.server is not None else None)
            or (Resolved(DEMO, self._demo, id=DEMO) if wanted == DEMO else None)
            or self._on_this_machine(wanted)
            or self._routed(wanted)
            or self._untold(wanted)
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

    def _on_this_machine(self, wanted: str) -> Resolved | None:
        found = (server.find(wanted) for server in self.local)
        return next(filter(None, found), None)

    def _routed(self, wanted: str) -> Resolved | None:
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

    def _untold(self, wanted: str) -> Resolved | None:
        """What a server that lists nothing may have."""
        if self.server is None or not self.server.takes_anything:
            return None
        if wanted == configured.ID and (problem := self.server.listing.problem):
            raise problem.with_traceback(None)
        return self.server.resolved(wanted.removeprefix("openai/"))
