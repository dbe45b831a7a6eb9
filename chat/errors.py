"""The errors that Talos raises on purpose. Each class has the protocol's code.

    TalosError
    ├── InvalidJson      not JSON at all
    ├── InvalidFrame     JSON, but not a frame of ours
    ├── UnknownAction    a frame with an unknown action
    ├── SessionNotFound  no such conversation, or somebody else's
    ├── MessageTooLong
    ├── UnknownModel
    ├── ModelError       the model failed; the turn is `failed`
    │   ├── ContextFull   the request was longer than its context
    │   ├── EmptyAnswer   it ended properly without a word
    │   └── ModelLoading  its server is still loading it
    ├── RateLimited
    ├── NotAllowed
    └── Internal         a fault of the server; the log has the details

Any other exception is a bug: it is logged once at the edge and shown as `Internal`.
"""

from __future__ import annotations

from typing import ClassVar


class TalosError(Exception):
    """Safe to show: `code` is for programs and stable, `message` is for people."""

    code: ClassVar[str]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidJson(TalosError):
    """The frame is not JSON text."""

    code = "invalid_json"


class InvalidFrame(TalosError):
    """The frame is JSON, but a field is missing, of the wrong type or has forbidden characters."""

    code = "invalid_frame"


class UnknownAction(TalosError):
    """The frame's `action` is not in the protocol."""

    code = "unknown_action"


class SessionNotFound(TalosError):
    """No such conversation, or not yours: one answer for both, so that ids leak nothing."""

    code = "session_not_found"

    def __init__(self, message: str = "This conversation does not exist.") -> None:
        super().__init__(message)


class MessageTooLong(TalosError):
    """A message has more code points than allowed."""

    code = "message_too_long"


class UnknownModel(TalosError):
    """No configured provider offers the model."""

    code = "unknown_model"


class ModelError(TalosError):
    """The model refused, was cut off, stayed silent or sent an invalid answer."""

    code = "model_error"

    def __init__(self, message: str, details: str = "") -> None:
        """`details`: the status and the server's own words, without our keys and addresses."""
        super().__init__(message)
        self.details = details


class ContextFull(ModelError):
    """The conversation is longer than the model's context."""

    def __init__(
        self,
        message: str,
        details: str = "",
        *,
        window: int | None = None,
        asked: int | None = None,
    ) -> None:
        """`window` and `asked`: tokens, if the server named them."""
        super().__init__(message, details)
        self.window = window
        self.asked = asked


class EmptyAnswer(ModelError):
    """The model ended properly without a word or a call."""


class ModelLoading(ModelError):
    """The server is up but still loading the model."""


class RateLimited(TalosError):
    """Too many queued or too many recent messages."""

    code = "rate_limited"


class NotAllowed(TalosError):
    """The request is understood, but not allowed now or for this person."""

    code = "not_allowed"


class Internal(TalosError):
    """A fault of the server. The log says what happened."""

    code = "internal"

    def __init__(
        self, message: str = "Something went wrong on the server. Please try again."
    ) -> None:
        super().__init__(message)
