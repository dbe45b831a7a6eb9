"""One request to an OpenAI-compatible server, until it begins to answer.

What it refuses is left out, what passes is waited for, and both are told. After the first byte of an
answer nothing is asked twice: only here is it known that nothing was shown yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson

from chat.llm import details, failures, learned
from chat.llm.base import Remark, Request, Waiting
from chat.llm.connecting import Connected, refusal
from chat.llm.demands import Demands
from chat.llm.details import Complaint
from chat.llm.learned import Learned
from chat.llm.limits import Limits
from chat.llm.openai_wire import Body, body_of
from chat.llm.patience import Patience
from chat.llm.reading import Pieces
from chat.llm.redaction import Secrets
from chat.llm.retry import Pause, Retry

if TYPE_CHECKING:
    from aiohttp import ClientResponse


@dataclass(frozen=True, slots=True)
class Broken:
    """There was no connection, or it broke before the response's headers."""

    reason: str
    seconds: float
    """Since the attempt began."""
    was_reached: bool
    """The server may have got the request."""


class Asking:
    """One request of one client."""

    def __init__(self, request: Request, source: str, known: Learned, secrets: Secrets) -> None:
        """`source` is the client's, for the request's model."""
        self._request = request
        self._source = source
        self._known = known
        self._secrets = secrets
        self._demands = known.of(request.model)
        self._tried = {self._demands}
        self._body: Body = {}

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
        before = self._demands
        self._body = body_of(self._request, before, self._source)
        server, told = await connected(), ""
        with closing(Patience(limits)) as patience:
            retry = Retry(pauses, names, patience)
            while isinstance(answer := await patience.wait(self._post(server)), Complaint | Broken):
                if isinstance(answer, Complaint) and self._leaves_out(answer):
                    continue
                pause = pause_of(retry, answer)
                if pause.note != told:
                    told = pause.note
                    yield Waiting(told)
                await asyncio.sleep(pause.seconds)
            with closing(answer):  # the connection, too, unless the answer was read to its end
                for remark in self._learn(before):
                    yield remark
                yield Pieces(answer.content.readany, patience)

    def _leaves_out(self, complaint: Complaint) -> bool:
        """Whether to ask again at once, by what the server said of the request."""
        changed = learned.lesson_of(complaint, self._demands, self._alters)
        if changed is None:
            return False
        failures.note_details(complaint.details)
        self._tried.add(changed)
        self._demands = changed
        self._body = body_of(self._request, changed, self._source)
        return True

    def _alters(self, demands: Demands) -> bool:
        """Each change is tried once, and only where it makes another request."""
        return (
            demands not in self._tried
            and body_of(self._request, demands, self._source) != self._body
        )

    def _learn(self, before: Demands) -> list[Remark]:
        if self._demands == before:
            return []
        self._known.keep(self._request.model, self._demands)
        return [Remark(text) for text in learned.remarks(before, self._demands)]

    async def _post(self, server: Connected) -> ClientResponse | Complaint | Broken:
        """One attempt, up to the response's headers."""
        now = asyncio.get_running_loop().time
        began = now()
        try:
            response = await server.post("chat/completions", orjson.dumps(self._body))
        except Exception as error:  # broad: whatever its transport raises
            reason = self._secrets.out_of(details.reason(error))
            return Broken(reason, now() - began, was_reached=_was_reached(error))
        if response.status < HTTPStatus.BAD_REQUEST:
            return response
        said = await refusal(response, details.LARGEST)
        complaint = details.read(response.status, said, response.headers)
        return replace(complaint, message=self._secrets.out_of(complaint.message))


def pause_of(retry: Retry, answer: Complaint | Broken) -> Pause:
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
