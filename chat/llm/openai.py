"""Any OpenAI-compatible server, with the `openai` SDK.

The SDK knows the server: its address, what signs a request, what it lists. An answer is asked for
on the SDK's own connections (aiohttp's), but neither by its `create`, which copies and checks what
was asked for several times (1 ms a turn, and 50 ms for a history of 400), nor through httpx (half
of what is left), and its stream is taken apart in `reading.py` and `sse.py`: the SDK's own objects
cost ten times as much per token, let a cut answer pass for a whole one, and raise bare JSON errors.
It does not retry either: only here is it known that nothing of an answer was shown yet.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from http import HTTPStatus
from ssl import SSLContext
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import orjson

from chat.errors import ModelError, ModelLoading
from chat.llm import failures
from chat.llm.base import Request, StreamEvent
from chat.llm.demands import Demands
from chat.llm.limits import Limits
from chat.llm.loading import without_garbage_collection
from chat.llm.openai_wire import Body, body_of, refused_option, without
from chat.llm.reading import Pieces, read_answer
from chat.llm.retry import Retry
from chat.llm.sse import MAX_EVENT, decode
from chat.llm.text import clean

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from openai import AsyncOpenAI

log = logging.getLogger(__name__)

OPENAI_URL = "https://api.openai.com/v1"
MAX_REFUSAL = 64 * 1024
"""Bytes that are read of what a server says in place of an answer."""
_LIMITS, _DEMANDS = Limits(), Demands()
_NO_LIST = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
_NO_KEY = "none"  # the SDK insists on a key, local servers do not


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model that a server says it has."""

    id: str
    name: str
    context_window: int | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A response that is none."""

    status: int
    said: str
    retry_after: str | None

    def option(self, body: Body) -> str | None:
        """What it did not like about a request, where that can be left out."""
        return refused_option(body, self.said) if self.status == HTTPStatus.BAD_REQUEST else None


@dataclass(frozen=True, slots=True)
class Connected:
    """To one server, on one event loop."""

    sdk: AsyncOpenAI
    connections: ClientSession
    """The SDK's own."""


