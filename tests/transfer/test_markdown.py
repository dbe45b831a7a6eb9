"""A conversation as Markdown: complete, clearly structured, and no text swallows what follows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chat import services
from chat.access.owner import local_owner
from chat.models import Conversation, Message, ToolCall, ToolRule, Turn
from tests.markdown.unbudgeted import render
from tests.support.conversations import talk
from tests.support.hostile_texts import TEXTS
from tests.transfer.conftest import Export

pytestmark = pytest.mark.django_db


def said(conversation: Conversation, parent: Message | None, role: str, content: str) -> Message:
    return Message.objects.create(
        conversation=conversation,
        owner=conversation.owner,
        parent=parent,
        role=role,
        content=content,
    )


def headings(text: str) -> list[str]:
    """Return the headings without their times."""
    lines = [line for line in text.splitlines() if line.startswith("#")]
    return [
        line if "UTC" not in line else line[: line.index(", 20")] + line.partition("UTC")[2]
        for line in lines
    ]


def test_branches_are_told_apart(exported: Export) -> None:
    chat = talk(local_owner(), "Q1", "A1", "Q2", "A2", title="Two\nlines")
    q1, a1, _, a2 = Message.objects.order_by("created_at")
    other_answer = said(chat, q1, "assistant", "A1b")
    said(chat, other_answer, "user", "Q2 after A1b")
    edited = said(chat, a1, "user", "Q2 edited")
    said(chat, edited, "assistant", "A2 of the edited")
    said(chat, edited, "assistant", "A2 of the edited, again")
    said(chat, None, "user", "Q1 edited")
    taken_back = said(chat, a2, "user", "never mind")
    Message.objects.filter(pk=taken_back.pk).update(withdrawn=True)
    text = exported(format="markdown").decode()
    assert headings(text) == [
        "# Two lines",
        "## 1. You", "## 2. demo", "## 3. You", "## 4. demo",
        "# Other versions",
        "## 5. You (another version of 1)",
        "## 6. Answer (another version of 2, after 1)",
        "## 7. You",
        "## 8. You (another version of 3, after 2)",
        "## 9. Answer",
        "## 10. Answer (another version of 9, after 8)",
    ]  # fmt: skip
    assert "never mind" not in text
    assert text.index("Q2 after A1b") < text.index("Q2 edited") < text.index("again")


def test_a_conversation_of_any_depth_and_width_is_written(exported: Export) -> None:
    chat = talk(local_owner(), *("x" for _ in range(1500)))
    parent = chat.leaf
    for number in range(30):
        said(chat, parent, "user", f"version-{number}")
    text = exported(format="markdown").decode()
    assert text.count("\n## ") == 1530
    assert "## 1501. You" in text
    assert "(after 1500)" in text
    assert "(another version of 1501, after 1500)" in text


def test_settings_are_at_the_top(exported: Export) -> None:
    chat = talk(local_owner(), "Hi")
    services.configure(
        local_owner(), chat.pk, instructions="Be brief.\nRhyme.", temperature=0.5, model="m"
    )
    services.pin(local_owner(), chat.pk, pinned=True)
    ToolRule.objects.create(conversation=chat, tool="write_file", allow=True)
    top = exported(format="markdown").decode().split("## 1.")[0]
    for line in ("- Model: m", "- Temperature: 0.5", "- Pinned", "  > Be brief.", "  > Rhyme."):
        assert f"{line}\n" in top
    assert "- Remembered: `write_file` is always allowed" in top


def call(message: Message, **fields: Any) -> None:
    defaults = {
        "round": 0,
        "offset": 0,
        "name": "write_file",
        "arguments": "{}",
        "status": "finished",
    }
    ToolCall.objects.create(
        message=message, call_id=str(ToolCall.objects.count()), **{**defaults, **fields}
    )


def test_tool_calls_appear_where_they_were_made_with_their_decision(exported: Export) -> None:
    talk(local_owner(), "Q", "Before. After.")
    answer = Message.objects.get(role="assistant")
    when = datetime(2026, 5, 6, 7, 8, tzinfo=UTC)
    call(
        answer, offset=7, arguments='{"a":"ä"}', edited_arguments='{"a":"b"}', result="```\n# Not a heading",
        decided_by=local_owner(), decided_from="page", decided_at=when,
    )  # fmt: skip
    call(answer, offset=7, status="denied", decided_from="rule", arguments="{broken")
    text = exported(format="markdown").decode()
    assert text.index("Before.") < text.index("Tool call") < text.index("After.")
    assert (
        "> **Tool call `write_file`**: done; approved by owner (the chat, 2026-05-06 07:08 UTC)"
        in text
    )
    assert '>   "a": "b"' in text
    assert '>   "a": "ä"' in text
    assert "> ````\n> ```\n> # Not a heading\n> ````" in text
    assert "denied; denied (a remembered decision)" in text
    assert "> {broken" in text


def test_the_end_of_an_answer_is_shown(exported: Export) -> None:
    talk(local_owner(), "Q", "A")
    Turn.objects.update(status="failed", error="The key was refused.")
    assert "> The key was refused.\n\n*Failed.*" in exported(format="markdown").decode()
    for status, words in [("interrupted", "*Interrupted.*"), ("cancelled", "*Stopped.*")]:
        Turn.objects.update(status=status, error="")
        assert words in exported(format="markdown").decode()


@pytest.mark.parametrize(
    "opened",
    ["```python\nprint(1)", "~~~\nx\n```", "````\n```\nx", "  ```\n    ```\nx", "```\n``` x"],
)
def test_an_open_fence_ends_with_its_message(exported: Export, opened: str) -> None:
    talk(local_owner(), opened, "*Answer*")
    assert "<em>Answer</em>" in render(exported(format="markdown").decode())


def test_texts_are_kept_as_written(exported: Export) -> None:
    for text in TEXTS:
        talk(local_owner(), text.replace("\0", ""), text.replace("\0", ""))
    markdown = exported(format="markdown").decode()
    for text in TEXTS:
        assert markdown.count(text.replace("\0", "").strip("\n")) >= 2


def test_times_are_those_of_the_archive(exported: Export) -> None:
    chat = talk(local_owner(), "Q")
    Message.objects.update(created_at=chat.created_at + timedelta(days=1))
    assert (
        f"## 1. You, {chat.created_at + timedelta(days=1):%Y-%m-%d %H:%M} UTC"
        in exported(format="markdown").decode()
    )
