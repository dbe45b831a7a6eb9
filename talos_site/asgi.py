"""The ASGI application: pages over HTTP, the chat over a WebSocket."""

from __future__ import annotations

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path, re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "talos_site.settings")
pages = get_asgi_application()  # sets Django up: what follows needs its models

from chat.access import SocketGate, refuse  # noqa: E402
from chat.consumers import ChatConsumer  # noqa: E402

sockets = URLRouter(
    [
        path("api/chat/ws", ChatConsumer.as_asgi()),
        re_path(r"", refuse),  # type: ignore[arg-type]  # an ASGI application, not a view
    ]
)
application = ProtocolTypeRouter({"http": pages, "websocket": SocketGate(sockets)})
