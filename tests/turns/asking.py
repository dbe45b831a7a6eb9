"""A model that calls a tool with effects, which needs an approval."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.client import Chat, kind
from tests.support.model_server.steps import Call
from tests.support.servers import Model

TOOLS = "tools,tests.support.effect_tools"


def lines(effects: Path) -> list[str]:
    return effects.read_text().splitlines() if effects.exists() else []


def count(effects: Path) -> int:
    return len(lines(effects))


def wants(effects: Path, *texts: str) -> list[Call]:
    """Make calls that each write a line if approved."""
    return [
        Call("append_line", json.dumps({"file": str(effects), "text": line}), f"call_{line}", index)
        for index, line in enumerate(texts)
    ]


async def ask(chat: Chat, model: Model, effects: Path, *texts: str) -> str:
    """Start a turn that waits for approvals of these calls. Returns the conversation's id."""
    model.reply("I will. ", *wants(effects, *texts))
    session_id = await chat.new(model=model.id)
    await chat.send("send", text="go")
    frames = await chat.until(lambda f: f.get("data", {}).get("status") == "waiting_approval")
    requests = [f["data"]["call_id"] for f in frames if kind(f) == "tool_approval_request"]
    assert requests == [f"call_{line}" for line in texts]
    return session_id
