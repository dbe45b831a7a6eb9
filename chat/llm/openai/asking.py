"""Sends one request until the server begins to answer.

Leaves out what the server refuses, tries again what may pass, and tells of both. After the first byte
of an answer nothing is asked twice: only here is it known that nothing was shown yet.
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
from chat.llm.failures import details, failures, learned
from chat.llm.failures.details import Complaint
from chat.llm.failures.learned import Learned
from chat.llm.failures.redaction import Secrets
from chat.llm.openai.wire import Body, body_of
from chat.llm.stream.connection import Connected, refusal
from chat.llm.stream.limits import Limits
from chat.llm.stream.patience import Patience
from chat.llm.stream.reading import Pieces
from chat.llm.stream.retry import Pause, Retry

if TYPE_CHECKING:
    from aiohttp import ClientResponse


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Broken:
    """There was no connection, or it broke before the response's headers."""

    reason: str
    seconds: float
    """Since the attempt began."""
    was_reached: bool
    """The server may have got the request."""


class Asking(ABC, Generic[T]):
    """One request of one client, to any server. `T` is an answer that has begun."""

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
        """Send the body once. Raises `ModelError` where another attempt is of no use."""

    @abstractmethod
    async def _close(self, answer: T) -> None:
        """End the answer's connection, unless it was read to its end."""

    async def _until_begun(self, retry: Retry) -> AsyncGenerator[Waiting | Remark | T]:
        """What is to be told meanwhile, and at last the answer, which ends with this."""
        before, told = self._demands, ""
        self._body = body_of(self._request, before, self._source)
        while isinstance(answer := await self._attempt(), Complaint | Broken):
            if isinstance(answer, Complaint) and self._leaves_out(answer):
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

    def _leaves_out(self, complaint: Complaint) -> bool:
        """Whether to ask again at once, by what the server said of the request."""
        lesson = learned.lesson_of(complaint, self._demands, self._alters)
        if lesson is None:
            return False
        failures.note_details(complaint.details)
        self._demands = lesson.applied(self._demands)
        if lesson.lasts:
            self._lasting = lesson.applied(self._lasting)
        self._tried.add(self._demands)
        self._body = body_of(self._request, self._demands, self._source)
        return True

    def _alters(self, demands: Demands) -> bool:
        """Each change is tried once, and only where it makes another request."""
        return (
            demands not in self._tried
            and body_of(self._request, demands, self._source) != self._body
        )


class OpenAIAsking(Asking[Pieces]):
    """Over the connections of an `OpenAIClient`."""

    async def answered(
        self,
        connected: Callable[[], Awaitable[Connected]],
        *,
        limits: Limits,
        pauses: Sequence[float],
        names: failures.Names,
    ) -> AsyncGenerator[Waiting | Remark | Pieces]:
        """What is to be told meanwhile, and at last the answer's bytes. Raises `ModelError`.

        Closing it closes the connection.
        """
        self._server = await connected()
        with closing(Patience(limits)) as self._patience:
            async with aclosing(self._until_begun(Retry(pauses, names, self._patience))) as steps:
                async for step in steps:
                    yield step

    async def _attempt(self) -> Pieces | Complaint | Broken:
        answer = await self._patience.wait(self._post(self._server))
        if isinstance(answer, Complaint | Broken):
            return answer
        self._response = answer
        return Pieces(answer.content.readany, self._patience)

    async def _close(self, _: Pieces) -> None:
        self._response.close()

    async def _post(self, server: Connected) -> ClientResponse | Complaint | Broken:
        """One attempt, up to the response's headers."""
        now = asyncio.get_running_loop().time
        began = now()
        try:
            response = await server.post("chat/completions", orjson.dumps(self._body))
        except Exception as error:  # broad: whatever its transport raises
            reason = self._secrets.out_of(details.reason(error))
            return Broken(reason, now() - began, was_reached=_was_reached(error))
        if response.status < HTTPStatus.MULTIPLE_CHOICES:
            return response
        said = await refusal(response, details.LARGEST)
        complaint = details.read(response.status, said, response.headers)
        return replace(complaint, message=self._secrets.out_of(complaint.message))


def _pause(retry: Retry, answer: Complaint | Broken) -> Pause:
    """Before the next attempt. Raises what went wrong when there is none."""
    if isinstance(answer, Complaint):
        pause, told = retry.after(answer), answer.details
    else:
        seconds, was_reached = answer.seconds, answer.was_reached
        pause = retry.after_break(answer.reason, seconds=seconds, was_reached=was_reached)
        told = answer.reason
    failures.note_details(told)
    return pause


def _was_reached(error: Exception) -> bool:
    import aiohttp

    unconnected = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
    return not isinstance(error, unconnected)
