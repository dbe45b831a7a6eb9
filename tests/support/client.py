"""A WebSocket client, as a script would write it. Keeps every frame."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import aiohttp

Frame = dict[str, Any]
SECONDS = 20.0
"""Longest wait."""


class Chat:
    """One connection. `frames` are not consumed yet, `all` is every frame so far."""

    def __init__(self, address: str) -> None:
        self.url = f"{address}/api/chat/ws"
        self.all: list[Frame] = []
        self.closed_with: int | None = None
        self.patience = SECONDS
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue()

    async def open(self) -> Self:
        self._http = aiohttp.ClientSession()
        self.socket = await self._http.ws_connect(self.url, max_msg_size=0)
        self._reader = asyncio.create_task(self._read())
        return self

    async def _read(self) -> None:
        async for message in self.socket:
            frame = json.loads(message.data)
            self.all.append(frame)
            self._frames.put_nowait(frame)
        self.closed_with = self.socket.close_code
        self._frames.put_nowait(None)

    async def close(self) -> None:
        with suppress(ConnectionError):
            await self.socket.close()
        await self._http.close()
        await self._reader

    def tear(self) -> None:
        """Drop the connection without closing it, as a lost network does."""
        transport = self.socket.get_extra_info("socket") and self.socket._response.connection
        if transport is not None and transport.transport is not None:
            transport.transport.abort()

    @property
    def session_id(self) -> str:
        """The id of the conversation that was opened last."""
        snapshots = [frame for frame in self.all if kind(frame) == "session_created"]
        return str(snapshots[-1]["data"]["session_id"])

    async def send(self, action: str, **fields: Any) -> None:
        await self.socket.send_json({"action": action, **fields})

    async def next(self) -> Frame:
        """Return the next frame. Raises `ConnectionError` if the connection is closed."""
        try:
            frame = await asyncio.wait_for(self._frames.get(), self.patience)
        except TimeoutError:
            latest = [str(frame)[:200] for frame in self.all[-12:]]
            raise TimeoutError("\n".join(["Nothing came after:", *latest])) from None
        if frame is None:
            self._frames.put_nowait(None)
            raise ConnectionError(f"closed with {self.closed_with}")
        return frame

    async def until(self, wanted: str | Callable[[Frame], bool]) -> list[Frame]:
        """Return the frames up to and including the first one of a kind (`done`, `status` …).

        Titles and list changes may arrive at any time: they are skipped unless wanted.
        """
        frames: list[Frame] = []
        while True:
            frame = await self.next()
            if kind(frame) in ("title", "conversation_changed") and wanted != kind(frame):
                continue
            frames.append(frame)
            if wanted(frame) if callable(wanted) else kind(frame) == wanted:
                return frames

    async def title_of(self, session_id: str) -> str:
        """Wait for the title of a conversation."""
        while True:
            data = (await self.until("title"))[-1]["data"]
            if data["session_id"] == session_id:
                return str(data["title"])

    async def new(self, **fields: Any) -> str:
        """Create a conversation and return its id."""
        await self.send("new_session", **fields)
        frames = await self.until("session_created")
        return str(frames[-1]["data"]["session_id"])

    async def resume(self, session_id: str, **fields: Any) -> Frame:
        """Open a conversation and return the snapshot."""
        await self.send("resume_session", session_id=session_id, **fields)
        data: Frame = (await self.until("session_created"))[-1]["data"]
        return data

    async def say(self, text: str, **fields: Any) -> list[Frame]:
        """Send a message and return the frames up to its `done`."""
        await self.send("send", text=text, **fields)
        return await self.until("done")

    async def nothing_more(self, *but: str) -> None:
        """Check that no frames but of these kinds are on their way: the server answers frames in order."""
        await self.send("no_such_action")
        frames = await self.until("error")
        assert set(kinds(frames)) <= {"error", *but}, frames


def kind(frame: Frame) -> str:
    """Return `delta`, `done`, … or the name of an event."""
    return str(frame.get("event", frame["type"]))


def kinds(frames: list[Frame]) -> list[str]:
    """Return the kinds of frames, neighbouring deltas as one."""
    found: list[str] = []
    for frame in frames:
        if kind(frame) != "delta" or found[-1:] != ["delta"]:
            found.append(kind(frame))
    return found


def text(frames: list[Frame]) -> str:
    """Join the deltas."""
    return "".join(frame["content"] for frame in frames if kind(frame) == "delta")


def numbers(frames: list[Frame]) -> list[int]:
    return [frame["seq"] for frame in frames if "seq" in frame]


def without_gaps(frames: list[Frame]) -> bool:
    found = numbers(frames)
    return found == list(range(found[0], found[0] + len(found)))
