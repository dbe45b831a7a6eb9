"""The HTTP client under LiteLLM, which records what a response really was.

LiteLLM accepts a cut answer as complete, buffers a line without limit, skips unreadable events and
hides statuses behind its own classes. `Wire` replaces its HTTP client for one request: it records
what really happened, and passes on whole events only.
"""

from __future__ import annotations

import asyncio
import json as jsonlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

import httpx
import orjson
from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

from chat.errors import ModelError
from chat.llm.failures import errors
from chat.llm.failures.details import LARGEST
from chat.llm.litellm import provider_events, thinking_blocks
from chat.llm.stream.connection import REFUSAL_SECONDS
from chat.llm.stream.reading import WholeJson, reader_for
from chat.llm.stream.sse import EventStream


class Refused(Exception):
    """An error status. `Wire` has the server's words; LiteLLM only passes this exception on."""


class Wire(AsyncHTTPHandler):
    """One request. It skips LiteLLM's constructor, which would make a connection pool."""

    def __init__(self, http: httpx.AsyncClient, names: errors.Names) -> None:
        self.status: int | None = None
        self.headers: Mapping[str, str] = {}
        self.refusal: bytes | None = None
        """The body of a refusal, as far as it was read."""
        self.broke: httpx.HTTPError | None = None
        """Why there was no response."""
        self.problem: ModelError | None = None
        """What was wrong with the response's body, if anything."""
        self.end = ""
        """The provider's own word for the answer's end."""
        self.on_bytes: Callable[[], None] = lambda: None
        """Called whenever bytes arrive."""
        self._http = http
        self.names = names
        self._body: Body | None = None
        self._message_id: object = None

    async def post(
        self,
        url: str,
        data: str | bytes | None = None,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: str | bytes | None = None,
        **_: object,
    ) -> httpx.Response:
        """Send the request for LiteLLM, whose time limits and retries are ignored."""
        asked = {**(headers or {}), "Accept-Encoding": "identity"}
        request = self._http.build_request(
            "POST",
            url,
            content=_with_places(content or data),
            json=json,
            params=params,
            headers=asked,
        )
        try:
            response = await self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            self.broke = error
            raise
        self.on_bytes()
        self.status, self.headers = response.status_code, response.headers
        if not response.is_success:
            await self._read_refusal(response)
            raise Refused
        self._body = Body(response, self)
        response.stream = self._body
        return response

    async def _read_refusal(self, response: httpx.Response) -> None:
        read = bytearray()
        try:
            async with asyncio.timeout(REFUSAL_SECONDS):
                async for data in response.aiter_raw():
                    read += data
                    if len(read) >= LARGEST:
                        break
        except (httpx.HTTPError, TimeoutError) as error:
            errors.log_failure(error)  # the status is known and says the most
        finally:
            await response.aclose()
        self.refusal = bytes(read)

    @property
    def was_reached(self) -> bool:
        """Whether the server may have received the request."""
        return not isinstance(self.broke, httpx.ConnectError | httpx.ConnectTimeout)

    def take(self, event: dict[str, Any]) -> Iterable[dict[str, Any]]:
        """Check one event of the answer; return the events that LiteLLM sees instead."""
        if error := event.get("error"):
            raise errors.in_stream(error, self.names)
        if event.get("type") == "message_start":
            self._begin(event)
        self.end = provider_events.end_of(event) or self.end
        return provider_events.repair(event)

    def _begin(self, event: Mapping[str, Any]) -> None:
        """Reject a second answer, which a proxy may begin after losing its server."""
        message = event.get("message")
        message_id = message.get("id") if isinstance(message, dict) else None
        if self._message_id not in (None, message_id):
            raise errors.truncated()
        self._message_id = message_id

    async def drain(self) -> None:
        """Read the rest; only then can the connection be reused."""
        if self._body is not None:
            await self._body.drain()

    async def aclose(self) -> None:
        if self._body is not None:
            await self._body.aclose()


class Body(httpx.AsyncByteStream):
    """One response's events, checked, repaired and written as lines for LiteLLM."""

    def __init__(self, response: httpx.Response, wire: Wire) -> None:
        self._stream = response.stream
        self._chunks = aiter(response.stream)  # type: ignore[arg-type]  # an async client's is async
        self._reader: EventStream | WholeJson | None = None
        self._wire = wire

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for data in self._chunks:
                if events := self._read(data):
                    yield events
            if self._reader is not None:
                yield self._write(self._reader.end())
        except ModelError as problem:
            self._wire.problem = problem
            raise
        except httpx.HTTPError as error:
            errors.log_failure(error)
            self._wire.problem = errors.truncated()
            raise

    def _read(self, data: bytes) -> bytes:
        self._wire.on_bytes()
        if self._reader is None:
            if data.isspace():  # does not tell what the body is
                return b""
            self._reader = reader_for(data, self._wire.names)
        return self._write(self._reader.feed(data))

    def _write(self, events: Iterable[dict[str, Any]]) -> bytes:
        # Without blank lines between events: LiteLLM processes each like a chunk.
        return b"".join(
            b"data: %b\n" % _json(mended) for event in events for mended in self._wire.take(event)
        )

    async def drain(self) -> None:
        async for data in self._chunks:
            self._read(data)

    async def aclose(self) -> None:
        await self._stream.aclose()  # type: ignore[union-attr]  # as above


def _json(event: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(event)
    except orjson.JSONEncodeError:  # lone surrogates and other valid JSON
        return jsonlib.dumps(event).encode()


def _with_places(content: str | bytes | None) -> str | bytes | None:
    """Return LiteLLM's content with the thinking blocks in place."""
    if not isinstance(content, str) or thinking_blocks.PLACE not in content:
        return content
    body = jsonlib.loads(content)
    thinking_blocks.put_in_place(body)
    return jsonlib.dumps(body)
