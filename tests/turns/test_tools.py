"""The orchestration loop: the model calls tools, they run, it reads the results and continues."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings

from tests.support.client import kind, kinds, text, without_gaps
from tests.support.model_server.steps import Call
from tests.support.servers import Model, OpenChat, OwnServer

pytestmark = pytest.mark.anyio


async def test_a_call_runs_and_the_model_continues(open_chat: OpenChat, model: Model) -> None:
    model.reply("Let me see. ", Call("calculate", '{"expression": "12*7"}', "call_a"))
    model.reply("It is 84.")
    chat = await open_chat()
    frames = await chat.say("what is 12*7?", model=model.id)
    assert [k for k in kinds(frames) if k != "status"] == [
        "session_created", "message_created", "delta", "tool_call", "tool_result", "delta", "done",
    ]  # fmt: skip
    call, result = (f["data"] for f in frames if kind(f) in ("tool_call", "tool_result"))
    assert call == {
        "call_id": "call_a", "name": "calculate", "arguments": {"expression": "12*7"},
    }  # fmt: skip
    assert (result["call_id"], result["is_error"]) == ("call_a", False)
    assert "84" in result["content"]
    assert text(frames) == "Let me see. It is 84."
    assert without_gaps(frames)


async def test_calls_and_results_are_sent_to_the_model_then_and_later(
    open_chat: OpenChat, model: Model
) -> None:
    model.reply("Hm. ", Call("calculate", '{"expression": "1+1"}', "call_a"))
    model.reply("Two.")
    chat = await open_chat()
    await chat.say("sum", model=model.id)
    await chat.say("thanks", model=model.id)
    second, later = model.requests[1].body["messages"], model.requests[2].body["messages"]
    asked = second[2]
    assert (asked["role"], asked["content"]) == ("assistant", "Hm. ")
    assert asked["tool_calls"][0]["id"] == "call_a"
    assert json.loads(asked["tool_calls"][0]["function"]["arguments"]) == {"expression": "1+1"}
    assert (second[3]["role"], second[3]["tool_call_id"]) == ("tool", "call_a")
    assert later[:4] == second
    assert later[4:] == [
        {"role": "assistant", "content": "Two."}, {"role": "user", "content": "thanks"},
    ]  # fmt: skip


async def test_tools_are_offered_with_their_schema(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    await chat.say("hi", model=model.id)
    offered = {t["function"]["name"]: t["function"] for t in model.requests[0].body["tools"]}
    assert {"current_time", "calculate", "search_conversations", "list_files", "read_file",
            "write_file"} <= set(offered)  # fmt: skip
    assert offered["calculate"]["parameters"]["required"] == ["expression"]
    assert offered["calculate"]["description"]


async def test_an_answer_may_have_several_calls_and_rounds(
    open_chat: OpenChat, model: Model
) -> None:
    model.reply(
        Call("calculate", '{"expression": "1+1"}', "a", index=0),
        Call("calculate", '{"expression": "2+2"}', "b", index=1),
    )
    model.reply("Next. ", Call("current_time", "{}", "c"))
    model.reply("Done.")
    chat = await open_chat()
    frames = await chat.say("go", model=model.id)
    results = [f["data"]["call_id"] for f in frames if kind(f) == "tool_result"]
    assert sorted(results[:2]) == ["a", "b"]
    assert results[2:] == ["c"]
    answer = (await chat.resume(chat.session_id))["messages"][-1]
    assert [(c["call_id"], c["status"], c["offset"]) for c in answer["tool_calls"]] == [
        ("a", "finished", 0), ("b", "finished", 0), ("c", "finished", 6),
    ]  # fmt: skip
    assert answer["content"] == text(frames) == "Next. Done."


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("no_such_tool", "{}", "no_such_tool"),
        ("calculate", "{not json", "JSON"),
        ("calculate", '{"formula": "1"}', "expression"),
        ("calculate", "[1]", "object"),
        ("write_file", '{"path": 5}', "content"),
    ],
)
async def test_a_call_that_cannot_run_is_a_readable_result(
    open_chat: OpenChat, model: Model, name: str, arguments: str, said: str
) -> None:
    model.reply(Call(name, arguments))
    model.reply("I see.")
    chat = await open_chat()
    frames = await chat.say("go", model=model.id)
    result = next(f["data"] for f in frames if kind(f) == "tool_result")
    assert result["is_error"] is True
    assert said in result["content"]
    assert "tool_approval_request" not in kinds(frames)
    assert text(frames) == "I see."


async def test_a_repeated_call_id_is_made_unique(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    for _ in range(2):
        model.reply(Call("current_time", "{}", "same"))
        model.reply("ok")
        await chat.say("go", model=model.id)
    ids = [f["data"]["call_id"] for f in chat.all if kind(f) == "tool_call"]
    assert ids[0] == "same"
    assert len(set(ids)) == 2


async def test_an_endless_loop_of_calls_is_stopped(open_chat: OpenChat, model: Model) -> None:
    for number in range(20):
        model.reply(Call("current_time", "{}", f"c{number}"))
    chat = await open_chat()
    frames = await chat.say("go", model=model.id)
    errors = [f for f in frames if kind(f) == "error"]
    assert [error["code"] for error in errors] == ["model_error"]
    assert "12 times" in errors[0]["content"]
    assert frames[-1]["status"] == "failed"
    assert len(model.requests) == 12


@pytest.fixture
def with_dice(own_server: OwnServer, tmp_path: Path) -> OwnServer:
    """A server whose folder of tools holds the example of docs/tools.md."""
    page = Path(settings.BASE_DIR, "docs", "tools.md").read_text(encoding="utf-8")
    folder = tmp_path / "house_tools"
    folder.mkdir()
    (folder / "dice.py").write_text(page.split("```python")[1].split("```")[0], encoding="utf-8")
    own_server.variables |= {"PYTHONPATH": str(tmp_path), "TALOS_TOOLS": "tools,house_tools"}
    return own_server


async def test_the_tool_of_the_documentation_is_called_in_a_conversation(
    with_dice: OwnServer, connect: OpenChat, model: Model
) -> None:
    model.reply(Call("roll_dice", '{"dice": 2}'))
    model.reply("There.")
    chat = await connect(with_dice.start())
    frames = await chat.say("roll two dice", model=model.id)
    result = next(f["data"] for f in frames if kind(f) == "tool_result")
    assert not result["is_error"], result
    assert " + " in result["content"]
    assert text(frames) == "There."


async def test_an_empty_last_round_is_allowed_after_text(open_chat: OpenChat, model: Model) -> None:
    model.reply("It is 84; I check. ", Call("calculate", '{"expression": "12*7"}', "call_a"))
    model.reply("")
    chat = await open_chat()
    frames = await chat.say("what is 12*7?", model=model.id)
    assert frames[-1]["status"] == "completed", frames
    assert text(frames) == "It is 84; I check. "


async def test_calls_followed_by_nothing_are_not_an_answer(
    open_chat: OpenChat, model: Model
) -> None:
    model.reply(Call("calculate", '{"expression": "12*7"}', "call_a"))
    model.reply("")
    chat = await open_chat()
    assert (await chat.say("what is 12*7?", model=model.id))[-1]["status"] == "failed"
