"""A WebSocket with bounded buffers and immediate writes.

Daphne's `send` never waits for the client, so unread data piles up in the transport. Past `LIMIT`
the connection is cut; the client reconnects and gets everything in one snapshot. Daphne also never
stops reading from a client that sends faster than it is answered; this class does. And it can close
with any registered code: Autobahn's own method refuses 1012.

Frames are written at the end of the callback that sent them, with one system call per socket.
Twisted would first ask the loop whether the socket is writable, and Autobahn formats two log lines
that nobody reads: together a third of a token's cost (see `docs/performance.md`).
"""

from __future__ import annotations

import asyncio

from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.abstract import FileDescriptor

LIMIT = 4 * 1024 * 1024
"""The most bytes waiting for one client: at least twice the largest frame."""
UNANSWERED = 4 * 1024 * 1024
"""The most bytes a client may send ahead of the answers; more stays in its own connection."""
AGAIN_AFTER = 0.02
"""Seconds between two checks whether reading may resume."""
AT_ONCE = 64 * 1024
"""Bytes after which data is written without waiting for more."""

# These are private to Twisted: refuse to run with a version that has renamed them.
for _name in ("dataBuffer", "offset", "_tempDataLen"):
    if not hasattr(FileDescriptor(reactor=object()), _name):  # type: ignore[arg-type]
        raise RuntimeError(f"This Twisted has no FileDescriptor.{_name}: see {__name__}.")
for _name in ("serverSend", "serverClose", "sendCloseFrame", "sendData", "onMessage"):
    if not hasattr(WebSocketProtocol, _name):
        raise RuntimeError(f"This Daphne has no WebSocketProtocol.{_name}: see {__name__}.")


def waiting(transport: FileDescriptor) -> int:
    """Return the bytes that the client has not taken yet, besides those in the kernel's buffer."""
    size: int = len(transport.dataBuffer) - transport.offset + transport._tempDataLen
    return size


class BoundedSocket(WebSocketProtocol):
    """A WebSocket connection with bounded buffers."""

    _cut = False  # Daphne's own `muted` would suppress `websocket.disconnect` as well

    def __init__(self) -> None:
        super().__init__()
        self._unsent = bytearray()
        self._unanswered = 0
        self._is_paused = False

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803
        """Pass a frame to the application, whose queue is unbounded, and stop reading in time."""
        if self.application_queue.empty():
            self._unanswered = 0
        self._unanswered += len(payload)
        super().onMessage(payload, isBinary)
        # data already read still arrives while paused: schedule one check only
        if self._unanswered > UNANSWERED and not self._is_paused:
            self._is_paused = True
            self.transport.pauseProducing()
            asyncio.get_running_loop().call_later(AGAIN_AFTER, self._read_on)

    def _read_on(self) -> None:
        if self.application_queue.empty():
            self._is_paused = False
            self.transport.resumeProducing()
        elif self.state == self.STATE_OPEN:  # otherwise nobody takes what is left
            asyncio.get_running_loop().call_later(AGAIN_AFTER, self._read_on)

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:  # noqa: N802
        if self._cut:
            return
        if waiting(self.transport) > LIMIT:
            self._cut = True
            self.transport.abortConnection()
        elif self.state == self.STATE_OPEN:
            if not self._unsent:
                _flush_soon(self)
            self._unsent += _frame(content)
            if len(self._unsent) > AT_ONCE:
                self.flush()
        else:
            super().serverSend(content, binary)

    def send_text(self, text: str) -> bool:
        """Send the application's text, bypassing Daphne's dispatch on the kind of message.

        Returns False if the connection is not open; then Daphne's way handles it.
        """
        if self.state != self.STATE_OPEN:
            return False
        self.serverSend(text)
        return True

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:  # noqa: N802
        """Send Autobahn's own frames (pings, pongs, closes), after what was sent before."""
        self.flush()
        super().sendData(data, sync, chopsize)

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=1000 if code is None else code, isReply=False)

    def flush(self) -> None:
        """Write as much as the socket takes; the rest waits in the transport."""
        data, transport = bytes(self._unsent), self.transport
        self._unsent.clear()
        if transport.connected and data and not waiting(self.transport):
            written = transport.writeSomeData(data)
            # Anything but a number means a lost connection, which Twisted will notice too.
            data = data[written:] if isinstance(written, int) else data
        if data:
            transport.write(data)


_unflushed: list[BoundedSocket] = []


def _flush_soon(socket: BoundedSocket) -> None:
    if not _unflushed:
        asyncio.get_running_loop().call_soon(_flush)
    _unflushed.append(socket)


def _flush() -> None:
    sockets = _unflushed[:]
    _unflushed.clear()
    for socket in sockets:
        socket.flush()


def _frame(content: str | bytes) -> bytes:
    """Frame a whole message as RFC 6455 requires of a server: one fragment, unmasked."""
    payload = content.encode() if isinstance(content, str) else content
    kind = 0x81 if isinstance(content, str) else 0x82
    size = len(payload)
    if size < 126:
        return bytes((kind, size)) + payload
    width, mark = (2, 126) if size < 1 << 16 else (8, 127)
    return bytes((kind, mark)) + size.to_bytes(width, "big") + payload
