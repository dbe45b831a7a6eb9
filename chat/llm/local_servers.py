"""Model servers that people run on the same machine: Ollama and LM Studio.

Looked for on loopback, or where their variable says. They speak OpenAI's protocol under `/v1`.
Nothing is imported and nothing is waited for where none runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

from chat.errors import ModelError
from chat.llm.failures import Names
from chat.llm.limits import Limits
from chat.llm.listing import Listing
from chat.llm.openai import ListedModel, OpenAIClient

_LIMITS = Limits()
_KINDS = (  # LiteLLM's name, the variable, the address
    ("ollama", "OLLAMA_API_BASE", "http://127.0.0.1:11434"),
    ("lm_studio", "LM_STUDIO_API_BASE", "http://127.0.0.1:1234"),
)
_KNOCK = 0.5  # seconds: loopback answers in less than one hundredth


class LocalServer:
    """One server, there or not."""

    def __init__(self, provider: str, url: str, names: Names, limits: Limits) -> None:
        root = url.rstrip("/").removesuffix("/v1")
        self.provider = provider
        self.client = OpenAIClient(f"{root}/v1", None, limits=limits, names=names)
        self.listing = Listing(self._list)
        self._root = root

    async def _list(self) -> list[ListedModel]:
        """Empty when it is not there: what does not run is not on the menu."""
        try:
            if await self._is_there():
                return await self.client.list_models(limit=2)
        except ModelError:
            pass
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
    variables: Mapping[str, str], *, besides: str | None, limits: Limits = _LIMITS
) -> list[LocalServer]:
    """Where to look; not at the configured server, which is listed already."""
    taken = (besides or "").replace("://localhost", "://127.0.0.1")
    found = []
    for provider, variable, default in _KINDS:
        url = variables.get(variable, default)
        if not (taken and taken.startswith(url.replace("://localhost", "://127.0.0.1"))):
            names = Names(f"{provider.upper()}_API_KEY", variable)
            found.append(LocalServer(provider, url, names, limits))
    return found
