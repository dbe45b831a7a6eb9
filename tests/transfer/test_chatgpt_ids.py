"""The ids of a ChatGPT export: stable, and different for different messages."""

from __future__ import annotations

from uuid import UUID, uuid5

from tests.transfer.chatgpt_samples import ID, convert, node, said


def test_ids_are_those_of_the_first_version() -> None:
    """Otherwise its imports would be imported again."""
    own = UUID(ID)
    made = convert(
        {
            "new": node("root", "assistant", content={"content_type": "odd", "content": "Words."}),
            "a": node("new", "assistant", "A"),
            "\ue200x\ue201q": node("a", "user", "Q"),
            "z\0": node("\ue200x\ue201q", "user", "Z"),
        }
    )
    assert [message.id for message in made.messages] == [
        uuid5(own, "begana"), uuid5(own, "a"), uuid5(own, "q"), uuid5(own, "z\ufffd"),
    ]  # fmt: skip


def test_ids_do_not_collide() -> None:
    made = convert({
        "a": node("root", "assistant", "1"), "begana": node("a", "user", "2"), "b\0": node("begana", "user", "3"),
        "b\ufffd": node("b\0", "user", "4"), "\ue200c\ue201": node("b\ufffd", "user", "5"), "": node("\ue200c\ue201", "user", "6"),
    })  # fmt: skip
    assert [text for _, text in said(made)] == ["…", "1", "2", "3", "4", "5", "6"]
    calls = convert({
        "q": node("root", "user", "Q"), "a:b": node("q", "assistant", "1", recipient="x"),
        "a.b": node("a:b", "assistant", "2", recipient="x"), "a_b-2": node("a.b", "assistant", "3", recipient="x"),
    })  # fmt: skip
    assert len({call.call_id for call in calls.messages[1].calls}) == 3


def test_conversations_without_ids_differ_by_their_beginning() -> None:
    def made(text: str, *more: str) -> UUID:
        nodes = {"q": node("root", "user", text)}
        nodes |= {f"q{n}": node("q", "user", one) for n, one in enumerate(more)}
        return convert(nodes, conversation_id=None, title=text * len(more)).id

    assert made("one") == made("one", "more") != made("two")
