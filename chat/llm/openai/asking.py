"""Sends one request until the server begins to answer.

Leaves out refused fields, retries temporary failures, and reports both. Nothing is retried after
the first byte of an answer: only before it is it certain that nothing was shown.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Generic, TypeVar

import orjson

from chat.llm.base import Remark, Request, Waiting
from chat.llm.demands import Demands
from chat.llm.failures import details, errors, learned
from chat.llm.failures.details import Complaint
from chat.llm.failures.learned import Learned
from chat.llm.failures.redaction import Secrets
from chat.llm.openai.wire import Body, body_of
from chat.llm.stream.connection import ServerConnection, refusal
from chat.llm.stream.limits import Limits
from chat.llm.stream.patience import Patience
from chat.llm.stream.reading import ResponseBytes
from chat.llm.stream.retry import Pause, Retry

if TYPE_CHECKING:
    from aiohttp import ClientResponse


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Broken:
    """A connection that failed, or broke before the response's headers."""

    reason: str
    seconds: float
    """Time since the attempt began."""
    was_reached: bool
    """Whether the server may have received the request."""


class Asking(ABC, Generic[T]):
    """The attempts of one request. `T` is the type of an answer that has begun."""

    def __init__(self, request: Request, source: str, known: Learned, secrets: Secrets) -> None:
        """`source` is the client's, for the request's model."""
        self._request = request
        self._source = source
        self._known = known
        self._secrets = secrets
        self._demands = self._lasting = known.of(request.model)
        self._tried = {self._demands}
        self._body: Body = {}

    @abstractmethod
    async def _attempt(self) -> T | Complaint | Broken:
        """Send the body once. Raises `ModelError` if another attempt is useless."""

    @abstractmethod
    async def _close(self, answer: T) -> None:
        """Close the answer's connection, unless the answer was read to its end."""

    async def _attempt_until_answered(self, retry: Retry) -> AsyncGenerator[Waiting | Remark | T]:
        """Yield notes meanwhile, then the answer, which is closed with this generator."""
        before, told = self._demands, ""
        self._body = body_of(self._request, before, self._source)
        while isinstance(answer := await self._attempt(), Complaint | Broken):
            if isinstance(answer, Complaint) and self._adapt_to(answer):
                continue
            pause = _pause(retry, answer)
            if pause.note != told:
                told = pause.note
                yield Waiting(told)
            await asyncio.sleep(pause.seconds)
        try:
            if self._lasting != before:
                self._known.keep(self._request.model, self._lasting)
            for text in learned.remarks(before, self._demands, self._lasting):
                yield Remark(text)
            yield answer
        finally:
            await self._close(answer)

    def _adapt_to(self, complaint: Complaint) -> bool:
        """Apply the lesson of a refusal; return whether to send the request again at once."""
        lesson = learned.lesson_of(complaint, self._demands, self._alters)
        if lesson is None:
            return False
        errors.log_details(complaint.details)
        self._demands = lesson.apply(self._demands)
        if lesson.lasts:
            self._lasting = lesson.apply(self._lasting)
        self._tried.add(self._demands)
        self._body = body_of(self._request, self._demands, self._source)
        return True

    def _alters(self, demands: Demands) -> bool:
        """Whether demands are new and change the request; each change is tried once."""
        return (
            demands not in self._tried
            and body_of(self._request, demands, self._source) != self._body
        )


class OpenAIAsking(Asking[ResponseBytes]):
    """The attempts of one request over an `OpenAIClient`'s connections."""

    async def ask(
        self,
        connect: Callable[[], Awaitable[ServerConnection]],
        *,
        limits: Limits,
        pauses: Sequence[float],
        names: errors.Names,
    ) -> AsyncGenerator[Waiting | Remark | ResponseBytes]:
        """Yield notes meanwhile, then the answer's bytes. Raises `ModelError`.

        Closing the generator closes the connection.
        """
        self._server = await connect()
        with closing(Patience(limits)) as self._patience:
            async with aclosing(
                self._attempt_until_answered(Retry(pauses, names, self._patience))
            ) as steps:
                async for step in steps:
                    yield step

    async def _attempt(self) -> ResponseBytes | Complaint | Broken:
        answer = await self._patience.wait(self._post(self._server))
        if isinstance(answer, Complaint | Broken):
            return answer
        self._response = answer
        return ResponseBytes(answer.content.readany, self._patience)

    async def _close(self, _: ResponseBytes) -> None:
        self._response.close()

    async def _post(self, server: ServerConnection) -> ClientResponse | Complaint | Broken:
        """Make one attempt, up to the response's headers."""
        now = asyncio.get_running_loop().time
        began = now()
        try:
            response = await server.post("chat/completions", orjson.dumps(self._body))
        except Exception as error:  # broad: whatever the transport raises
            reason = self._secrets.redact(details.reason(error))
            return Broken(reason, now() - began, was_reached=_was_reached(error))
        if response.status < HTTPStatus.MULTIPLE_CHOICES:
            return response
        said = await refusal(response, details.LARGEST)
        complaint = details.read(response.status, said, response.headers)
        return replace(complaint, message=self._secrets.redact(complaint.message))


def _pause(retry: Retry, answer: Complaint | Broken) -> Pause:
    """Return the pause before the next attempt. Raises the error if there is none."""
    if isinstance(answer, Complaint):
        pause, told = retry.after(answer), answer.details
    else:
        seconds, was_reached = answer.seconds, answer.was_reached
        pause = retry.after_break(answer.reason, seconds=seconds, was_reached=was_reached)
        told = answer.reason
    errors.log_details(told)
    return pause


def _was_reached(error: Exception) -> bool:
    import aiohttp

    unconnected = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
    return not isinstance(error, unconnected)
