"""Daphne, started in this process with limits, and stopped in good order.

Above it stands `manage.py serve`, which prepares and explains; below it the ASGI application.
Nothing here knows what a turn is: `Lifecycle` is all that the turn engine has to offer.
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

from talos_site.server.reactor import loop  # first: see its docstring

import daphne.http_protocol  # isort: skip
import daphne.server  # isort: skip
import daphne.ws_protocol  # isort: skip
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred

from chat.management.signals import SIGNALS, StopSignals
from talos_site.server.backpressure import BoundedSocket
from talos_site.server.bodies import BoundedFactory
from talos_site.server.pacing import PacedRequest

reactor: Any = _reactor  # Twisted types the module, not the reactor that stands in for it

# Daphne measures how old its connections are, and nothing else, by the wall clock: one that jumps
# by a day would close them all.
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
"""Seconds of draining before a person at the terminal is told what is going on."""
FAREWELL = 1.0
"""Seconds for close frames to reach their clients, and for requests to be answered to their end."""


def _allow_many_files() -> None:
    """Each connection is one, and what shells allow by default is a thousand."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Lifecycle(Protocol):
    """What runs beside the sockets."""

    async def start(self) -> None: ...
    async def drain(self) -> None: ...


class Server(daphne.server.Server):
    """Listens on a socket that is bound already, and drains before it stops."""

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
        """Until a signal. Whatever the engine's start raises is raised here."""
        _allow_many_files()
        loop.run_until_complete(self.engine.start())
        self.listener.listen(1024)
        # From inside the loop: uvloop loses a signal that comes before it runs, and so would we
        # one that is sent at the sight of the ready line.
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
        """Daphne's hook at a connection's beginning."""
        if isinstance(protocol, BoundedSocket):
            scope = {**scope, "extensions": {"talos.send_text": protocol.send_text}}
        return super().create_application(protocol, scope)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Daphne's hook for what the application sends."""
        await super().handle_reply(protocol, message)
        if isinstance(protocol, PacedRequest):
            await protocol.taken()

    def kill_all_applications(self) -> Deferred[Any]:
        """Daphne's hook before it stops. Running answers come to their end first."""
        drained: Deferred[Any] = Deferred.fromFuture(asyncio.ensure_future(self._drain()))
        drained.addBoth(lambda _: self._kill_applications())
        return drained

    def _kill_applications(self) -> Any:
        # A connection whose application has ended has none to kill, which Daphne overlooks.
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
            if not self._sockets_open() and not self._requests_open():
                return
            await asyncio.sleep(0.02)

    def _sockets_open(self) -> bool:
        return any(
            isinstance(protocol, BoundedSocket) and protocol.state == protocol.STATE_CLOSING
            for protocol, details in self.connections.items()
            if "disconnected" not in details
        )

    def _requests_open(self) -> bool:
        return any(
            not isinstance(protocol, BoundedSocket) and not details["application_instance"].done()
            for protocol, details in self.connections.items()
            if "application_instance" in details
        )
