"""System checks before the server starts, run by `manage.py check` and `manage.py serve`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.db import connection

from tools.core import registry
from tools.core.errors import ToolDeclarationError


def is_loopback(host: str) -> bool:
    """Whether an address is reachable only from this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@register
def local_means_loopback(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    host = kwargs.get("host", settings.HOST)
    if settings.TALOS_AUTH != "local" or is_loopback(host):
        return []
    return [
        Error(
            f"HOST is {host!r}, which others can reach, but TALOS_AUTH=local requires no login: "
            "anyone who reaches the port would be the owner and the admin.",
            hint="Use HOST=127.0.0.1, and connect from elsewhere through an SSH tunnel.",
            id="talos.E001",
        )
    ]


_HOST = re.compile(
    r"\[[0-9a-fA-F:.]+\]|[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:.]*|[^\s./:*][^\s/:*]*"
)
"""An address, or a name that matches only itself, unlike `.example.com`."""


@register
def hosts_are_named(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    wrong = [name for name in settings.ALLOWED_HOSTS if not _HOST.fullmatch(name)]
    if settings.ALLOWED_HOSTS and not wrong:
        return []
    found = f", not {', '.join(map(repr, wrong))}" if wrong else ""
    return [
        Error(
            f"TALOS_ALLOWED_HOSTS must list exact names{found}: any other web page could otherwise "
            "reach this server through a name of its own (DNS rebinding).",
            hint="Unset it, or list names without scheme and port, such as localhost,127.0.0.1",
            id="talos.E002",
        )
    ]


@register(deploy=True)
def others_are_admins(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn at the start and in `check --deploy`, not in every command: it may be intended."""
    others = [name for name in settings.ALLOWED_HOSTS if not is_loopback(name)]
    if settings.TALOS_AUTH != "local" or not others:
        return []
    return [
        checks.Warning(
            f"TALOS_ALLOWED_HOSTS has {', '.join(others)}: anyone who reaches this server by that "
            "name is the owner and the admin, since TALOS_AUTH=local requires no login. They can "
            "read and delete every conversation, and approve what tools do on this machine.",
            hint="Make sure only you can reach it (a VPN, a proxy with a password), or use an SSH "
            "tunnel, which needs no other name.",
            id="talos.W003",
        )
    ]


@register
def redis_is_not_used(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if not settings.REDIS_URL_IS_SET:
        return []
    if connection.vendor == "postgresql":
        words = (
            "REDIS_URL is set, but this version does not use it: servers that share a PostgreSQL "
            "database communicate through it, within a second or two."
        )
    else:
        words = "REDIS_URL is set, but this version does not use it: SQLite has one server process."
    return [checks.Warning(words, hint="Unset it.", id="talos.W001")]


@register
def variables_are_known(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    return [
        checks.Warning(
            f"{name} is set, but there is no such variable.",
            hint=f"Did you mean {meant}?" if meant else "Unset it. README.md lists all variables.",
            id="talos.W002",
        )
        for name, meant in settings.UNKNOWN_VARIABLES.items()
    ]


@register
def tools_can_be_offered(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    try:
        registry.load(tuple(settings.TALOS_TOOLS))
    except ToolDeclarationError as error:
        return [Error(f"{error.where}: {error.problem}.", hint=error.hint, id="talos.E010")]
    return []
