"""Reads the error that a model server sent instead of an answer, in any of the common formats.

Those of OpenAI, Anthropic, Gemini, FastAPI, OpenRouter, Ollama and vLLM, web pages, plain text.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

import orjson

from chat.llm.failures import hints
from chat.llm.failures.redaction import LONGEST, plain, text_of_page

LARGEST = 64 * 1024
"""Bytes of a refusal to read."""
LARGEST_COUNT = 1_000_000_000
"""Tokens: more than any model holds, and within the columns' limit of about twice that."""
_DEPTH = 6  # nested errors, as gateways wrap them
_ADDRESS = re.compile(r"\bhttps?://\S+")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One refusal, or one error in a stream."""

    status: int | None
    """The HTTP status, or the number given in the error."""
    message: str
    """The server's own words as plain text (`redaction.plain`); may be empty."""
    codes: tuple[str, ...] = ()
    """Error codes in lower case, the most specific first."""
    about: str = ""
    """The part of the request that the error names besides the message."""
    wait: float = 0
    """Seconds to wait, as the server asks."""
    window: int | None = None
    asked: int | None = None
    """Tokens, if given in fields of their own."""
    moved_to: str = ""
    """The target of a redirect."""

    @property
    def details(self) -> str:
        """Status and message; `redaction.Secrets` shortens them."""
        if self.status is None:
            return self.message or " ".join(self.codes) or "no message"
        return f"{self.status}: {self.message or 'no message'}"

    @property
    def words(self) -> str:
        """The text to search for patterns: lower case, without addresses."""
        return _ADDRESS.sub("", f"{self.message[:LONGEST]} {self.about}").lower()


def read(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Complaint:
    """Read a response with an error status, from the first bytes of its body."""
    text = body[:LARGEST].decode("utf-8", "replace").strip()
    if 300 <= status < 400:
        moved_to = (headers or {}).get("Location", "")
        return Complaint(status, plain(f"redirects to {moved_to}"), moved_to=moved_to)
    error = _decode_json(text.removeprefix("data:"))
    if error is None:
        message = text_of_page(text) if text.startswith("<") else plain(text)
        return Complaint(status, message, wait=hints.requested_wait(headers or {}, message))
    return _complaint(error, status, headers or {})


def of_error(error: object) -> Complaint:
    """Read an error object from a stream, or its text."""
    numbers = (_status(part.get(name)) for part in _parts(error) for name in _NUMBERS)
    return _complaint(error, next(filter(None, numbers), None), {})


def reason(error: BaseException) -> str:
    """Return why a connection failed, in the system's words, without the address."""
    seen: BaseException | None = error
    for _ in range(8):
        if seen is None:
            break
        if words := _reason(seen):
            return words
        seen = getattr(seen, "os_error", None) or seen.__cause__ or seen.__context__
    return type(error).__name__


_NUMBERS = ("code", "status", "status_code", "http_code")


def _complaint(error: object, status: int | None, headers: Mapping[str, str]) -> Complaint:
    parts = list(_parts(error))
    message = plain(_message(error, _DEPTH))
    codes = (part.get(name) for part in parts for name in ("code", "type", "status", "error_type"))
    about = (part.get("param") for part in parts)
    delays = (_delay(part.get("details")) for part in parts)
    return Complaint(
        status,
        message,
        tuple(plain(code.lower()) for code in codes if _is_code(code)),
        plain(next((name for name in about if isinstance(name, str)), "")[:200]),
        hints.requested_wait(headers, message) or max(delays, default=0),
        _count(parts, "n_ctx"),
        _count(parts, "n_prompt_tokens"),
    )


def _is_code(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= 100


def _parts(error: object) -> Iterator[dict[str, Any]]:
    """Yield the objects that may carry a code, the innermost first."""
    if isinstance(error, list):
        error = error[0] if error else None
    if isinstance(error, dict):
        for name in ("error", "message", "detail"):
            inner = error.get(name)
            if isinstance(inner, dict):
                yield inner
        yield error


def _message(error: object, depth: int) -> str:
    match error:
        case str():
            inner = _decode_json(error) if depth > 0 and error.lstrip()[:1] in ("{", "[") else None
            return (_message(inner, depth - 1) if inner is not None else "") or error
        case list():
            return "; ".join(filter(None, (_message(each, depth - 1) for each in error[:10])))
        case dict() if depth > 0:
            return _message_of(error, depth - 1)
        case _:
            return ""


def _message_of(error: dict[str, Any], depth: int) -> str:
    if "loc" in error and "msg" in error:
        place = error["loc"] if isinstance(error["loc"], list) else [error["loc"]]
        return f"{'.'.join(map(str, place[:10]))}: {error['msg']}"
    names = ("error", "message", "detail", "errors", "msg", "error_message", "reason")
    said = next(filter(None, (_message(error.get(name), depth) for name in names)), "")
    metadata = error.get("metadata")
    if isinstance(metadata, dict) and (raw := _message(metadata.get("raw"), depth)):
        provider = metadata.get("provider_name")
        said = f"{said} ({provider}: {raw})" if isinstance(provider, str) else f"{said} ({raw})"
    return said


def _delay(details: object) -> float:
    """Return the delay in Gemini's `RetryInfo`, in seconds."""
    entries = details if isinstance(details, list) else []
    delays = (entry.get("retryDelay") for entry in entries if isinstance(entry, dict))
    return max((hints.duration(d[:50]) for d in delays if isinstance(d, str)), default=0)


def _decode_json(text: str) -> Any:
    """Decode a JSON object or list; None for anything else."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict | list) else None


def _status(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
        value = int(value)
    return value if isinstance(value, int) and 400 <= value < 600 else None


def _count(parts: list[dict[str, Any]], name: str) -> int | None:
    counts = (part.get(name) for part in parts)
    return next((n for n in counts if type(n) is int and 0 < n < LARGEST_COUNT), None)


def _reason(error: BaseException) -> str:
    name = type(error).__name__
    if isinstance(error, ssl.SSLCertVerificationError):
        verified = getattr(error, "verify_message", "")  # aiohttp's own class lacks it
        return f"Certificate verify failed: {plain(verified)}" if verified else ""
    if isinstance(error, ssl.SSLError):
        failed = getattr(error, "reason", "")
        return f"TLS failed: {failed.replace('_', ' ').lower()}" if failed else ""
    if isinstance(error, socket.gaierror) or "DNS" in name:
        return "Name or service not known"
    if name == "ClientHttpProxyError":
        return f"The proxy refused the connection: {getattr(error, 'status', '')}"
    if "Disconnected" in name or "RemoteProtocol" in name:
        return "The server closed the connection without an answer"
    if isinstance(error, TimeoutError) or name == "ConnectTimeout":
        return "Connecting timed out"
    return _system_error(error) if isinstance(error, OSError) else ""


def _system_error(error: OSError) -> str:
    named = re.search(r"\[Errno (\d{1,3})\]", str(error)[:500])  # of several parallel attempts
    number = error.errno or (int(named[1]) if named else 0)
    return os.strerror(number) if number in errno.errorcode else ""
