"""Edited questions, selected branches, continued answers: nothing is overwritten in any tab."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from tests.support.client import Chat, Frame, kind, kinds, text
from tests.support.model_server.steps import Call, Cut, Finish, Gate
from tests.support.servers import Model, OpenChat

pytestmark = pytest.mark.anyio


async def shown(chat: Chat) -> list[Frame]:
    """Return the current branch."""
    snapshot = await chat.resume(chat.session_id)
    return list(snapshot["messages"])


def said(messages: list[Frame]) -> list[str]:
    return [message["content"] for message in messages]


async def test_an_edited_question_is_answered_beside_the_old_one(open_chat: OpenChat) -> None:
    chat, tab = await open_chat(), await open_chat()
    await chat.say("one")
    await chat.say("two")
    await tab.resume(chat.session_id)
    old = await shown(chat)
    await chat.send("edit", message_id=old[0]["id"], text="first", client_id="e")
    frames = await chat.until("done")
    assert kinds(frames)[:2] == ["message_created", "branch"]
    assert frames[0]["data"]["client_id"] == frames[-1]["client_id"] == "e"
    assert text(frames) == "You said: first"
    assert kinds(await tab.until("done")) == kinds(frames)
    new = await shown(chat)
    assert said(new) == ["first", "You said: first"]
    assert new[0]["siblings"] == [old[0]["id"], new[0]["id"]]
    assert new[0]["parent_id"] is None


async def test_only_the_edited_branch_is_sent_to_the_model(
    open_chat: OpenChat, model: Model
) -> None:
    chat = await open_chat()
    await chat.new(model=model.id)
    for _ in range(3):
        model.reply("fine")
    await chat.say("one")
    await chat.say("two")
    await chat.send("edit", message_id=(await shown(chat))[2]["id"], text="zwei")
    await chat.until("done")
    sent = model.requests[-1].body["messages"]
    assert [m["content"] for m in sent if m["role"] == "user"] == ["one", "zwei"]


async def test_an_edit_sent_twice_makes_one_message(open_chat: OpenChat) -> None:
    chat = await open_chat()
    await chat.say("one")
    question = (await shown(chat))[0]["id"]
    await chat.send("edit", message_id=question, text="first", client_id=(key := uuid4().hex))
    first = await chat.until("done")
    await chat.send("edit", message_id=question, text="first", client_id=key)
    again = await chat.until("done")
    assert kinds(again) == ["message_created", "done"]
    assert "seq" not in again[-1]
    assert again[-1]["message_id"] == first[-1]["message_id"]
    assert len((await shown(chat))[0]["siblings"]) == 2


async def test_selecting_a_branch_changes_every_tab(open_chat: OpenChat) -> None:
    chat, tab = await open_chat(), await open_chat()
    await chat.say("one")
    await chat.say("two")
    old = await shown(chat)
    await tab.resume(chat.session_id)
    await chat.send("edit", message_id=old[0]["id"], text="first")
    await chat.until("done")
    await tab.until("done")
    await chat.send("select", message_id=old[0]["id"])
    for page in (chat, tab):
        frames = await page.until("branch")
        assert frames[-1]["data"]["message_id"] == old[-1]["id"]
        assert "seq" not in frames[-1]
    assert await shown(chat) == await shown(tab)
    assert said(await shown(chat)) == ["one", "You said: one", "two", "You said: two"]
    assert text(await chat.say("three")) == "You said: three"
    assert len(await shown(chat)) == 6


async def test_selecting_the_current_branch_changes_nothing(open_chat: OpenChat) -> None:
    chat = await open_chat()
    await chat.say("one")
    await chat.say("two")
    before = await shown(chat)
    await chat.send("select", message_id=before[0]["id"])
    await chat.until("branch")
    assert await shown(chat) == before


async def test_an_interrupted_answer_can_be_continued(open_chat: OpenChat, model: Model) -> None:
    model.reply("one, two", Cut())
    model.reply(", three")
    chat = await open_chat()
    await chat.new(model=model.id)
    assert (await chat.say("count"))[-1]["status"] == "failed"
    await chat.send("continue")
    frames = await chat.until("done")
    assert kinds(frames)[0] == "branch"
    assert text(frames) == ", three"
    assert frames[-1]["status"] == "completed"
    assert "client_id" not in frames[-1]
    messages = await shown(chat)
    assert [m["role"] for m in messages] == ["user", "assistant", "assistant"]
    assert said(messages) == ["count", "one, two", ", three"]
    sent = model.requests[1].body["messages"]
    assert [m["role"] for m in sent[-3:]] == ["user", "assistant", "user"]
    assert sent[-2]["content"] == "one, two"

    model.reply("fine")
    await chat.say("thanks")
    roles = [m["role"] for m in model.requests[-1].body["messages"]]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]


@pytest.mark.parametrize(
    ("reason", "told"), [("length", "its output limit"), ("content_filter", "the content filter")]
)
async def test_a_cut_off_answer_is_marked_and_can_be_continued(
    open_chat: OpenChat, model: Model, reason: str, told: str
) -> None:
    model.reply("one, two", Finish(reason))
    model.reply(", three")
    chat = await open_chat()
    await chat.new(model=model.id)
    assert (await chat.say("count"))[-1]["status"] == "completed"
    (_, cut) = await shown(chat)
    assert cut["error"].startswith("Cut off")
    assert told in cut["error"]
    await chat.send("continue")
    assert text(await chat.until("done")) == ", three"
    assert said(await shown(chat)) == ["count", "one, two", ", three"]
    assert "error" not in (await shown(chat))[-1]


async def test_only_a_cut_in_the_last_round_marks_the_answer(
    open_chat: OpenChat, model: Model
) -> None:
    model.reply("Let me see. ", Call("current_time", "{}"), Finish("length"))
    model.reply("It is late.")
    chat = await open_chat()
    await chat.new(model=model.id)
    await chat.say("how late is it?")
    assert "error" not in (await shown(chat))[-1]


async def test_a_continued_answer_is_regenerated_from_its_question(
    open_chat: OpenChat, model: Model
) -> None:
    model.reply("half", Cut())
    model.reply(" and half")
    model.reply("whole")
    chat = await open_chat()
    await chat.new(model=model.id)
    await chat.say("go", client_id=(key := uuid4().hex))
    await chat.send("continue")
    await chat.until("done")
    await chat.send("regenerate")
    frames = await chat.until("done")
    assert text(frames) == "whole"
    assert frames[-1].get("client_id") != key  # that send already had its `done`
    assert said(await shown(chat)) == ["go", "whole"]


@pytest.mark.parametrize("context", [0, 1, 2])
async def test_a_short_context_keeps_the_answer_being_continued(
    open_chat: OpenChat, model: Model, context: int
) -> None:
    model.reply("before")
    model.reply("half", Cut())
    model.reply("rest")
    chat = await open_chat()
    await chat.new(model=model.id)
    await chat.say("old")
    await chat.say("new")
    await chat.resume(chat.session_id, context=context)
    await chat.send("continue")
    await chat.until("done")
    sent = [m["content"] for m in model.requests[-1].body["messages"]]
    assert sent[-3:-1] == ["new", "half"]
    assert ("old" in sent) == (context == 2)


async def test_a_complete_answer_cannot_be_continued(open_chat: OpenChat) -> None:
    chat = await open_chat()
    await chat.say("one")
    await chat.send("continue")
    frames = await chat.until("done")
    assert [frame.get("code") for frame in frames] == ["not_allowed", None]
    assert frames[-1]["status"] == "failed"
    assert frames[-1]["message_id"] is None


@pytest.mark.parametrize("action", ["edit", "select", "continue", "regenerate"])
async def test_branches_cannot_change_during_an_answer(
    open_chat: OpenChat, model: Model, action: str
) -> None:
    gate = Gate()
    model.reply("x", gate)
    chat = await open_chat()
    await chat.say("one", model="echo")
    message_id = (await shown(chat))[0]["id"]
    await chat.send("send", text="two", model=model.id)
    await chat.until("delta")
    await chat.send(action, message_id=message_id, text="other")
    assert (await chat.until("error"))[-1]["code"] == "not_allowed"
    gate.open()
    await chat.until(lambda f: kind(f) == "done" and f["status"] == "completed")
    assert len(await shown(chat)) == 4


@pytest.mark.parametrize("action", ["edit", "select", "regenerate"])
@pytest.mark.parametrize("message_id", ["nonsense", str(UUID(int=1))])
async def test_an_unknown_message_is_refused(
    open_chat: OpenChat, action: str, message_id: str
) -> None:
    chat = await open_chat()
    await chat.say("one")
    await chat.send(action, message_id=message_id, text="other")
    assert (await chat.until("error"))[-1]["code"] == "not_allowed"


async def test_an_answer_cannot_be_edited(open_chat: OpenChat) -> None:
    chat = await open_chat()
    await chat.say("one")
    await chat.send("edit", message_id=(await shown(chat))[1]["id"], text="other")
    assert (await chat.until("error"))[-1]["code"] == "not_allowed"
    assert (await chat.until("done"))[-1]["status"] == "failed"
