"""HTTP requests of limited size, parsed only once.

Daphne accepts any body before asking anyone, so a page of another site may send this host as much
as it likes. Past `LIMIT` a request is refused and its connection closed. Twisted would also parse
forms itself, in memory and on the event loop: ten times a file's size, and seconds in which nobody
is answered. Django parses them again anyway.

Malformed requests, and addresses beyond 16 KB, never reach Django: they are answered here with
Django's page. Twisted would close the connection without a word.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

from daphne.http_protocol import HTTPFactory
from django.template.loader import render_to_string
from twisted.web.http import HTTPChannel

from chat.access.headers import HEADERS
from talos_site.server.pacing import PacedChannel, PacedRequest

LIMIT = 256 * 1024 * 1024
"""The most bytes of a request. The largest expected one is half as large: a file to import."""
_REFUSAL = (
    b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 26\r\n\r\nThis request is too large."
)
_LINGERS = 2.0
"""Seconds for a client to read a refusal. Closing while it still sends would reset the connection,
and it would read nothing."""

for _name in ("_respondToBadRequestAndDisconnect", "lineLengthExceeded"):
    if not hasattr(HTTPChannel, _name):
        raise RuntimeError(f"This Twisted has no HTTPChannel.{_name}: see {__name__}.")


@cache
def _bad_request() -> bytes:
    page = render_to_string("400.html").encode()
    head = (
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
        f"Content-Type: text/html; charset=utf-8\r\nContent-Length: {len(page)}\r\n"
        + "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    )
    return head.encode() + b"\r\n" + page


class Channel(PacedChannel):
    """An HTTP connection that answers malformed requests."""

    _is_refused = False

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  # Twisted's name
        if not self._is_refused:
            super().dataReceived(data)  # type: ignore[no-untyped-call]

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802  # likewise
        self._respondToBadRequestAndDisconnect()

    def _respondToBadRequestAndDisconnect(self) -> None:  # noqa: N802  # likewise
        if not self._is_refused:
            self._is_refused = True
            self.clearLineBuffer()  # type: ignore[no-untyped-call]
            self.write(_bad_request())  # type: ignore[no-untyped-call]
            asyncio.get_running_loop().call_later(_LINGERS, self.loseConnection)


class BoundedRequest(PacedRequest):
    """A request of limited size."""

    _received = 0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options, parsePOSTFormSubmission=False)

    def gotLength(self, length: int | None) -> None:  # noqa: N802  # Twisted's name
        super().gotLength(length)
        if length is not None and length > LIMIT:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802  # Twisted's name
        """Count received bytes: a body may not declare its length."""
        self._received += len(data)
        if self._received > LIMIT:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def process(self) -> Any:
        """Pass the request on, ignoring a client's `Daphne-Root-Path`: the root path is not configurable."""
        self.requestHeaders.removeHeader(b"Daphne-Root-Path")
        return super().process()

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """Answer requests that Daphne refuses."""
        if status == 400 and self.channel is not None:
            self.channel._respondToBadRequestAndDisconnect()
        else:
            super().basic_error(status, status_text, body)

    def _refuse(self) -> None:
        if (channel := self.channel) is not None:
            channel.transport.write(_REFUSAL)
            channel.transport.loseConnection()


class BoundedFactory(HTTPFactory):
    """Makes connections with bounded requests."""

    protocol = Channel

    def buildProtocol(self, addr: object) -> Any:  # noqa: N802  # Twisted's name
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = BoundedRequest
        return protocol
