"""Slash commands use the same services as the actions; their answers are Markdown, never stored."""

from __future__ import annotations

import pytest

from chat.slash import commands
from tests.support.client import Chat, kind, kinds, text
from tests.support.servers import Model, OpenChat

pytestmark = pytest.mark.anyio


async def typed(chat: Chat, line: str) -> str:
    """Return the answer to a command, after checking that nothing else was sent."""
    frames = await chat.say(line)
    assert kinds(frames) == ["message", "done"]
    assert frames[1]["message_id"] is None
    return str(frames[0]["content"])


async def test_help_lists_every_command(open_chat: OpenChat) -> None:
    answer = await typed(await open_chat(), "/help")
    for name, command in commands.items():
        assert f"`/{name}" in answer
        assert command.summary in answer


async def test_commands_work_without_a_conversation_and_create_none(open_chat: OpenChat) -> None:
    chat = await open_chat()
    for name in commands:
        for rest in ("", " something"):
            assert await typed(chat, f"/{name}{rest}")
    assert "session_created" not in kinds(chat.all)


async def test_names_are_case_insensitive_and_arguments_are_checked(open_chat: OpenChat) -> None:
    chat = await open_chat()
    assert (await typed(chat, "/HELP")).startswith("Commands:")
    assert "takes no arguments" in await typed(chat, "/new please")
    assert "`/status`" in await typed(chat, "/statsu")
    assert "`/help`" in await typed(chat, "/ ")


async def test_an_answer_tells_the_page_what_to_do(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    outcomes = [
        (await chat.say(line))[0].get("outcome")
        for line in ("/help", "/statsu", f"/model {model.id}", "/model")
    ]
    assert outcomes == [None, "unknown_command", "model_chosen", None]


async def test_model_changes_the_conversations_model(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    await chat.say("hello", model="echo")
    assert model.id in await typed(chat, f"/model {model.id}")
    await chat.say("again")
    assert len(model.requests) == 1
    assert model.id in await typed(chat, "/model")
    assert (await (await open_chat()).resume(chat.session_id))["model"] == model.id


async def test_model_before_a_conversation_sets_its_model(
    open_chat: OpenChat, model: Model
) -> None:
    chat = await open_chat()
    await typed(chat, f"/model {model.id}")
    await chat.say("hello")
    assert len(model.requests) == 1
    assert (await chat.resume(chat.session_id))["model"] == model.id


async def test_instructions_reach_the_model(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    await chat.new(model=model.id)
    await typed(chat, "/instructions Answer in French.")
    assert "Answer in French." in await typed(chat, "/instructions")
    await chat.say("hello")
    system = model.requests[-1].body["messages"][0]
    assert system == {"role": "system", "content": "Be brief.\n\nAnswer in French."}
    assert "Answer in French." in await typed(chat, "/status")
    await typed(chat, "/instructions none")
    await chat.say("hello")
    assert model.requests[-1].body["messages"][0]["content"] == "Be brief."


async def test_a_title_set_by_command_is_kept(open_chat: OpenChat, model: Model) -> None:
    chat, elsewhere = await open_chat(), await open_chat()
    await chat.new(model=model.id)
    await chat.say("hello")
    await chat.title_of(chat.session_id)
    await typed(chat, "/title  Mine   now ")
    assert (await chat.resume(chat.session_id))["title"] == "Mine now"
    while await elsewhere.title_of(chat.session_id) != "Mine now":
        pass
    assert "200 characters" in await typed(chat, "/title " + "x" * 201)


async def test_new_leaves_the_conversation(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    before = await chat.new(model=model.id)
    await chat.say("hello")
    await typed(chat, "/new")
    frames = await chat.say("hello", model="echo")
    assert kinds(frames)[0] == "session_created"
    assert chat.session_id != before


async def test_sessions_links_the_latest_conversations(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    await chat.new(model=model.id)
    await chat.say("a [title] *with* marks")
    await chat.title_of(chat.session_id)
    await typed(chat, "/title a [title] *with* marks")
    first = (await typed(chat, "/sessions")).splitlines()[0]
    assert first == rf"- [a \[title\] \*with\* marks](/c/{chat.session_id}/)"


async def test_search_links_to_matching_messages(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    await chat.new(model=model.id)
    await chat.say(f"about *aardvarks* of {model.id}")
    found = await typed(chat, f"/search aardvarks {model.id}")
    assert f"(/c/{chat.session_id}/" in found
    assert "aardvarks" in found
    assert await typed(chat, "/search nothing-of-the-kind") == "Nothing found."
    assert "you are looking for" in await typed(chat, "/search")


async def test_export_offers_files(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    assert await typed(chat, "/export") == "- [All chats as an archive](/export/)"
    await chat.new(model=model.id)
    await chat.say("hello")
    offered = await typed(chat, "/export")
    for suffix in ("md", "json"):
        assert f"(/c/{chat.session_id}/download.{suffix})" in offered


async def test_retry_tries_again_with_another_model(open_chat: OpenChat, model: Model) -> None:
    chat = await open_chat()
    await chat.say("hello", model="echo")
    model.reply("better")
    await chat.send("send", text=f"/retry {model.id}")
    frames = await chat.until(lambda f: kind(f) == "done" and f["message_id"] is not None)
    assert text(frames) == "better"


async def test_status_sums_the_tokens(open_chat: OpenChat, model: Model) -> None:
    from tests.support.model_server.steps import Tokens

    chat = await open_chat()
    await chat.new(model=model.id)
    for _ in range(2):
        model.reply("x", Tokens(prompt=600, completion=7, cached=5))
        await chat.say("hello")
    answer = await typed(chat, "/status")
    assert "1,200 in (10 cached), 14 out" in answer
    assert "Messages: 4" in answer
    assert model.id in answer


async def test_answers_are_rendered_for_clients_that_ask_for_it(open_chat: OpenChat) -> None:
    plain, asks, resumes = await open_chat(), await open_chat(), await open_chat()
    assert "html" not in (await plain.say("/help"))[0]
    html = (await asks.say("/help", render=True))[0]["html"]
    assert "<li><code>/help</code> Lists the commands.</li>" in html
    await plain.say("hello", model="echo")
    await resumes.send("resume_session", session_id=plain.session_id, render=True)
    await resumes.until("session_created")
    assert '<a href="/c/' in (await resumes.say("/sessions"))[0]["html"]
