"""Plays the steps of one reply into one HTTP response."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from aiohttp import web

from tests.support.model_server import steps as s
from tests.support.model_server.formats import Format

if TYPE_CHECKING:
    from tests.support.model_server.server import Recorded


class Reply:
    """One response. The recorded request's `sent` counts its events as they are written."""

    def __init__(
        self, http: web.Request, recorded: Recorded, form: Format, *, bytewise: bool
    ) -> None:
        self._http = http
        self._form = form
        self._recorded = recorded
        self._bytewise = bytewise
        self.response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        self._usage: s.Tokens | None = None
        self._reason = "stop"

    async def play(self, steps: Iterable[s.Step]) -> web.StreamResponse:
        for step in steps:
            match step:
                case s.Status():
                    return http_response(step)
                case s.Cut():
                    return self._cut()
                case s.End():
                    await self._begin()
                    return self.response
                case s.Finish(reason):
                    self._reason = reason
                case _:
                    await self._step(step)
        await self._finish()
        return self.response

    async def _step(self, step: s.Step) -> None:
        match step:
            case s.Headers():
                await self._begin()
            case s.Pause(seconds):
                await asyncio.sleep(seconds)
            case s.Gate():
                await step.wait()
            case s.Silence():
                await asyncio.Event().wait()
            case s.Tokens():
                self._usage = step
            case s.Raw(data):
                await self._write(data)
            case _:
                if isinstance(step, s.Call):
                    self._reason = "tool_calls"
                await self._events(self._form.pieces(step))

    async def _begin(self) -> None:
        if not self.response.prepared:
            await self.response.prepare(self._http)

    async def _events(self, events: Iterator[bytes]) -> None:
        for event in events:
            await self._write(event)
            self._recorded.sent += 1

    async def _write(self, data: bytes) -> None:
        await self._begin()
        if not self._bytewise:
            await self.response.write(data)
            return
        for at in range(len(data)):
            await self.response.write(data[at : at + 1])
            await asyncio.sleep(0)  # lets the client read before the next byte

    async def _finish(self) -> None:
        await self._events(self._form.ending(self._reason, self._usage))
        await self.response.write_eof()

    def _cut(self) -> web.StreamResponse:
        if self._http.transport is not None:
            self._http.transport.abort()
        return self.response


def http_response(step: s.Status) -> web.Response:
    return web.Response(
        status=step.status, text=step.body, headers=step.headers, content_type=step.content_type
    )