class OpenAIClient:
    """One server. Connections are made on first use, shared by all turns, closed by `aclose`."""

    def __init__(
        self,
        base_url: str | None,
        api_key: str | None,
        *,
        limits: Limits = _LIMITS,
        demands: Demands = _DEMANDS,
        connect_limit: float = 5,
        pauses: Sequence[float] = (1, 2),
        names: failures.Names = failures.OPENAI,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`pauses` are the seconds before the second, the third … attempt; `headers` are sent
        beside the SDK's own."""
        self.names = names
        self.base_url = base_url or OPENAI_URL
        self._api_key = api_key or _NO_KEY
        self._limits = limits
        self._demands = demands
        self._connect_limit = connect_limit
        self._pauses = pauses
        self._more_headers = headers
        self._refused: dict[str, tuple[str, ...]] = {}  # per model: the options it can't take
        self._connection: Connected | None = None
        self._url = ""
        self._headers: dict[str, str] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loading = asyncio.Lock()

    def source(self, model: str) -> str:
        return f"{urlsplit(self.base_url).netloc.rpartition('@')[2]}/{model}"

    def stream(self, request: Request) -> AsyncGenerator[StreamEvent]:
        return read_answer(self._open(request), idle_limit=self._limits.silence, names=self.names)

    async def aclose(self) -> None:
        """Close the kept connections. The client can be used again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.sdk.close()

    @asynccontextmanager
    async def _open(self, request: Request) -> AsyncIterator[Pieces]:
        connections = (await self._connected()).connections
        body = body_of(request)
        for option in self._refused.get(request.model, ()):
            body = without(body, option)
        response, deadline = await self._ask(connections, body)
        pieces = Pieces(response.content.readany, deadline=deadline, limit=self._limits.silence)
        try:
            yield pieces
        finally:
            pieces.close()
            response.close()  # the connection, too, unless the answer was read to its end

    async def _ask(self, connections: ClientSession, body: Body) -> tuple[ClientResponse, float]:
        """Ask until the server begins to answer: after that nothing is asked twice. Also returns
        until when its first piece is waited for."""
        loop, refused = asyncio.get_running_loop(), list[str]()
        retry = Retry(iter(self._pauses), self.names)
        while True:
            deadline = loop.time() + self._limits.silence
            try:
                async with asyncio.timeout_at(deadline):
                    answer = await self._post(connections, body)
            except TimeoutError:
                raise failures.silent(self._limits.silence) from None
            if answer is None:
                await retry.after_no_connection()
            elif not isinstance(answer, Refusal):
                if refused:
                    known = self._refused.get(body["model"], ())
                    self._refused[body["model"]] = (*known, *refused)
                return answer, deadline
            elif option := answer.option(body):
                body = without(body, option)
                refused.append(option)
            else:
                await retry.after_status(answer.status, answer.retry_after)

    async def _post(
        self, connections: ClientSession, body: Body
    ) -> ClientResponse | Refusal | None:
        """The response, once its headers are here. None: there was no connection, or it broke."""
        try:
            content = orjson.dumps(body)
            response = await connections.post(self._url, data=content, headers=self._headers)
            if response.status < HTTPStatus.BAD_REQUEST:
                return response
            with closing(response):
                said = await response.content.read(MAX_REFUSAL)
        except Exception as error:  # broad: whatever its transport raises
            failures.note(error)
            return None
        log.warning("Model request failed: status %s", response.status)
        retry_after = response.headers.get("Retry-After")
        return Refusal(response.status, said.decode(errors="replace"), retry_after)

    async def list_models(self, *, limit: float = 10) -> list[ListedModel]:
        """What `/models` says, within `limit` seconds; nothing where there is no such address.

        Raises `ModelError` when it cannot be asked, `ModelLoading` among them.
        """
        sdk = (await self._connected()).sdk
        try:
            async with (
                asyncio.timeout(limit),
                sdk.models.with_streaming_response.list() as response,
            ):
                return await _listing(response.iter_bytes())
        except ModelError:
            raise
        except Exception as error:  # broad: the SDK's errors, and its transport's while it reads
            status = getattr(error, "status_code", None)
            if status in _NO_LIST:
                return []
            failures.note(error, status)
            if status == HTTPStatus.SERVICE_UNAVAILABLE and "loading" in str(error).lower():
                raise ModelLoading("The model is loading. Please try again in a moment.") from None
            problem = failures.of_status(status, self.names) if status else None
            raise (problem or failures.unreachable(self.names)) from None

    async def _connected(self) -> Connected:
        loop = asyncio.get_running_loop()
        async with self._loading:
            # A kept connection belongs to its loop, and a test or a command may bring another.
            if self._connection is None or self._loop is not loop:
                self._connection, self._loop = await self._connect(), loop
            return self._connection

    async def _connect(self) -> Connected:
        # In a thread and on first use: the import takes up to a second, its certificates more.
        certificates = await asyncio.to_thread(_loaded)

        import aiohttp
        import openai
        from httpx_aiohttp import AiohttpTransport

        limit = self._connect_limit
        connections = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=certificates, keepalive_timeout=5),
            # Reading is `Pieces`' to limit: here it would set a timer for every token.
            timeout=aiohttp.ClientTimeout(total=None, connect=limit, sock_connect=limit),
            proxy=_proxy(self.base_url),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        sdk = openai.AsyncOpenAI(
            base_url=self.base_url,
            api_key=self._api_key,
            max_retries=0,
            timeout=openai.Timeout(connect=limit, read=None, write=30, pool=limit),
            http_client=openai.DefaultAioHttpClient(
                transport=AiohttpTransport(verify=certificates, client=connections)
            ),
            # A compressed stream saves no time: it only has to be unpacked, token by token.
            default_headers={"Accept-Encoding": "identity", **self._more_headers},
        )
        self._url = f"{sdk.base_url}chat/completions"
        headers = {**sdk.default_headers, **sdk.auth_headers}
        self._headers = {name: value for name, value in headers.items() if isinstance(value, str)}
        return Connected(sdk, connections)


def _loaded() -> SSLContext:
    with without_garbage_collection():
        import httpx
        import httpx_aiohttp  # noqa: F401  # with aiohttp
        import openai.resources.models  # noqa: F401

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


async def _listing(body: AsyncIterator[bytes]) -> list[ListedModel]:
    read = bytearray()
    async for data in body:
        read += data
        if len(read) > MAX_EVENT:
            raise failures.too_large()
    entries = decode(bytes(read)).get("data")
    found = [_listed(entry) for entry in entries] if isinstance(entries, list) else []
    return [model for model in found if model is not None]


_WINDOW_NAMES = ("context_length", "context_window", "max_model_len", "max_context_length")


def _listed(entry: object) -> ListedModel | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        return None
    windows = (entry.get(name) for name in _WINDOW_NAMES)
    window = next((size for size in windows if isinstance(size, int) and size > 0), None)
    name = entry.get("name")
    model_id = clean(entry["id"])
    return ListedModel(
        model_id, clean(name) if isinstance(name, str) and name else model_id, window
    )
