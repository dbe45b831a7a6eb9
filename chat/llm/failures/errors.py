"""The errors of asking a model, in sentences that people understand and can act on.

One table serves all providers. No sentence guesses at a cause: the server's words go into
`details`, without our keys and addresses, and never into a sentence, as they may repeat the prompt.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from chat.errors import ContextFull, EmptyAnswer, ModelError, ModelLoading
from chat.llm.failures import details, hints, kinds, overflow
from chat.llm.failures.details import Complaint
from chat.llm.failures.kinds import Kind
from chat.llm.failures.redaction import Secrets, plain

logger = logging.getLogger(__name__)

TOO_LONG = (
    "The conversation is too long for this model. Shorten the message, start a new chat, or choose "
    "another model."
)
LONGEST_HOST = 300
_TEXTS = {
    Kind.REFUSED: "The model server did not accept the request. Its reason is in the details.",
    Kind.KEY: "The model server refused the API key. Check {key}.",
    Kind.FORBIDDEN: "The model server does not allow this. Check what {key} gives access to.",
    Kind.CREDIT: "The account at the model server has no credit or quota left. Check its billing.",
    Kind.RATE: "The model server is limiting requests. Wait {wait} and try again.",
    Kind.FILTERED: "The model server withheld the answer (its content filter). Rephrase the message "
    "and try again.",
    Kind.OVERLOADED: "The model server is overloaded. Wait {wait} and try again.",
    Kind.NO_MODEL: "The model server does not know this model. Choose another one.",
    Kind.NO_ADDRESS: "The model server has nothing at this address. Check {url}.",
    Kind.MOVED: "The model server redirects to {host}, which Talos does not follow. If that is the "
    "right address, enter it: check {url}.",
    Kind.LOADING: "The model server is still loading this model. Try again in a few minutes.",
    Kind.MEMORY: "The model server ran out of memory. Choose a smaller model, or start a new chat.",
    Kind.BAD_CALL: "The model server rejected the model's tool call. Try again.",
    Kind.SLOW: "The model server took too long. Please try again.",
    Kind.BROKEN: "The model server had an internal error. Please try again in a moment.",
    Kind.UNKNOWN: "The model server reported an error while it was answering. Please try again.",
}


@dataclass(frozen=True, slots=True)
class Names:
    """The names of the settings to check, never their values."""

    key: str = "OPENAI_API_KEY"
    url: str = "OPENAI_BASE_URL"


OPENAI = Names()


def of(complaint: Complaint, names: Names = OPENAI) -> ModelError:
    """Return the error for a complaint: `ContextFull`, `ModelLoading`, or a plain `ModelError`."""
    if full := overflow.of(complaint):
        return ContextFull(TOO_LONG, complaint.details, window=full.window, asked=full.asked)
    kind = kinds.of(complaint)
    wait = hints.for_people(complaint.wait) if complaint.wait else "a moment"
    host = _host(complaint.moved_to)
    text = _TEXTS[kind].format(key=names.key, url=names.url, wait=wait, host=host)
    return (ModelLoading if kind is Kind.LOADING else ModelError)(text, complaint.details)


def _host(address: str) -> str:
    """Return an address's host and port for display; nothing that may be secret."""
    try:
        host = urlsplit(address).netloc.rpartition("@")[2]
    except ValueError:
        host = ""
    return plain(host)[:LONGEST_HOST] or "another address of its own"


def in_stream(error: object, names: Names = OPENAI) -> ModelError:
    """Return the error for an error object within a stream."""
    return of(details.of_error(error), names)


def unreachable(names: Names = OPENAI, reason: str = "") -> ModelError:
    """Return the error for a connection that failed, or broke before any byte.

    `reason` comes from `details.reason`.
    """
    return ModelError(
        f"The model server cannot be reached. Check that it is running, and check {names.url}.",
        reason,
    )


def unreadable_key() -> ModelError:
    return ModelError("Its key can no longer be decrypted. Enter it again under Settings.")


def not_made() -> ModelError:
    """Return the error for a failure on our side, before the server answered."""
    return ModelError("The request could not be made. The log has the details.")


def silent(seconds: float) -> ModelError:
    """Return the error for that many seconds without a byte."""
    return ModelError(
        f"The model server was silent for {seconds:g} seconds, so Talos stopped waiting. "
        "Please try again."
    )


def slow(seconds: float) -> ModelError:
    """Return the error for that many seconds without a word from a live server."""
    return ModelError(
        f"The model wrote nothing for {seconds:g} seconds, so Talos stopped waiting. "
        "Please try again."
    )


def truncated(reason: str = "") -> ModelError:
    return ModelError("The model's answer was cut off.", reason)


def interrupted(reason: str) -> ModelError:
    """Return the error for an answer that the server broke off.

    `reason` is one of our own words, never the server's.
    """
    return ModelError(f"The model server stopped the answer early ({reason}). Try again.")


def empty(reason: str) -> ModelError:
    """Return the error for an answer that ended properly but has no words."""
    if reason == "content_filter":
        return ModelError(_TEXTS[Kind.FILTERED])
    if reason == "context":
        return ContextFull(TOO_LONG)
    if reason == "length":
        return ModelError("The model reached its output limit before it wrote anything.")
    return EmptyAnswer("The model's answer was empty. Please try again.")


def malformed(said: str = "") -> ModelError:
    return ModelError(
        "The model server sent something that is not an answer. Please try again.", said
    )


def no_address(names: Names, told: str) -> ModelError:
    """Return the error for an address without an endpoint. `told`: the server's words."""
    return ModelError(_TEXTS[Kind.NO_ADDRESS].format(key=names.key, url=names.url), told)


def not_a_model_server(names: Names = OPENAI) -> ModelError:
    hint = "; it usually ends in /v1" if names == OPENAI else ""
    text = "The model server returned a web page instead of an answer."
    return ModelError(f"{text} Check {names.url}{hint}.")


def too_large() -> ModelError:
    return ModelError("The model's answer is larger than Talos accepts.")


def log_failure(error: BaseException) -> None:
    """Log a transport failure by its class, the only part of it that is safe to keep."""
    logger.warning("Model request failed: %s", type(error).__name__)


def log_details(told: str) -> None:
    """Log a server's words, once redacted."""
    logger.warning("Model request failed: %s", told)


@contextmanager
def redacting(secrets: Secrets) -> Iterator[None]:
    """Redact a client's secrets from any `ModelError` raised within, and log it."""
    try:
        yield
    except ModelError as error:
        error.details = secrets.redact(error.details)
        log_details(error.details or error.message)
        raise
