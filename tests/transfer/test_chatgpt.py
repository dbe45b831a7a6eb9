"""`conversations.json` of a ChatGPT export: everything a person saw there is imported, in order."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from chat.models import Conversation, Message, ToolCall, Turn
from tests.transfer.chatgpt_samples import (
    BEGIN,
    ID,
    branch,
    convert,
    export,
    node,
    only_answer,
    read,
    said,
)
from tests.transfer.conftest import Export, Imports


def test_questions_and_answers_keep_their_details() -> None:
    made = convert(
        {
            "sys": node("root", "system", ""),
            "q": node("sys", "user", "How many?", at=1),
            "a": node("q", "assistant", "Many.", at=2.5, metadata={"model_slug": "o3"}),
        },
        is_archived=True,
        is_starred=True,
    )
    assert said(made) == [("user", "How many?"), ("assistant", "Many.")]
    assert (made.title, made.titled_by, made.archived, made.pinned) == (
        "About ants",
        "model",
        True,
        True,
    )
    assert made.id == UUID(ID)
    assert made.created_at == datetime.fromtimestamp(BEGIN, UTC)
    assert made.updated_at == datetime.fromtimestamp(BEGIN + 100, UTC)
    question, answer = made.messages
    assert answer.parent == question.id == made.messages[0].id
    assert answer.created_at == datetime.fromtimestamp(BEGIN + 2.5, UTC)
    assert answer.turn
    assert (answer.turn.status, answer.turn.model) == ("completed", "o3")


def test_edited_questions_and_other_answers_become_branches_in_their_order() -> None:
    made = convert(
        {
            "q": node("root", "user", "Q"),
            "a1": node("q", "assistant", "A1"),
            "a2": node("q", "assistant", "A2"),
            "q2": node("a1", "user", "Q2"),
            "q2b": node("a1", "user", "Q2 edited"),
            "a3": node("q2b", "assistant", "A3"),
            "q0": node("root", "user", "Q edited"),
        },
        current_node="a3",
    )
    assert branch(made) == ["Q", "A1", "Q2 edited", "A3"]
    by_text = {message.content: message for message in made.messages}
    assert by_text["A2"].parent == by_text["Q"].id
    assert by_text["Q edited"].parent is None
    assert by_text["A1"].created_at < by_text["A2"].created_at
    assert by_text["Q2"].created_at < by_text["Q2 edited"].created_at < by_text["A3"].created_at


def test_an_answer_with_its_tool_calls_is_one_message() -> None:
    made = convert(
        {
            "q": node("root", "user", "Sum"),
            "think": node(
                "q", "assistant",
                content={"content_type": "thoughts", "thoughts": [{"summary": "Sums", "content": "Hm."}]},
            ),
            "recap": node(
                "think", "assistant", content={"content_type": "reasoning_recap", "content": "Thought for 5 s"},
            ),
            "say": node("recap", "assistant", "I compute."),
            "call": node(
                "say", "assistant", recipient="python",
                content={"content_type": "code", "language": "python", "text": "print(1+1)"},
            ),
            "out": node(
                "call", "tool", name="python",
                content={"content_type": "execution_output", "text": "2"},
            ),
            "json": node("out", "assistant", '{"q": "ants"}', recipient="web.run"),
            "found": node("json", "tool", "Ants.", name="web.run"),
            "stray": node("found", "tool", "Something", name="file search!"),
            "end": node("stray", "assistant", "It is 2."),
        }
    )  # fmt: skip
    answer = only_answer(made)
    assert answer.content == "I compute.\n\nIt is 2."
    assert answer.reasoning == "Sums\n\nHm."
    assert [(c.name, c.arguments, c.result, c.offset, c.round) for c in answer.calls] == [
        ("python", '{"input": "print(1+1)"}', "2", 10, 0),
        ("web_run", '{"q": "ants"}', "Ants.", 10, 1),
        ("file_search_", "{}", "Something", 10, 2),
    ]
    assert all(call.status == "finished" for call in answer.calls)


def test_the_outcome_of_a_last_call_is_unknown() -> None:
    made = convert(
        {"q": node("root", "user", "Q"), "c": node("q", "assistant", "x", recipient="bio")}
    )
    (call,) = only_answer(made).calls
    assert (call.status, call.result) == ("unknown", "The export has no result of this call.")


def test_versions_in_the_middle_of_an_answer_are_kept_apart() -> None:
    made = convert(
        {
            "q": node("root", "user", "Q"),
            "a": node("q", "assistant", "Begun."),
            "b": node("a", "assistant", "One end."),
            "c": node("a", "assistant", "Another end."),
        },
        current_node="b",
    )
    assert branch(made) == ["Q", "Begun.", "One end."]
    assert {m.content for m in made.messages} == {"Q", "Begun.", "One end.", "Another end."}


def test_unseen_nodes_are_left_out() -> None:
    hidden = {"is_visually_hidden_from_conversation": True}
    made = convert(
        {
            "sys": node("root", "system", "Be nice."),
            "ctx": node(
                "sys",
                "user",
                content={"content_type": "user_editable_context", "user_profile": "x"},
            ),
            "hid": node("ctx", "user", "Hidden", metadata=hidden),
            "q": node("hid", "user", "Q"),
            "empty": node("q", "assistant", ""),
            "a": node("empty", "assistant", "A\ue200cite\ue202turn0search1\ue201."),
        }
    )
    assert said(made) == [("user", "Q"), ("assistant", "A.")]


def test_files_missing_from_the_export_are_named() -> None:
    made = convert(
        {
            "q": node(
                "root", "user",
                content={"content_type": "multimodal_text", "parts": [
                    {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"},
                    "What is this?",
                    {"content_type": "audio_transcription", "text": "Said aloud."},
                    {"content_type": "hologram"}, 5, None,
                ]},
                metadata={"attachments": [{"name": "plan.pdf"}, 5]},
            ),
        }
    )  # fmt: skip
    assert made.messages[0].content.split("\n\n") == [
        "*(image x: not brought in)*", "What is this?", "Said aloud.",
        "*(attachment: not brought in)*", "5", "*(file plan.pdf: not brought in)*",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "becomes"),
    [
        ("in_progress", "interrupted"),
        ("finished_partial_completion", "cancelled"),
        (None, "completed"),
    ],
)
def test_how_an_answer_ended(status: str | None, becomes: str) -> None:
    made = convert(
        {"q": node("root", "user", "Q"), "a": node("q", "assistant", "A", status=status)}
    )
    turn = only_answer(made).turn
    assert turn
    assert turn.status == becomes


def test_an_answer_without_a_question_gets_one() -> None:
    made = convert({"a": node("root", "assistant", "Hello, I am a robot.")})
    assert said(made) == [("user", "…"), ("assistant", "Hello, I am a robot.")]


@pytest.mark.parametrize("at", [None, -1e12, 1e12, float("nan"), 1e300])
def test_missing_or_absurd_times_are_invented(at: float | None) -> None:
    made = convert(
        {"q": node("root", "user", "Q", at=at), "a": node("q", "assistant", "A", at=at)},
        create_time=None, update_time=None,
    )  # fmt: skip
    assert said(made) == [("user", "Q"), ("assistant", "A")]
    assert made.messages[0].created_at < made.messages[1].created_at


def test_halves_of_emojis_and_nuls_are_replaced() -> None:
    made = convert({"q": node("root", "user", "a\ud83d b\0 \U0001f41c")}, title="x\ud800")
    assert made.messages[0].content == "a\ufffd b\ufffd \U0001f41c"
    assert made.title == "x\ufffd"


def test_missing_ids_are_invented_the_same_each_time() -> None:
    nodes = {"client-root": node("root", "user", "Q")}
    one, two = (convert(nodes, conversation_id="conv-1") for _ in range(2))
    assert one == two
    assert one.id != convert(nodes, conversation_id="conv-2").id
    assert one.messages[0].id != convert(nodes, conversation_id="conv-2").messages[0].id


@pytest.mark.parametrize("title", [None, "", "x" * 500, "a\n b"])
def test_a_title_is_one_line_that_fits(title: str | None) -> None:
    made = convert({"q": node("root", "user", "How many\nants?")}, title=title)
    assert made.title in ("How many ants?", "x" * 200, "a b")
    assert made.titled_by == ("model" if title else "opening")


def test_empty_conversations_are_skipped() -> None:
    for nodes in ({}, {"s": node("root", "system", "x")}):
        assert read(export(nodes)).conversation is None


def test_a_long_conversation_needs_no_recursion() -> None:
    nodes = {"0": node("root", "user", "Q")}
    for n in range(1, 5000):
        nodes[str(n)] = node(str(n - 1), "assistant" if n % 2 else "user", f"{n}")
    assert len(convert(nodes).messages) == 5000


# --- in the database ----------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_file_is_recognised_imported_once_and_exported_as_an_archive(
    imported: Imports, exported: Export
) -> None:
    first = export({"q": node("root", "user", "Q"), "a": node("q", "assistant", "A")})
    empty = export({}, conversation_id=str(uuid4()))
    broken = {**first, "mapping": 5, "conversation_id": str(uuid4()), "title": "Broken"}
    data = json.dumps([first, empty, broken], indent=2).encode()
    said = imported(data)
    assert said.status == 1
    assert "1 imported, 1 empty, 1 skipped" in said.text
    assert "“Broken”: mapping: " in said.text
    assert imported(data).text.count("1 here already")
    assert Conversation.objects.count() == Turn.objects.count() == 1
    archive = exported()
    Conversation.objects.update(leaf=None)
    for model in (Turn, ToolCall):
        model._default_manager.all().delete()
    Message.objects.all().delete()
    Conversation.objects.all().delete()
    assert imported(archive).status == 0
    assert exported() == archive
