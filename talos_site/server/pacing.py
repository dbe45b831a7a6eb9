"""HTTP answers at the pace of who reads them.

Daphne's `send` never waits for the client: a long file that is read slowly would lie in memory. Here
it waits until the client has taken what was sent. Daphne also ends whatever takes longer than two
minutes as if it were whole. Here such an answer is broken off, so that nobody takes a part for the
whole, and only when nothing of it got through for that long.
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
    """One connection, which knows whether its client keeps up."""

    transport: Any  # it is a connection's

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.has_room = asyncio.Event()
        """Not set: more than 64 KiB wait for the client, until it has taken all of them."""
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
        """All is sent, and nothing more is asked for: close it, unless an answer is still read."""
        left, self._left = self._left, waiting(self.transport)
        if self._left and self._left != left:
            self.setTimeout(self.timeOut)  # type: ignore[no-untyped-call]
        else:
            super().timeoutConnection()  # type: ignore[no-untyped-call]


class PacedRequest(WebRequest):
    """One request, and its answer."""

    _left = 0
    _moved = 0.0

    @property
    def _open_channel(self) -> PacedChannel | None:
        """Twisted deletes it from a request that is over."""
        return getattr(self, "channel", None)

    async def taken(self) -> None:
        """Wait for the client, if it does not keep up."""
        if (channel := self._open_channel) is not None:
            await channel.has_room.wait()

    def handle_reply(self, message: dict[str, Any]) -> None:
        self._moved = time.monotonic()
        super().handle_reply(message)

    def handle_exception(self, exception: BaseException) -> None:
        if self._response_started:
            self._break_off()
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
            self._break_off()

    def _break_off(self) -> None:
        if (channel := self._open_channel) is not None:
            channel.transport.abortConnection()
