"""Model servers on this machine: Ollama and LM Studio.

Talos looks for them on loopback, or at the address in their variable. They speak OpenAI's protocol
under `/v1`. If none is running, nothing is imported and nobody waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from chat.errors import ModelError
from chat.llm.catalogue import menu
from chat.llm.catalogue.listing import Listing
from chat.llm.catalogue.menu import Model
from chat.llm.catalogue.resolved import Resolved
from chat.llm.failures.errors import Names
from chat.llm.openai.client import ListedModel, OpenAIClient
from chat.llm.stream.limits import Limits

_LIMITS = Limits()
_KINDS = (  # LiteLLM's name, the variable, the address
    ("ollama", "OLLAMA_API_BASE", "http://127.0.0.1:11434"),
    ("lm_studio", "LM_STUDIO_API_BASE", "http://127.0.0.1:1234"),
)
_KNOCK = 0.5  # seconds: loopback answers in less than one hundredth
_LIST = 2  # seconds
_FIRST_WAIT = 3  # seconds


class LocalServer:
    """One server, whether it runs or not."""

    def __init__(
        self, provider: str, url: str, names: Names, limits: Limits, *, is_set: bool = False
    ) -> None:
        """`is_set`: its variable is set."""
        root = url.rstrip("/").removesuffix("/v1")
        self.provider = provider
        self.is_set = is_set
        self.client = OpenAIClient(f"{root}/v1", None, limits=limits, names=names)
        self.listing = Listing(self._list)
        self._root = root

    async def refresh(self, wanted: str) -> None:
        """Start renewing the list. Wait if one of its models is wanted and none is known yet."""
        refresh = self.listing.refresh()
        if refresh and not self.listing.models and wanted.startswith(f"{self.provider}/"):
            await asyncio.wait([refresh], timeout=_FIRST_WAIT)

    def rows(self) -> Iterator[Model]:
        """Yield its rows of the menu."""
        problem = self.listing.problem
        reason = problem.message if problem else None
        return menu.of_local(self.provider, self.listing.models, reason)

    def stand_in(self) -> Model | None:
        """Return a menu row if the server is expected but its models are unknown."""
        problem = self.listing.problem
        if self.listing.models or not problem:
            return None
        name = f"{self.provider} server"
        return Model(self.provider, name, self.provider, available=False, reason=problem.message)

    def find(self, wanted: str) -> Resolved | None:
        """Return the model with the id `provider/name`."""
        for model in self.listing.models:
            if f"{self.provider}/{model.id}" == wanted:
                return Resolved(model.id, self.client, model.context_window, id=wanted)
        return None

    async def _list(self) -> list[ListedModel]:
        """Return its models; none if no server was ever here."""
        is_expected = self.is_set or bool(self.listing.models)
        try:
            if is_expected or await self._is_there():
                return await self.client.list_models(limit=_LIST)
        except ModelError:
            if is_expected:
                raise
        return []

    async def _is_there(self) -> bool:
        where = urlsplit(self._root)
        port = where.port or (443 if where.scheme == "https" else 80)
        try:
            async with asyncio.timeout(_KNOCK):
                _, writer = await asyncio.open_connection(where.hostname, port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    async def aclose(self) -> None:
        await self.listing.aclose()
        await self.client.aclose()


def local_servers(
    variables: Mapping[str, str],
    names: Mapping[str, Names] | None = None,
    *,
    besides: str | None,
    limits: Limits = _LIMITS,
) -> list[LocalServer]:
    """Return the servers to look for, except the configured one (`besides`), listed already.

    `variables` and `names` are as in `Configuration`.
    """
    taken = (besides or "").replace("://localhost", "://127.0.0.1")
    found = []
    for provider, variable, default in _KINDS:
        url = variables.get(variable, default)
        if not (taken and taken.startswith(url.replace("://localhost", "://127.0.0.1"))):
            own = (names or {}).get(provider) or Names(f"{provider.upper()}_API_KEY", variable)
            is_set = variable in variables
            found.append(LocalServer(provider, url, own, limits, is_set=is_set))
    return found
