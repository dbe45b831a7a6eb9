"""The connections to one OpenAI-compatible server: made on first use, off the event loop.

The `openai` SDK provides the address and headers of a request. Requests go over its connections
(aiohttp's) but bypass its methods, which copy and check the body several times (1 ms a turn, 50 ms
for a history of 400), and httpx (half of the rest).
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

REFUSAL_SECONDS = 5.0
"""Seconds to read the body of a refusal; what has arrived by then is enough."""


@dataclass(frozen=True, slots=True)
class ServerConnection:
    """The connections to one server, on one event loop."""

    sdk: AsyncOpenAI
    connections: ClientSession
    """The SDK's own."""
    url: str
    """Ends in a slash."""
    headers: dict[str, str]

    # Redirects are not followed: key and prompt are meant for the configured address.

    async def post(self, path: str, content: bytes) -> ClientResponse:
        """Return the response once its headers have arrived."""
        return await self.connections.post(
            self.url + path, data=content, headers=self.headers, allow_redirects=False
        )

    async def get(self, path: str, most: int) -> tuple[ClientResponse, bytes]:
        """Return a response and its body, cut off soon after `most` bytes."""
        response = await self.connections.get(
            self.url + path, headers=self.headers, allow_redirects=False
        )
        with closing(response):
            return response, await _beginning(response, most)

    async def aclose(self) -> None:
        await self.sdk.close()


async def refusal(response: ClientResponse, most: int) -> bytes:
    """Return at most `most` bytes of the body, and close the response."""
    with closing(response):
        read = bytearray()
        try:
            async with asyncio.timeout(REFUSAL_SECONDS):
                await _read(response, most, read)
        except Exception:  # noqa: S110  # broad: whatever cut it off, use what has arrived
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
) -> ServerConnection:
    """Set up connections. `limit`: seconds to connect; `headers` are sent with each request."""
    # In a thread and on first use: the import takes up to a second, the certificates longer.
    certificates = await asyncio.to_thread(load)

    import aiohttp
    import openai
    from httpx_aiohttp import AiohttpTransport

    connections = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=certificates, keepalive_timeout=5),
        # `Patience` limits reading: a limit here would set a timer for every token.
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
        # A compressed stream saves no time, and must be unpacked token by token.
        default_headers={"Accept-Encoding": "identity", **headers},
    )
    all_headers = {**sdk.default_headers, **sdk.auth_headers}
    given = {name: value for name, value in all_headers.items() if isinstance(value, str)}
    # httpx leaves an address without a path as it is: the endpoint would become part of the host.
    url = str(sdk.base_url).rstrip("/") + "/"
    return ServerConnection(sdk, connections, url, given)


def load() -> SSLContext:
    """Import the libraries for a connection and read the certificates."""
    with without_garbage_collection():
        import httpx
        import httpx_aiohttp  # noqa: F401  # with aiohttp
        import openai  # noqa: F401

        # aiohttp warns about bodies beyond 1 MiB, which a long conversation reaches.
        warnings.filterwarnings("ignore", "Sending a large body", ResourceWarning)
        for name in ("httpx", "openai"):  # they log whole addresses, and at DEBUG the prompts
            logging.getLogger(name).setLevel(logging.WARNING)
        return httpx.create_ssl_context()


def _proxy(url: str) -> str | None:
    """Return the proxy from the environment: `HTTPS_PROXY` and the like, `NO_PROXY`."""
    address = urlsplit(url)
    if address.hostname is None or proxy_bypass(address.hostname):
        return None
    proxies = getproxies()
    return proxies.get(address.scheme) or proxies.get("all")
