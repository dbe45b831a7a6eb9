"""The connections to one OpenAI-compatible server: made on first use, off the event loop.

The `openai` SDK knows what a request is addressed and signed with. The requests themselves go over
its connections (aiohttp's), but neither by its methods, which copy and check what is sent several
times (1 ms a turn, and 50 ms for a history of 400), nor through httpx (half of what is left).
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from ssl import SSLContext
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from chat.llm.loading import without_garbage_collection

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from openai import AsyncOpenAI

SLOWEST_REFUSAL = 5.0
"""Seconds for the body of a refusal; what came of it until then is enough."""


@dataclass(frozen=True, slots=True)
class Connected:
    """To one server, on one event loop."""

    sdk: AsyncOpenAI
    connections: ClientSession
    """The SDK's own."""
    url: str
    """Ends in a slash."""
    headers: dict[str, str]

    # No redirect is followed: key and prompt are for the address that was entered.

    async def post(self, path: str, content: bytes) -> ClientResponse:
        """The response, once its headers are here."""
        return await self.connections.post(
            self.url + path, data=content, headers=self.headers, allow_redirects=False
        )

    async def get(self, path: str, most: int) -> tuple[ClientResponse, bytes]:
        """A response and its body, or the first bytes of it, some more than `most`."""
        response = await self.connections.get(
            self.url + path, headers=self.headers, allow_redirects=False
        )
        with closing(response):
            return response, await _beginning(response, most)

    async def aclose(self) -> None:
        await self.sdk.close()


async def refusal(response: ClientResponse, most: int) -> bytes:
    """The first bytes of a body that is not wanted as a whole; closes the response."""
    with closing(response):
        read = bytearray()
        try:
            async with asyncio.timeout(SLOWEST_REFUSAL):
                await _read(response, most, read)
        except Exception:  # noqa: S110  # broad: whatever cut it off, what came is what it said
            pass
        return bytes(read[:most])


async def _beginning(response: ClientResponse, most: int) -> bytes:
    read = bytearray()
    await _read(response, most, read)
    return bytes(read)


async def _read(response: ClientResponse, most: int, into: bytearray) -> None:
    while len(into) <= most and (data := await response.content.readany()):
        into += data


async def connect(
    base_url: str, api_key: str, *, limit: float, headers: Mapping[str, str]
) -> Connected:
    """`limit`: seconds for making a connection; `headers` are sent with each request."""
    # In a thread and on first use: the import takes up to a second, its certificates more.
    certificates = await asyncio.to_thread(load)

    import aiohttp
    import openai
    from httpx_aiohttp import AiohttpTransport

    connections = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=certificates, keepalive_timeout=5),
        # Reading is `Patience`'s to limit: here it would set a timer for every token.
        timeout=aiohttp.ClientTimeout(total=None, connect=limit, sock_connect=limit),
        proxy=_proxy(base_url),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    sdk = openai.AsyncOpenAI(
        base_url=base_url,
        api_key=api_key,
        http_client=openai.DefaultAioHttpClient(
            transport=AiohttpTransport(verify=certificates, client=connections)
        ),
        # A compressed stream saves no time: it only has to be unpacked, token by token.
        default_headers={"Accept-Encoding": "identity", **headers},
    )
    all_headers = {**sdk.default_headers, **sdk.auth_headers}
    given = {name: value for name, value in all_headers.items() if isinstance(value, str)}
    # httpx leaves an address without a path as it is: what follows would belong to the host.
    url = str(sdk.base_url).rstrip("/") + "/"
    return Connected(sdk, connections, url, given)


def load() -> SSLContext:
    """Import what a connection needs, and read the certificates."""
    with without_garbage_collection():
        import httpx
        import httpx_aiohttp  # noqa: F401  # with aiohttp
        import openai  # noqa: F401

        # aiohttp's advice against bodies of more than 1 MiB: a long conversation is one.
        warnings.filterwarnings("ignore", "Sending a large body", ResourceWarning)
        for name in ("httpx", "openai"):  # they log whole addresses, and at DEBUG the prompts
            logging.getLogger(name).setLevel(logging.WARNING)
        return httpx.create_ssl_context()


def _proxy(url: str) -> str | None:
    """What the environment says: `HTTPS_PROXY` and its like, `NO_PROXY`."""
    address = urlsplit(url)
    if address.hostname is None or proxy_bypass(address.hostname):
        return None
    proxies = getproxies()
    return proxies.get(address.scheme) or proxies.get("all")
