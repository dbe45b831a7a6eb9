"""An answer with several pending calls."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.support.client import SECONDS, Chat, Frame
from tests.support.model_server.steps import Call
from tests.support.servers import Model


class Asked:
    """An answer with pending calls: those in `held` run until they are released."""

    def __init__(self, chat: Chat, model: Model, folder: Path) -> None:
        self.chat, self.model, self.folder = chat, model, folder

    async def ask(self, *names: str, held: str = "") -> str:
        """Ask, and return the conversation's id."""
        self.model.reply("I will. ", *(self._call(name, held, i) for i, name in enumerate(names)))
        session_id = await self.chat.new(model=self.model.id)
        await self.chat.send("send", text="go")
        await self.until("waiting_approval")
        return session_id

    def _call(self, name: str, held: str, index: int) -> Call:
        tool = "append_later" if name in held else "append_line"
        arguments = json.dumps({"file": str(self.folder / "effects"), "text": name})
        return Call(tool, arguments, f"call_{name}", index)

    async def decide(self, name: str, approved: bool = True, **fields: Any) -> None:
        await self.chat.send("approve_tool", call_id=f"call_{name}", approved=approved, **fields)

    async def until(self, status: str) -> list[Frame]:
        return await self.chat.until(lambda f: f.get("data", {}).get("status") == status)

    async def result(self) -> tuple[str, bool]:
        """Return the result of the next call that has one."""
        data = (await self.chat.until("tool_result"))[-1]["data"]
        return data["call_id"].removeprefix("call_"), data["is_error"]

    async def runs(self, name: str) -> None:
        async with asyncio.timeout(SECONDS):
            while name not in self.effects():  # noqa: ASYNC110  (another process's file)
                await asyncio.sleep(0.01)

    def release(self, name: str) -> None:
        (self.folder / name).touch()

    def effects(self) -> list[str]:
        file = self.folder / "effects"
        return file.read_text().splitlines() if file.exists() else []

    async def statuses(self, session_id: str) -> list[str]:
        """Return the states of its calls."""
        answer = (await self.chat.resume(session_id))["messages"][-1]
        return [call["status"] for call in answer["tool_calls"]]
