"""Many conversations, made quickly, as test data for histories.

`python -m benchmarks.many_conversations` puts them into the configured database, which must be
migrated: 10,000 conversations with 200,000 messages by default, the same each time.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import django

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from chat.models import Conversation, Message, ToolCall, Turn

AT_ONCE = 200
BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
_TEXT = """
    the a river mountain python garden lisbon tax letter recipe soup ant engine train music
    theorem winter candle market harbour bread violin treaty planet window index query branch
"""
WORDS = _TEXT.split()
MODELS = ("demo", "qwen-8", "gpt-4o", "claude-sonnet")


class Maker:
    """Draws conversations from a seed."""

    def __init__(self, owner: User, *, seed: int = 1) -> None:
        self.owner = owner
        self.random = random.Random(seed)  # noqa: S311  # the same each time
        self.conversations: list[Conversation] = []
        self.messages: list[Message] = []
        self.turns: list[Turn] = []
        self.calls: list[ToolCall] = []

    def text(self, words: int) -> str:
        return " ".join(self.random.choices(WORDS, k=words)).capitalize() + "."

    def id(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def conversation(self, number: int, messages: int) -> None:
        from chat.models import Conversation

        at = BEGAN + timedelta(minutes=60 * number + self.random.randrange(60))
        conversation = Conversation(
            id=self.id(),
            owner=self.owner,
            title=self.text(4).rstrip("."),
            titled_by="model",
            pinned=number % 100 == 0,
            archived=number % 10 == 0,
            seq=messages * 20,
            created_at=at,
        )
        parent = None
        for position in range(messages):
            at += timedelta(seconds=self.random.uniform(1, 100))
            parent = self.message(conversation, parent, position, at)
        conversation.leaf = parent
        conversation.updated_at = at
        self.conversations.append(conversation)

    def message(
        self, conversation: Conversation, parent: Message | None, position: int, at: datetime
    ) -> Message:
        from chat.models import Message

        is_answer = position % 2 == 1
        message = Message(
            id=self.id(),
            conversation=conversation,
            owner=self.owner,
            parent=parent,
            role="assistant" if is_answer else "user",
            content=self.text(80 if is_answer else 12),
            client_id=None if is_answer else str(self.id()),
            created_at=at,
        )
        self.messages.append(message)
        if is_answer:
            self.turn(message, at)
        return message

    def turn(self, answer: Message, at: datetime) -> None:
        from chat.models import ToolCall, Turn

        failed = self.random.random() < 0.02
        times = {"created_at": at, "started_at": at, "ended_at": at + timedelta(seconds=2)}
        self.turns.append(
            Turn(
                message=answer,
                conversation=answer.conversation,
                status="failed" if failed else "completed",
                model=self.random.choice(MODELS),
                input_tokens=900,
                output_tokens=110,
                cached_tokens=0,
                error="The model did not answer." if failed else "",
                **times,
            )
        )
        if self.random.random() < 0.1:
            self.calls.append(
                ToolCall(
                    message=answer,
                    call_id=f"call_{self.id().hex}",
                    round=0,
                    offset=0,
                    name="calculate",
                    arguments='{"expression": "6 * 7"}',
                    status="finished",
                    result="42",
                    **times,
                )
            )

    def save(self) -> None:
        from django.db import transaction

        from chat import search
        from chat.models import Conversation, Message, ToolCall, Turn

        with transaction.atomic():
            Conversation.objects.bulk_create(self.conversations)
            Message.objects.bulk_create(self.messages)
            Turn.objects.bulk_create(self.turns)
            ToolCall.objects.bulk_create(self.calls)
            search.index_messages(self.messages)
            for conversation in self.conversations:
                search.index_title(conversation, conversation.title)
        self.conversations, self.messages, self.turns, self.calls = [], [], [], []


def make(owner: User, *, conversations: int = 10_000, messages: int = 20) -> None:
    """Make conversations with so many messages each."""
    maker = Maker(owner)
    for number in range(conversations):
        maker.conversation(number, messages)
        if number % AT_ONCE == AT_ONCE - 1:
            maker.save()
    maker.save()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.many_conversations", description=__doc__
    )
    parser.add_argument("--conversations", type=int, default=10_000)
    parser.add_argument("--messages", type=int, default=20, help="in each")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "talos_site.settings")
    django.setup()
    from chat.access.owner import local_owner

    began = time.monotonic()
    make(local_owner(), conversations=options.conversations, messages=options.messages)
    print(f"Made {options.conversations:,} conversations in {time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    main()
