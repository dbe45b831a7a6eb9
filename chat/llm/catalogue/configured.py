"""The configured server: OpenAI, or any server that speaks its protocol."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator

from chat.errors import ModelError, ModelLoading
from chat.llm.catalogue import menu, prices, providers
from chat.llm.catalogue.listing import Listing
from chat.llm.catalogue.menu import Model
from chat.llm.catalogue.resolved import Resolved
from chat.llm.catalogue.unreadable import UnreadableKey
from chat.llm.failures.errors import OPENAI, Names
from chat.llm.openai.client import OPENAI_URL, ListedModel, OpenAIClient
from chat.llm.stream.limits import Limits

log = logging.getLogger(__name__)

ID = "openai"
NAME = "Configured server"
_NOT_YET = "Looking up its models."
_LISTS_NOTHING = "It lists no models. Set TALOS_DEFAULT_MODEL to one of its models."


class ConfiguredServer:
    """One server, whether reachable or not."""

    def __init__(
        self,
        client: OpenAIClient | UnreadableKey,
        *,
        under_v1: OpenAIClient | None = None,
        fresh_for: float = 60,
        retry_after: float = 5,
        first_wait: float = 3,
    ) -> None:
        """`under_v1` is a client for the same server under `/v1`, in case the address lacks it."""
        self.client = client
        self.listing = Listing(self._list, fresh_for=fresh_for, retry_after=retry_after)
        self._under_v1 = under_v1
        self._clients = (client,) if under_v1 is None else (client, under_v1)
        self._first_wait = first_wait
        self._has_waited = False

    @property
    def takes_anything(self) -> bool:
        """Whether it lists nothing, or nothing yet, so that only the server knows its models."""
        return not self.listing.models

    @property
    def is_unsettled(self) -> bool:
        """Whether its models are unknown because it has never been reached."""
        return self.takes_anything and (not self.listing.is_known or bool(self.listing.problem))

    async def refresh(self) -> None:
        """Start renewing the list. Wait for it only the first time, for a few seconds at most."""
        refresh = self.listing.refresh()
        if refresh is not None and not self._has_waited:
            await asyncio.wait([refresh], timeout=self._first_wait)
            self._has_waited = True

    def rows(self, default: str | None) -> Iterator[Model]:
        """Yield its rows of the menu; `default` is a model named in the settings as its own."""
        problem = self.listing.problem
        reason = problem.message if problem else None
        if self.listing.models:
            yield from menu.of_server(self.listing.models, reason)
        elif default:
            yield Model(default, default, ID, not reason, reason)

    def stand_in(self) -> Model:
        """Return the menu row for a server whose models are unknown."""
        problem = self.listing.problem
        reason = _NOT_YET if not self.listing.is_known else _LISTS_NOTHING
        return Model(ID, NAME, ID, available=False, reason=problem.message if problem else reason)

    def find(self, wanted: str) -> Resolved | None:
        """Return the listed model with this id."""
        for model in self.listing.models:
            if model.id in (wanted, wanted.removeprefix(f"{ID}/")):
                return self.resolve(model.id, model.context_window)
        return None

    def resolve(self, name: str, window: int | None = None) -> Resolved:
        """Return the model with this name, listed or not."""
        known = prices.known().get(name)
        if known is None:
            return Resolved(name, self.client, window, id=name)
        # Only OpenAI itself charges these prices, whatever another server calls its models.
        price = known.price if self.client.base_url == OPENAI_URL else None
        window = window or known.context_window
        return Resolved(name, self.client, window, known.supports_tools, price, id=name)

    async def aclose(self) -> None:
        await self.listing.aclose()
        for client in self._clients:
            await client.aclose()

    async def _list(self) -> list[ListedModel]:
        problem = None
        try:
            if found := await self.client.list_models():
                return found
        except ModelLoading:
            raise
        except ModelError as error:
            problem = error
        if found := await self._list_under_v1():
            return found
        if problem is not None:
            raise problem
        return []

    async def _list_under_v1(self) -> list[ListedModel]:
        """Return the list under `/v1`. If it has entries, use that address from now on."""
        if self._under_v1 is None:
            return []
        try:
            found = await self._under_v1.list_models()
        except ModelLoading:
            raise
        except ModelError:
            return []
        if found:
            log.info("The model server answers under /v1; using that address.")
            self.client, self._under_v1 = self._under_v1, None
        return found


def configured_server(
    url: str | None, key: str | None, limits: Limits, names: Names = OPENAI
) -> ConfiguredServer | None:
    """Return the server for an address, a key, or both; None if neither is set."""
    if not url and not key:
        return None
    if key == providers.UNREADABLE:
        return ConfiguredServer(UnreadableKey())
    demands = providers.demands_of(url or OPENAI_URL)
    client = OpenAIClient(url, key, limits=limits, demands=demands, names=names)
    lacks_version = url is not None and not re.search(r"/v\d+[a-z0-9]*(/|$)", url)
    if not lacks_version:
        return ConfiguredServer(client)
    under_v1 = OpenAIClient(f"{url}/v1", key, limits=limits, demands=demands, names=names)
    return ConfiguredServer(client, under_v1=under_v1)
