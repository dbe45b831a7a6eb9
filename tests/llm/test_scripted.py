"""The scripted model plays its rounds in order and counts requests."""

from __future__ import annotations

import asyncio

import pytest

from chat.errors import ModelError
from chat.llm.base import Request, Stop, SystemMessage, Text, ToolRequest, UserMessage
from chat.llm.demo.scripted import TITLE_PROMPT, ScriptedModel
from tests.llm.conftest import ask, everything

pytestmark = pytest.mark.anyio
CALL = ToolRequest("a", "f", "{}")


async def test_rounds_are_played_in_order() -> None:
    model = ScriptedModel(["one ", "two"], [CALL], ["cut", Stop("length")])
    assert await everything(model) == [Text("one "), Text("two"), Stop("stop")]
    assert await everything(model) == [CALL, Stop("tool_calls")]
    assert await everything(model) == [Text("cut"), Stop("length")]
    assert len(model.requests) == 3


async def test_an_event_holds_it_and_leaving_early_is_counted() -> None:
    gate = asyncio.Event()
    model = ScriptedModel(["a", gate, "b"], ["a", gate, "b"])
    held = model.stream(ask())
    assert await anext(held) == Text("a")
    waiting = asyncio.ensure_future(anext(held))
    gate.set()
    assert await waiting == Text("b")
    await held.aclose()
    assert model.closed_early == 1
    await everything(model)
    assert model.closed_early == 1


async def test_errors_are_raised_and_a_script_has_an_end() -> None:
    model = ScriptedModel(["a", ModelError("scripted")])
    with pytest.raises(ModelError, match="scripted"):
        await everything(model)
    with pytest.raises(ModelError, match="no further round"):
        await everything(model)
    assert model.closed_early == 0


async def test_titles_do_not_use_up_rounds() -> None:
    model = ScriptedModel(["round"], title="T")
    request = Request("m", (SystemMessage(f"{TITLE_PROMPT} for this."), UserMessage("x")))
    assert await everything(model, request) == [Text("T"), Stop("stop")]
    assert await everything(model) == [Text("round"), Stop("stop")]
    assert (len(model.requests), len(model.title_requests)) == (1, 1)
