"""What ChatGPT exports of 2023 to 2026 contain besides plain texts: no words are lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.transfer.chatgpt_samples import (
    CITE,
    answer,
    converted,
    export,
    mark,
    node,
    only_answer,
    read,
)


def test_code_addressed_to_everyone_is_fenced() -> None:
    code = {"content_type": "code", "language": "python", "text": "if x:\n    f(x)\n```"}
    said = answer(node(None, "assistant", content=code)).content
    assert said == "````python\nif x:\n    f(x)\n```\n````"
    unknown = {**code, "language": "unknown\n# x", "text": "x"}
    assert answer(node(None, "assistant", content=unknown)).content == "```\nx\n```"


HIDDEN = {"is_visually_hidden_from_conversation": True}
FOUND = {"search_result_groups": [{"domain": "a.example", "entries": [{"url": "https://a.example", "title": "A", "snippet": "Fog."}, 5]}]}  # fmt: skip


@pytest.mark.parametrize(
    ("result", "is_said"),
    [
        (node(None, "tool", "", name="web.run", metadata={**HIDDEN, **FOUND}), "A\nhttps://a.example\nFog."),
        (node(None, "tool", "", name="web.run", metadata=FOUND), "A\nhttps://a.example\nFog."),
        (node(None, "tool", "x", name="web.run", metadata=HIDDEN), "The result is not in the export."),
        (node(None, "system", ""), "The result is not in the export."),
    ],
)  # fmt: skip
def test_a_hidden_result_is_not_a_failure(result: dict[str, Any], is_said: str) -> None:
    made = answer(
        node(None, "assistant", '{"q": 1}', recipient="web.run"),
        result,
        node(None, "assistant", "A"),
    )
    (call,) = made.calls
    assert (call.status, call.result) == ("finished", is_said)
    assert made.content == "A"


def test_results_go_to_the_calls_of_their_tools() -> None:
    made = answer(
        node(None, "assistant", "1", recipient="web.run"),
        node(None, "assistant", "2", recipient="python"),
        node(None, "tool", "of web", name="web.run"),
        node(None, "tool", name="python", content={"content_type": "system_error", "name": "Oops", "text": "no"}),
    )  # fmt: skip
    assert [(call.name, call.status, call.result) for call in made.calls] == [
        ("web_run", "finished", "of web"),
        ("python", "failed", "Oops: no"),
    ]


def canvas(does: str, **said: Any) -> dict[str, Any]:
    return node(None, "assistant", json.dumps(said), recipient=f"canmore.{does}_textdoc")


def test_documents_of_the_canvas_are_parts_of_the_answer() -> None:
    made = answer(
        canvas("create", name="a_b.py", type="code/python", content="x = 1"),
        node(None, "tool", "Created.", name="canmore.create_textdoc"),
        canvas("update", updates=[{"pattern": ".*", "multiple": False, "replacement": "x = 2"}]),
        canvas("update", updates=[{"pattern": "x", "replacement": "y"}]),
        canvas("create", name="Ants", type="document", content="# Ants\n\nSix *legs*."),
        canvas("update", updates="all"),
        canvas("update", updates=[{"pattern": [], "replacement": "z"}]),
    )
    assert made.content == (
        "**a_b.py**\n\n```python\nx = 1\n```\n\n**a_b.py**\n\n```python\nx = 2\n```\n\n"
        "**Changed in a_b.py**\n\n```python\ny\n```\n\n# Ants\n\nSix *legs*."
        "\n\n**Changed in Ants**\n\n```\nz\n```"
    )
    assert [call.arguments for call in made.calls][:2] == [
        '{"name": "a_b.py", "type": "code/python"}',
        '{"updates": [{"pattern": ".*", "multiple": false}]}',
    ]
    assert (made.calls[0].status, made.calls[0].result) == ("finished", "Created.")
    assert made.calls[4].arguments == '{"updates": "all"}'


def test_an_update_belongs_to_the_document_its_result_names() -> None:
    def result(**canvas: str) -> dict[str, Any]:
        return node(None, "tool", "Done.", name="canmore", metadata={"canvas": canvas})

    update = canvas("update", updates=[{"pattern": "x", "replacement": "y"}])
    said = answer(
        canvas("create", name="One", type="document", content="1"),
        canvas("create", name="Two", type="code/python", content="2"),
        result(textdoc_id="2", title="Two"),
        canvas("create", name="Two", type="code/c", content="3"),
        *[update, result(textdoc_id="1", title="One")],
        *[update, result(textdoc_id="2", title="Renamed")],
        *[update, result(textdoc_id="2")],
        *[update, result(textdoc_id="9", title="Unseen", textdoc_type="code/go")],
        update,
    ).content
    changes = said.split("**Changed in ")[1:]
    assert [change.replace("**\n\n```", " ").split("\n")[0] for change in changes] == [
        "One ", "Renamed python", "Renamed python", "Unseen go", "Unseen go",
    ]  # fmt: skip


def test_marks_in_documents_thoughts_and_titles_are_words() -> None:
    ant = mark("entity", '["animal", "An *ant*", "six legs"]')
    thoughts = [{"summary": f"{ant}?", "content": "", "chunks": [f"So: {ant[:9]}", ant[9:]]}, ant]
    document = canvas("create", name=f"{ant} 1", type="document", content=f"{ant} `{ant}`{CITE}")
    document["message"]["metadata"] = {"content_references": [{"matched_text": CITE, "alt": "(a)"}]}
    made = converted(
        node(None, "assistant", content={"content_type": "thoughts", "thoughts": thoughts}),
        document,
        canvas("update", updates=[{"pattern": "x", "replacement": ant}]),
        canvas("create", name="N", type="code/python", content=CITE),
        title=f"About {ant}",
    ).conversation
    assert made
    assert made.title == "About An *ant*"
    said = only_answer(made)
    assert said.reasoning == "An \\*ant\\*?\n\nSo: An \\*ant\\*\n\nAn \\*ant\\*"
    assert said.content == (
        f"**An \\*ant\\* 1**\n\nAn \\*ant\\* `{ant}` (a)\n\n"
        "**Changed in An \\*ant\\* 1**\n\n```\nAn \\*ant\\*\n```\n\n"
        f"**N**\n\n```python\n{CITE}\n```"
    )


def test_reasoning_of_every_age() -> None:
    tool = {"initial_text": "Reasoning", "finished_text": "Reasoned for 3 s", "finished_duration_sec": 3}  # fmt: skip
    thoughts = [{"summary": "S", "content": "", "chunks": ["a", "b"]}, "alone"]
    made = answer(
        node(None, "tool", "Planning.", name="a8km123", metadata=tool, status="in_progress"),
        node(None, "assistant", content={"content_type": "thoughts", "thoughts": thoughts}),
        node(None, "assistant", content={"content_type": "reasoning_recap", "content": "For 3 s"}),
        node(None, "assistant", "A"),
    )
    assert (made.content, made.calls) == ("A", ())
    assert made.reasoning == "Planning.\n\nS\n\nab\n\nalone"


@pytest.mark.parametrize("kind", ["tether_quote", "sonic_webpage"])
def test_pages_are_quoted_under_their_links(kind: str) -> None:
    page = {"content_type": kind, "url": "https://a.example", "domain": "a", "title": "T", "text": "Six."}  # fmt: skip
    assert (
        answer(node(None, "assistant", content=page)).content
        == "### [T](https://a.example)\n\nSix."
    )


def test_images_and_files_are_named_once_and_counted() -> None:
    drawn = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_b",
             "metadata": {"dalle": {"prompt": "an *ant*"}}}  # fmt: skip
    nodes = {
        "q": node("root", "user", content={"content_type": "multimodal_text", "parts": [
            {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-a"}, "What?"]},
            metadata={"attachments": [{"id": "file-a", "name": "ant_1.png", "mime_type": "image/png"},
                                      {"id": "file-c", "name": "plan.pdf"}]}),
        "c": node("q", "assistant", '{"prompt": "an ant"}', recipient="dalle.text2im"),
        "t": node("c", "tool", name="dalle.text2im", content={"content_type": "multimodal_text", "parts": [drawn]},
                  metadata={"image_gen_title": "Stamp"}),
        "a": node("t", "assistant", content={"content_type": "multimodal_text", "parts": [drawn]}),
    }  # fmt: skip
    made = read(export(nodes))
    assert made.conversation
    assert made.left_out == {"image": 2, "file": 1}
    question, said = made.conversation.messages
    assert question.content == (
        "*(image ant_1.png: not brought in)*\n\nWhat?\n\n*(file plan.pdf: not brought in)*"
    )
    assert said.content == "*(image “Stamp”, file_b: not brought in; made from: an \\*ant\\*)*"
    assert said.calls[0].status == "finished"


def test_an_image_without_an_id_is_not_named_twice() -> None:
    part = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-a"}
    attached = {"attachments": [{"name": "ant.png", "mime_type": "image/png"}]}
    made = converted(node(None, "user", content={"content_type": "multimodal_text", "parts": [part]}, metadata=attached))  # fmt: skip
    assert made.conversation
    assert made.conversation.messages[1].content == "*(image ant.png: not brought in)*"
    assert made.left_out == {"image": 1}


def test_images_with_two_ids_count_as_two() -> None:
    part = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_00aa"}
    attached = [{"id": "file_00cc", "name": "other.png", "mime_type": "image/png"}]
    made = converted(node(None, "user", content={"content_type": "multimodal_text", "parts": [part]}, metadata={"attachments": attached}))  # fmt: skip
    assert made.conversation
    assert made.conversation.messages[1].content == (
        "*(image file_00aa: not brought in)*\n\n*(image other.png: not brought in)*"
    )
    assert made.left_out == {"image": 2}


def test_an_image_without_an_id_may_be_the_attached_one() -> None:
    part = {"content_type": "image_asset_pointer"}
    attached = [{"id": "file_00cc", "name": "ant.png", "mime_type": "image/png"}]
    made = converted(node(None, "user", content={"content_type": "multimodal_text", "parts": [part]}, metadata={"attachments": attached}))  # fmt: skip
    assert made.conversation
    assert made.conversation.messages[1].content == "*(image ant.png: not brought in)*"
    assert made.left_out == {"image": 1}


def test_speech_becomes_text() -> None:
    voice = {"content_type": "real_time_user_audio_video_asset_pointer",
             "audio_asset_pointer": {"asset_pointer": "sediment://file_v"}}  # fmt: skip
    parts = [
        {"content_type": "audio_transcription", "text": "Said aloud.", "direction": "in"},
        voice,
    ]
    made = converted(node(None, "assistant", content={"content_type": "multimodal_text", "parts": parts}))  # fmt: skip
    assert made.conversation
    assert (
        only_answer(made.conversation).content == "Said aloud.\n\n*(audio file_v: not brought in)*"
    )
    assert made.left_out == {"audio": 1}


def test_custom_instructions_are_kept_and_others_counted() -> None:
    told = {"about_user_message": "I am Ada.", "about_model_message": "Be short."}
    context = {"content_type": "user_editable_context", "user_profile": "I am Eve."}
    made = converted(
        node(None, "system", "", metadata={"user_context_message_data": told, **HIDDEN}),
        node(None, "user", content=context, metadata=HIDDEN),
        node(None, "user", content=context, metadata=HIDDEN),
        node(None, "system", "You are a pirate."),
    )
    assert made.conversation
    assert (
        made.conversation.instructions == "About the user:\nI am Ada.\n\nHow to answer:\nBe short."
    )
    assert made.left_out == {"instruction": 2}
    assert len(made.conversation.messages) == 1


@pytest.mark.parametrize(
    ("details", "becomes"),
    [
        ({"type": "stop"}, ("completed", "")),
        ({"type": "max_tokens"}, ("completed", "Cut off: this answer reached its output limit.")),
        ({"type": "interrupted", "reason": "client_stopped"}, ("cancelled", "")),
        (5, ("completed", "")),
    ],
)
def test_how_an_answer_ended(details: Any, becomes: tuple[str, str]) -> None:
    turn = answer(node(None, "assistant", "A", metadata={"finish_details": details})).turn
    assert turn
    assert (turn.status, turn.error) == becomes


STOPPED: dict[str, Any] = {"metadata": {"finish_details": {"type": "interrupted"}}}
THOUGHT = node(None, "assistant", content={"content_type": "thoughts", "thoughts": ["Hm."]})
RECAP = node(None, "assistant", content={"content_type": "reasoning_recap", "content": "For 3 s"})
CALL = node(None, "assistant", "{}", recipient="web.run")
RESULT = node(None, "tool", "Found.", name="web.run")
CUT = node(None, "assistant", "half", metadata={"finish_details": {"type": "max_tokens"}})
HALF = node(None, "assistant", "half", **STOPPED)
NOT_BEGUN = node(None, "assistant", "", status="finished_partial_completion", **STOPPED)
UNFINISHED = node(None, "assistant", "", status="in_progress")


@pytest.mark.parametrize(
    ("nodes", "becomes"),
    [
        ([THOUGHT, NOT_BEGUN], "cancelled"),
        ([CALL, RESULT, NOT_BEGUN], "cancelled"),
        ([THOUGHT, UNFINISHED], "interrupted"),
        ([HALF, RESULT], "cancelled"),
        ([CUT, RESULT], "completed"),
        ([HALF, RECAP], "cancelled"),
        ([HALF, node(None, "assistant", "")], "cancelled"),
        ([NOT_BEGUN, THOUGHT], "completed"),
        ([THOUGHT, NOT_BEGUN, node(None, "assistant", "A")], "completed"),
        ([CALL, node(None, "tool", "x", status="in_progress")], "interrupted"),
        ([CALL, node(None, "tool", "x", status="in_progress"), RESULT], "completed"),
    ],
)
def test_the_model_says_how_its_answer_ended(nodes: list[Any], becomes: str) -> None:
    """The model's last node counts, even without words; a later result does not."""
    turn = answer(*nodes).turn
    assert turn
    assert turn.status == becomes
    assert bool(turn.error) is (CUT in nodes)


def test_a_pinned_time_pins_the_conversation() -> None:
    for time, is_pinned in ((1_760_000_000.5, True), (None, False), ("2026-01-01T00:00:00Z", True)):
        made = converted(pinned_time=time, is_starred=None).conversation
        assert made
        assert made.pinned is is_pinned
