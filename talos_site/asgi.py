"""The ASGI application: pages over HTTP, the chat over a WebSocket."""

from __future__ import annotations

import os

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path, re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "talos_site.settings")
django.setup(set_prefix=False)  # the imports below need its models

from chat.access.gate import SocketGate, refuse  # noqa: E402
from chat.socket.consumer import ChatConsumer  # noqa: E402
from talos_site.server.threads import Pages  # noqa: E402

sockets = URLRouter(
    [
        path("api/chat/ws", ChatConsumer.as_asgi()),
        re_path(r"", refuse),  # type: ignore[arg-type]  # an ASGI application, not a view
    ]
)
application = ProtocolTypeRouter({"http": Pages(), "websocket": SocketGate(sockets)})
