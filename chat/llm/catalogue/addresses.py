"""Normalizes the addresses of model servers as people write them."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

EXAMPLE = "http://127.0.0.1:8080/v1"
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_ENDPOINT = re.compile(
    r"(/chat/completions|/completions|/responses|/embeddings|/models)$", re.IGNORECASE
)
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?", re.IGNORECASE)
_AROUND = " \t\r\n\"'`<>“”\u2018\u2019"
_LOCAL_ENDS = (".local", ".localhost", ".internal", ".lan", ".home", ".home.arpa")


def normalize(given: str) -> str:
    """Return a server's base address, with its scheme and without a trailing endpoint.

    Raises `ValueError` with a hint for people. The hint never repeats the input, because an
    address may contain a password.
    """
    text = given.strip(_AROUND).replace("\\", "/")
    if re.search(r"\s|[\x00-\x20\x7f]", text):
        raise ValueError(_hint("it contains a space"))
    if not _SCHEME.match(text):
        text = f"{_scheme_of(text)}://{text.removeprefix('//')}"
    scheme, _, rest = text.partition("://")
    if scheme.lower() not in ("http", "https"):
        raise ValueError(_hint("it must begin with http:// or https://"))
    if "?" in rest or "#" in rest:
        raise ValueError(_hint("leave out ? or # and everything after it"))
    try:
        parts = urlsplit(f"{scheme.lower()}://{rest}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(_hint("its host or port is wrong")) from None
    if not _is_host(host) or port == 0:
        raise ValueError(_hint("its host or port is wrong"))
    path = _without_endpoint(parts.path)
    return parts._replace(path=path).geturl()


def _hint(problem: str) -> str:
    return f"{problem}; examples: {EXAMPLE} and https://api.openai.com/v1"


def _without_endpoint(path: str) -> str:
    path = path.rstrip("/")
    while (shorter := _ENDPOINT.sub("", path).rstrip("/")) != path:
        path = shorter
    return path


def _scheme_of(text: str) -> str:
    """Return `http` for this machine and its network, `https` for everything else."""
    authority = re.split(r"[/?#]", text.removeprefix("//"), maxsplit=1)[0].rpartition("@")[2]
    try:
        host = urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return "https"
    try:
        return "http" if not ip_address(host).is_global else "https"
    except ValueError:
        pass
    is_local = host == "localhost" or "." not in host or host.endswith(_LOCAL_ENDS)
    return "http" if is_local else "https"


def _is_host(host: str) -> bool:
    if ":" in host:
        try:
            return bool(ip_address(host.partition("%")[0]))
        except ValueError:
            return False
    try:
        ascii_host = host.encode("idna").decode()
    except UnicodeError:
        return False
    if re.fullmatch(r"[\d.]+", ascii_host):
        try:
            return bool(ip_address(ascii_host))
        except ValueError:
            return False
    return bool(_HOST.fullmatch(ascii_host)) and ".." not in ascii_host
