"""What can go wrong with a model, in words that a person understands and can act on.

One table for all providers. What a provider wrote, its address and the key never get into a text,
a cause or the log: an error body may repeat the prompt, and an address may hold a password.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from chat.errors import EmptyAnswer, ModelError

logger = logging.getLogger(__name__)

RETRYABLE = frozenset({408, 409, 429, 500, 502, 503, 504})

_STATUS = {
    400: "The model server did not accept the request. The conversation may be too long for this "
    "model, or the model may lack something that was asked of it. Try another model.",
    401: "The model server refused the API key. Check {key}.",
    402: "The account at the model server has no credit left.",
    403: "The model server does not allow this. Check what {key} gives access to.",
    404: "The model server does not know this model. Choose another one, or check {url}.",
    408: "The model server took too long. Please try again.",
    413: "The conversation is too long for this model. Start a new one, or choose another model.",
    429: "The model server is limiting requests. Wait a moment and try again.",
    503: "The model server is overloaded. Wait a moment and try again.",
}
_REFUSED = "The model server refused the request. Try another model, or check {url}."
_BROKEN = "The model server had an internal error. Please try again in a moment."


@dataclass(frozen=True, slots=True)
class Names:
    """What a person is to check: the names of settings, never their values."""

    key: str = "OPENAI_API_KEY"
    url: str = "OPENAI_BASE_URL"


OPENAI = Names()


def of_status(status: int, names: Names = OPENAI) -> ModelError:
    text = _STATUS.get(status) or (_BROKEN if status >= 500 else _REFUSED)
    return ModelError(text.format(key=names.key, url=names.url))


_TYPES = {  # Anthropic's words, which have no number beside them in a stream
    "authentication_error": 401,
    "billing_error": 402,
    "invalid_request_error": 400,
    "not_found_error": 404,
    "overloaded_error": 503,
    "permission_error": 403,
    "rate_limit_error": 429,
    "request_too_large": 413,
    "timeout_error": 408,
}


def in_stream(error: object, names: Names = OPENAI) -> ModelError:
    """An error object that a server sent in place of a piece. Only its kind is believed."""
    if isinstance(error, dict):
        code = error.get("code")
        status = code if isinstance(code, int) else _TYPES.get(str(error.get("type")), 0)
        if 400 <= status < 600:
            return of_status(status, names)
    return ModelError(
        "The model server reported an error while it was answering. Please try again."
    )


def unreachable(names: Names = OPENAI) -> ModelError:
    return ModelError(
        f"The model server cannot be reached. Check that it is running, and check {names.url}."
    )


def silent(seconds: float) -> ModelError:
    return ModelError(
        f"The model was silent for {seconds:g} seconds, so Talos stopped waiting. Please try again."
    )


def truncated() -> ModelError:
    return ModelError("The model's answer was cut off.")


def empty(reason: str) -> ModelError:
    """A proper end without a word before it."""
    if reason == "content_filter":
        return ModelError("The model server withheld the answer (its content filter).")
    if reason == "length":
        return ModelError("The model reached its output limit before it wrote anything.")
    return EmptyAnswer("The model's answer was empty. Please try again.")


def malformed() -> ModelError:
    return ModelError("The model server sent something that is not an answer. Please try again.")


def not_a_model_server(names: Names = OPENAI) -> ModelError:
    hint = ": it usually ends in /v1" if names == OPENAI else ""
    return ModelError(f"A web page came back in place of an answer. Check {names.url}{hint}.")


def too_large() -> ModelError:
    return ModelError("The model's answer is larger than Talos accepts.")


def note(error: BaseException, status: int | None = None) -> None:
    """Log a failure by its class and status: nothing else of it is safe to keep."""
    logger.warning("Model request failed: %s, status %s", type(error).__name__, status)
