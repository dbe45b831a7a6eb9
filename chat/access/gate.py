"""Admits requests and connections of this server's own page, and of scripts.

The browser itself says where a request comes from, so Host and Origin are checked on every request
before anything else. That keeps other people's web pages out.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseForbidden
from django.http.request import split_domain_port, validate_host
from django.utils.decorators import sync_and_async_middleware

from chat.access import unavailable
from chat.access.owner import owner_of
from chat.db.lanes import UNAVAILABLE

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

DEFAULT_PORTS = {"http": 80, "https": 443}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

logger = logging.getLogger(__name__)


def is_foreign(origin: str, *, scheme: str, host: str) -> bool:
    """Whether an Origin header names another place than the request's own scheme, host and port."""
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return False
    return _place(origin) is None or _place(origin) != _place(f"{scheme}://{host}")


def _place(origin: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port; None for anything that is not plainly an http(s) origin."""
    try:
        parts = urlsplit(origin)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    if not parts.hostname or f"{parts.scheme}://{parts.netloc}" != origin or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, port


@sync_and_async_middleware
def gate(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Always refuse a foreign Host (400), and a foreign page (403) if the request may change something."""
    if iscoroutinefunction(get_response):

        async def async_middleware(request: HttpRequest) -> HttpResponseBase:
            refused: HttpResponseBase | None = _refuse(request)
            return refused or await get_response(request)

        return async_middleware

    def middleware(request: HttpRequest) -> HttpResponseBase:
        refused: HttpResponseBase = _refuse(request) or get_response(request)
        return refused

    return middleware


def _refuse(request: HttpRequest) -> HttpResponseForbidden | None:
    host = request.get_host()  # DisallowedHost is Django's 400
    if request.method in SAFE_METHODS:
        return None
    origin = request.headers.get("Origin")
    came_from = request.headers.get("Sec-Fetch-Site", "none")
    if origin is not None and is_foreign(origin, scheme=request.scheme or "http", host=host):
        return _forbidden("origin", origin)
    # A page on another port of this host is "same-site", but just as foreign.
    if origin not in settings.CSRF_TRUSTED_ORIGINS and came_from not in ("same-origin", "none"):
        return _forbidden("Sec-Fetch-Site", came_from)
    return None


def _forbidden(header: str, value: str) -> HttpResponseForbidden:
    logger.warning("Refused a request from another page: %s %.200r", header, value)
    return HttpResponseForbidden("Refused: this request comes from another page.\n")


class SocketGate:
    """Admits WebSockets of our own page and of scripts; refuses others with 403."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = refusal_reason(scope)
        if fault:
            logger.warning("Refused a WebSocket: %s", fault)
            await refuse(scope, receive, send)
            return
        try:
            user = await owner_of(scope)
        except UNAVAILABLE as error:
            await unavailable.refuse(receive, send, error)
            return
        await self.application({**scope, "user": user}, receive, send)


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a WebSocket, as an ASGI application: the client sees HTTP 403."""
    await receive()
    await send({"type": "websocket.close"})


def refusal_reason(scope: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the origin of a WebSocket request, if anything."""
    headers = _decode(scope["headers"])
    hosts, origins = headers.get("host", []), headers.get("origin", [])
    if len(hosts) != 1 or not validate_host(split_domain_port(hosts[0])[0], settings.ALLOWED_HOSTS):
        return f"its Host {hosts!r:.200} is not in TALOS_ALLOWED_HOSTS"
    if origins:
        scheme = "https" if scope.get("scheme") == "wss" else "http"
        if len(origins) == 1 and not is_foreign(origins[0], scheme=scheme, host=hosts[0]):
            return None
        return f"its Origin {origins!r:.200} is not this server's own"
    if any(name == "cookie" or name.startswith("sec-fetch-") for name in headers):
        return "a browser that names no Origin"
    return None  # a script


def _decode(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found
