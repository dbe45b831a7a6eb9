"""What can go wrong with a model, in words that a person understands and can act on.

One table for all providers. None guesses at a cause: what a server said of it goes into `details`,
without keys and addresses of ours, and never into a sentence, because it may repeat the prompt.
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
    """What a person is to check: the names of settings, never their values."""

    key: str = "OPENAI_API_KEY"
    url: str = "OPENAI_BASE_URL"


OPENAI = Names()


def of(complaint: Complaint, names: Names = OPENAI) -> ModelError:
    """The error for what a server said: `ContextFull` and `ModelLoading` where it is that."""
    if full := overflow.of(complaint):
        return ContextFull(TOO_LONG, complaint.details, window=full.window, asked=full.asked)
    kind = kinds.of(complaint)
    wait = hints.words(complaint.wait) if complaint.wait else "a moment"
    host = _host(complaint.moved_to)
    text = _TEXTS[kind].format(key=names.key, url=names.url, wait=wait, host=host)
    return (ModelLoading if kind is Kind.LOADING else ModelError)(text, complaint.details)


def _host(address: str) -> str:
    """Where an address leads, in words: its host and port; nothing that may be secret."""
    try:
        host = urlsplit(address).netloc.rpartition("@")[2]
    except ValueError:
        host = ""
    return plain(host)[:LONGEST_HOST] or "another address of its own"


def in_stream(error: object, names: Names = OPENAI) -> ModelError:
    """An error object that a server sent in place of a piece."""
    return of(details.of_error(error), names)


def unreachable(names: Names = OPENAI, reason: str = "") -> ModelError:
    """There was no connection, or it broke before anything came. `reason`: `details.reason`."""
    return ModelError(
        f"The model server cannot be reached. Check that it is running, and check {names.url}.",
        reason,
    )


def unreadable_key() -> ModelError:
    return ModelError("Its key can no longer be decrypted. Enter it again under Settings.")


def not_made() -> ModelError:
    """It failed on our side, before a server said anything."""
    return ModelError("The request could not be made. The log has the details.")


def silent(seconds: float) -> ModelError:
    """Nothing at all came for so long."""
    return ModelError(
        f"The model server was silent for {seconds:g} seconds, so Talos stopped waiting. "
        "Please try again."
    )


def slow(seconds: float) -> ModelError:
    """The server shows signs of life, but no word came for so long."""
    return ModelError(
        f"The model wrote nothing for {seconds:g} seconds, so Talos stopped waiting. "
        "Please try again."
    )


def truncated(reason: str = "") -> ModelError:
    return ModelError("The model's answer was cut off.", reason)


def interrupted(reason: str) -> ModelError:
    """`reason` is one of our own words, never the server's."""
    return ModelError(f"The model server stopped the answer early ({reason}). Try again.")


def empty(reason: str) -> ModelError:
    """A proper end without a word before it."""
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
    """`told`: what the server said of it."""
    return ModelError(_TEXTS[Kind.NO_ADDRESS].format(key=names.key, url=names.url), told)


def not_a_model_server(names: Names = OPENAI) -> ModelError:
    hint = ": it usually ends in /v1" if names == OPENAI else ""
    text = "The model server returned a web page instead of an answer."
    return ModelError(f"{text} Check {names.url}{hint}.")


def too_large() -> ModelError:
    return ModelError("The model's answer is larger than Talos accepts.")


def note(error: BaseException) -> None:
    """Log a failure of the transport by its class: nothing else of it is safe to keep."""
    logger.warning("Model request failed: %s", type(error).__name__)


def note_details(told: str) -> None:
    """Log what a server said, when nothing of ours is in it any more."""
    logger.warning("Model request failed: %s", told)


@contextmanager
def without(secrets: Secrets) -> Iterator[None]:
    """Take a client's secrets out of whatever fails in here, and log it."""
    try:
        yield
    except ModelError as error:
        error.details = secrets.out_of(error.details)
        note_details(error.details or error.message)
        raise
