"""HTTP requests whose bodies have an end, and are read once.

Daphne takes in whatever comes, before anybody is asked: a page of another site may send as much as
it likes to this host. Past `LIMIT` a request is refused and its connection closed. Twisted would
take forms apart for itself, in memory and on the event loop: ten times a file's size, and seconds
in which nobody is answered. Django does that again, and properly.
"""

from __future__ import annotations

from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest

LIMIT = 256 * 1024 * 1024
"""Bytes. The largest that is meant to come is a file to import, of half as much."""
_REFUSAL = (
    b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 26\r\n\r\nThis request is too large."
)


class BoundedRequest(WebRequest):
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

    def _refuse(self) -> None:
        if (channel := self.channel) is not None:
            channel.transport.write(_REFUSAL)
            channel.transport.loseConnection()


class BoundedFactory(HTTPFactory):
    """Makes connections with such requests."""

    def buildProtocol(self, addr: object) -> Any:  # noqa: N802  # Twisted's name
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = BoundedRequest
        return protocol
