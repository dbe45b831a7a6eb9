"""HTTP requests that have an end, and are read once.

Daphne takes in whatever comes, before anybody is asked: a page of another site may send as much as
it likes to this host. Past `LIMIT` a request is refused and its connection closed. Twisted would
take forms apart for itself, in memory and on the event loop: ten times a file's size, and seconds
in which nobody is answered. Django does that again, and properly.

What is no request, or has an address beyond 16 KB, never gets to Django: it is answered here, with
the same page as there. Twisted would close the connection without a word.
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
"""Bytes. The largest that is meant to come is a file to import, of half as much."""
_REFUSAL = (
    b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 26\r\n\r\nThis request is too large."
)
_LINGERS = 2.0
"""Seconds for a client to read a refusal: a connection that is closed on what it still sends is
reset, and then it reads nothing."""

for _name in ("_respondToBadRequestAndDisconnect", "lineLengthExceeded"):
    if not hasattr(HTTPChannel, _name):
        raise RuntimeError(f"This Twisted has no HTTPChannel.{_name}: see {__name__}.")


@cache
def _not_understood() -> bytes:
    page = render_to_string("400.html").encode()
    head = (
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
        f"Content-Type: text/html; charset=utf-8\r\nContent-Length: {len(page)}\r\n"
        + "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    )
    return head.encode() + b"\r\n" + page


class Channel(PacedChannel):
    """One connection, and what is not understood on it."""

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
            self.write(_not_understood())  # type: ignore[no-untyped-call]
            asyncio.get_running_loop().call_later(_LINGERS, self.loseConnection)


class BoundedRequest(PacedRequest):
    """One request."""

    _received = 0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options, parsePOSTFormSubmission=False)

    def gotLength(self, length: int | None) -> None:  # noqa: N802  # Twisted's name
        super().gotLength(length)
        if length is not None and length > LIMIT:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802  # Twisted's name
        """Also of a body that does not say how long it is."""
        self._received += len(data)
        if self._received > LIMIT:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def process(self) -> Any:
        """Hand it on. Nobody but an operator says where the product lies: there is no such setting."""
        self.requestHeaders.removeHeader(b"Daphne-Root-Path")
        return super().process()

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """What Daphne refuses for itself."""
        if status == 400 and self.channel is not None:
            self.channel._respondToBadRequestAndDisconnect()
        else:
            super().basic_error(status, status_text, body)

    def _refuse(self) -> None:
        if (channel := self.channel) is not None:
            channel.transport.write(_REFUSAL)
            channel.transport.loseConnection()


class BoundedFactory(HTTPFactory):
    """Makes connections with such requests."""

    protocol = Channel

    def buildProtocol(self, addr: object) -> Any:  # noqa: N802  # Twisted's name
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = BoundedRequest
        return protocol
