"""HTTP responses sent at the pace of their readers.

Daphne's `send` never waits for the client, so a long file that is read slowly would fill memory.
Here it waits until the client has taken what was sent. Daphne also ends a response after two minutes
as if it were complete. Here it is aborted, so that nobody takes a part for the whole, and only when
nothing got through for that long.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from daphne.http_protocol import WebRequest
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from talos_site.server.backpressure import waiting

for _name in ("pauseProducing", "resumeProducing", "timeoutConnection"):
    if not hasattr(HTTPChannel, _name):
        raise RuntimeError(f"This Twisted has no HTTPChannel.{_name}: see {__name__}.")


class PacedChannel(HTTPChannel):
    """An HTTP connection that knows whether its client keeps up."""

    transport: Any  # a connection's transport

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.has_room = asyncio.Event()
        """Cleared when more than 64 KiB wait for the client, until it has taken them all."""
        self.has_room.set()
        self._left = 0

    def pauseProducing(self) -> None:  # noqa: N802  # Twisted's name
        self.has_room.clear()
        super().pauseProducing()  # type: ignore[no-untyped-call]

    def resumeProducing(self) -> None:  # noqa: N802  # likewise
        self.has_room.set()
        super().resumeProducing()  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802  # likewise
        self.has_room.set()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def timeoutConnection(self) -> None:  # noqa: N802  # likewise
        """Close an idle connection, unless the client is still reading a response."""
        left, self._left = self._left, waiting(self.transport)
        if self._left and self._left != left:
            self.setTimeout(self.timeOut)  # type: ignore[no-untyped-call]
        else:
            super().timeoutConnection()  # type: ignore[no-untyped-call]


class PacedRequest(WebRequest):
    """A request and its response."""

    _left = 0
    _moved = 0.0

    @property
    def _open_channel(self) -> PacedChannel | None:
        """The connection; Twisted deletes it from a finished request."""
        return getattr(self, "channel", None)

    async def wait_for_client(self) -> None:
        """Wait until the client has taken what was sent."""
        if (channel := self._open_channel) is not None:
            await channel.has_room.wait()

    def handle_reply(self, message: dict[str, Any]) -> None:
        self._moved = time.monotonic()
        super().handle_reply(message)

    def handle_exception(self, exception: BaseException) -> None:
        if self._response_started:
            self._abort()
        else:
            super().handle_exception(exception)

    def check_timeouts(self) -> None:
        if not self._response_started or (channel := self._open_channel) is None:
            super().check_timeouts()
            return
        left, self._left = self._left, waiting(channel.transport)
        now = time.monotonic()
        if self._left != left:
            self._moved = now
        elif now - self._moved > self.server.http_timeout:
            self._abort()

    def _abort(self) -> None:
        if (channel := self._open_channel) is not None:
            channel.transport.abortConnection()
