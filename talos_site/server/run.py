"""Running Daphne in this process with limits, and stopping it in good order.

`manage.py serve` prepares and starts it; it serves the ASGI application. It knows nothing of turns:
`Lifecycle` is all it uses of the turn engine.
"""

from __future__ import annotations

import asyncio
import resource
import socket
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Protocol

from talos_site.server.reactor import loop  # must come first: see its docstring

import daphne.http_protocol  # isort: skip
import daphne.server  # isort: skip
import daphne.ws_protocol  # isort: skip
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred

from chat.management.signals import SIGNALS, StopSignals
from talos_site.server.backpressure import BoundedSocket
from talos_site.server.bodies import BoundedFactory
from talos_site.server.pacing import PacedRequest

reactor: Any = _reactor  # Twisted types the module, not the reactor that replaces it

# Daphne uses the wall clock, only for the age of its connections: a jump by a day would close them
# all.
for _module in (daphne.server, daphne.http_protocol, daphne.ws_protocol):
    if _module.time is not time:
        raise RuntimeError(f"This Daphne keeps its time elsewhere: see {__name__}.")
    _module.time = SimpleNamespace(time=time.monotonic)

LIMITS: dict[str, Any] = {
    "http_timeout": 120,
    "websocket_handshake_timeout": 10,
    "websocket_connect_timeout": 10,
    "websocket_timeout": 86_400,
    "ping_interval": 20,
    "ping_timeout": 20,
    "application_close_timeout": 10,
    "websocket_max_message_size": 1_048_576,
    "websocket_max_frame_size": 1_048_576,
    "server_name": "",
}
PATIENCE = 0.3
"""Seconds of draining before a person at the terminal is told why."""
FAREWELL = 1.0
"""Seconds for close frames to reach their clients and for responses to be completed."""


def _allow_many_files() -> None:
    """Raise the limit of open files: each connection is one, and shells allow a thousand."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Lifecycle(Protocol):
    """What the server starts, and drains before it stops."""

    async def start(self) -> None: ...
    async def drain(self) -> None: ...


class Server(daphne.server.Server):
    """Daphne's server on a socket that is bound already; drains before it stops."""

    def __init__(
        self,
        application: Any,
        listener: socket.socket,
        engine: Lifecycle,
        *,
        signals: StopSignals | None = None,
        drain_seconds: int,
    ) -> None:
        # Daphne insists on an endpoint; we listen on our own socket, in `_listen`.
        super().__init__(
            application,
            endpoints=["ours"],
            signal_handlers=False,
            ready_callable=self._listen,
            **LIMITS,
        )
        self.endpoints: list[str] = []
        self.connections: dict[Any, dict[str, Any]] = {}
        self.listener = listener
        self.engine = engine
        self.signals = signals or StopSignals()
        self.drain_seconds = drain_seconds
        self.port: Any = None

    def serve(self, on_ready: Callable[[], None]) -> None:
        """Serve until signalled. Errors of the engine's start are raised here."""
        _allow_many_files()
        loop.run_until_complete(self.engine.start())
        self.listener.listen(1024)
        # From inside the loop: uvloop loses signals that arrive before it runs, so one sent on
        # sight of the ready line would be lost.
        loop.call_soon(self._take_signals)
        loop.call_soon(on_ready)
        self.run()
        self.signals.take()

    def _take_signals(self) -> None:
        self.signals.ask = self.stop
        for number in SIGNALS:
            loop.add_signal_handler(number, self.signals.handle, number)

    def _listen(self) -> None:
        self.ws_factory.protocol = BoundedSocket
        self.http_factory = BoundedFactory(self)
        self.port = reactor.adoptStreamPort(
            self.listener.fileno(), self.listener.family, self.http_factory
        )

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Daphne's hook for a new connection."""
        if isinstance(protocol, BoundedSocket):
            scope = {**scope, "extensions": {"talos.send_text": protocol.send_text}}
        return super().create_application(protocol, scope)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Daphne's hook for what the application sends."""
        await super().handle_reply(protocol, message)
        if isinstance(protocol, PacedRequest):
            await protocol.wait_for_client()

    def kill_all_applications(self) -> Deferred[Any]:
        """Daphne's hook before it stops: let running answers finish first."""
        drained: Deferred[Any] = Deferred.fromFuture(asyncio.ensure_future(self._drain()))
        drained.addBoth(lambda _: self._kill_applications())
        return drained

    def _kill_applications(self) -> Any:
        # Daphne overlooks that a connection whose application has ended has none to kill.
        self.connections = {
            protocol: details
            for protocol, details in self.connections.items()
            if "application_instance" in details
        }
        return super().kill_all_applications()

    async def _drain(self) -> None:
        if self.port is not None:
            self.port.stopListening()
        self.listener.close()
        draining = asyncio.ensure_future(self.engine.drain())
        await asyncio.wait({draining}, timeout=PATIENCE)
        await asyncio.sleep(0)
        if not draining.done():
            note = f"Finishing running answers, up to {self.drain_seconds} s; press Ctrl+C again to stop now."
            print(note, file=sys.stderr, flush=True)  # noqa: T201  # for the person at the terminal
        try:
            await draining
        finally:
            await self._say_goodbye()

    async def _say_goodbye(self) -> None:
        for _ in range(int(FAREWELL / 0.02)):
            if not self._has_open_sockets() and not self._has_open_requests():
                return
            await asyncio.sleep(0.02)

    def _has_open_sockets(self) -> bool:
        return any(
            isinstance(protocol, BoundedSocket) and protocol.state == protocol.STATE_CLOSING
            for protocol, details in self.connections.items()
            if "disconnected" not in details
        )

    def _has_open_requests(self) -> bool:
        return any(
            not isinstance(protocol, BoundedSocket) and not details["application_instance"].done()
            for protocol, details in self.connections.items()
            if "application_instance" in details
        )
