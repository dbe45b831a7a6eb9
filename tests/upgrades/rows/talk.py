"""A conversation, row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from django.contrib.auth.models import User

from chat.models import Conversation, Message, Piece, ToolCall, Turn

BEGIN = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
MODEL = "upgraded-model"
"""The model of most answers: no provider knows it, so the configured server is asked."""
PROCESS = "5e7e1a" + "0" * 26
"""The process that was killed."""
_NAMES = UUID("b60bbde2-43ac-4040-9a89-1eb918b63b68")


def key(name: str) -> UUID:
    """Return the id of the conversation with this name in these files."""
    return uuid5(_NAMES, name)


class Talk:
    """A conversation, begun an hour after the previous one; each message is a minute later."""

    def __init__(self, name: str, owner: User, **fields: object) -> None:
        self.name = name
        self.begun = BEGIN + timedelta(hours=Conversation.objects.count())
        known = {"title": name.replace("-", " ").capitalize(), **fields}
        self.conversation = Conversation.objects.create(
            id=key(name), owner=owner, created_at=self.begun, updated_at=self.begun, **known
        )
        self.last: Message | None = None
        """The parent of the next message."""

    def ask(self, text: str, **fields: object) -> Message:
        return self._say(Message.Role.USER, text, **fields)

    def answer(self, text: str = "", *, reasoning: str = "", **turn: object) -> Turn:
        """Add an answer with its turn, finished unless another status is given."""
        message = self._say(Message.Role.ASSISTANT, text, reasoning=reasoning)
        known: dict[str, object] = {
            "status": Turn.Status.COMPLETED,
            "model": MODEL,
            "process": PROCESS,
            "created_at": message.created_at,
            "started_at": message.created_at + timedelta(seconds=1),
        }
        status = turn.get("status", known["status"])
        if status not in Turn.UNFINISHED:
            known["ended_at"] = message.created_at + timedelta(seconds=9)
        known |= turn
        return Turn.objects.create(message=message, conversation=self.conversation, **known)

    def call(self, turn: Turn, name: str, arguments: str, **fields: object) -> ToolCall:
        """Add a tool call to that answer."""
        number = ToolCall.objects.filter(message__conversation=self.conversation).count() + 1
        made = turn.created_at + timedelta(seconds=2)
        known: dict[str, object] = {"call_id": f"call_{number}", "round": 0, "created_at": made}
        known["offset"] = len(turn.message.content)
        return ToolCall.objects.create(
            message=turn.message, name=name, arguments=arguments, **{**known, **fields}
        )

    def pieces(self, turn: Turn, *pieces: tuple[int, str, int]) -> None:
        """Add a piece as the journal writes it: frame number within the turn, text, and thought number."""
        for number, text, thought in pieces:
            Piece.objects.create(
                turn=turn, seq=self.conversation.seq + number, text=text, thought=thought
            )

    def end(self, *, leaf: Message | None = None, seq: int = 0) -> None:
        """End the current branch there, or at the last message."""
        self.conversation.leaf = leaf or self.last
        self.conversation.seq = seq or self.conversation.seq
        self.conversation.updated_at = self._now()
        self.conversation.save()

    def _say(self, role: Message.Role, text: str, **fields: object) -> Message:
        known: dict[str, object] = {"parent": self.last, "created_at": self._now(), **fields}
        number = self.conversation.message_set.count()
        self.last = Message.objects.create(
            id=uuid5(self.conversation.pk, str(number)),
            conversation=self.conversation,
            owner=self.conversation.owner,
            role=role,
            content=text,
            **known,
        )
        return self.last

    def _now(self) -> datetime:
        """Return a time, with whole seconds or not: SQLite writes the two differently."""
        said = self.conversation.message_set.count()
        return self.begun + timedelta(minutes=said, microseconds=123_456 * (said % 2))
