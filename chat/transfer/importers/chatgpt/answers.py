"""Collecting several nodes of an export into one answer: texts, tool calls and reasoning."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chat.models import Message as Row
from chat.models import Turn
from chat.transfer.archive.format import MAX_TEXT, ArchivedMessage, ArchivedTurn
from chat.transfer.importers.chatgpt.calls import Calls
from chat.transfer.importers.chatgpt.documents import NOTHING, Document, read_call
from chat.transfer.importers.chatgpt.exported import Message
from chat.transfer.importers.chatgpt.left_out import LeftOut
from chat.transfer.importers.chatgpt.markup import line
from chat.transfer.importers.chatgpt.reasoning import is_reasoning
from chat.transfer.importers.chatgpt.references import (
    Link,
    format_results,
    format_sources,
    references,
)
from chat.transfer.importers.chatgpt.texts import Said, raw, read_message

UNKNOWN_MODEL = "chatgpt"
CUT_SHORT = "Cut off: this answer reached its output limit."
_BY_STATUS = {
    "in_progress": Turn.Status.INTERRUPTED,
    "finished_partial_completion": Turn.Status.CANCELLED,
}
_BETWEEN = "\n\n"
Ending = tuple[Turn.Status, str]
"""A status and an error text."""
WELL: Ending = (Turn.Status.COMPLETED, "")


@dataclass(eq=False)
class Answer:
    """An answer that grows node by node."""

    node_id: str
    """The node that its id derives from."""
    created_at: datetime
    document: Document = NOTHING
    """The canvas document written last."""
    model: str = ""
    ended_at: datetime | None = None
    _ending: Ending = WELL
    _tools_ending: Ending = WELL
    """How the tools ended that ran after the model's last text."""
    _pieces: list[str] = field(default_factory=list)
    length: int = 0
    """The characters of its text so far."""
    _reasoning: list[str] = field(default_factory=list)
    _calls: Calls = field(default_factory=Calls)
    _named: set[str] = field(default_factory=set)
    _links: dict[str, Link] = field(default_factory=dict)
    _sources: dict[str, str] = field(default_factory=dict)

    def read(self, message: Message, left_out: LeftOut) -> Said:
        """Read the words of a node as a part of this answer."""
        return read_message(message, left_out, self._named, self._links)

    def add(self, node_id: str, message: Message, words: Said, at: datetime) -> None:
        self.ended_at = at
        if message.role == "tool":
            self._tools_ending = _ending(message)
        else:
            self._ending, self._tools_ending = _ending(message), WELL
        if slug := message.metadata.text("model_slug"):
            self.model = line(slug)
        self._reasoning += filter(str.strip, words.reasoning)
        if is_reasoning(message):
            self._reasoning += filter(None, [words.words])
        elif message.role == "tool":
            self._result(node_id, message, words, at)
        elif message.is_call:
            self._call(node_id, message, words, at)
        else:
            self._say(words.words)
            if found := format_results(message.metadata):
                self._calls.add_hidden_result("", found, at)
        for markdown in words.shown:
            self._say(markdown)
        for url, title in words.references.sources.items():
            self._sources.setdefault(url, title)

    def stop(self, message: Message) -> None:
        """Note an ending from a node without words: the model may have been stopped before them."""
        if message.role != "tool" and (ending := _ending(message)) != WELL:
            self._ending = ending

    def hide(self, message: Message, at: datetime) -> None:
        """Add a tool's node that the page does not show."""
        references(message.metadata, self._links)
        self._calls.add_hidden_result(message.name, format_results(message.metadata), at)

    def archive(self, own_id: UUID, parent: UUID | None, default_model: str) -> ArchivedMessage:
        self._say(format_sources(self._sources))
        text = "".join(self._pieces)[:MAX_TEXT]
        return ArchivedMessage(
            id=own_id,
            parent=parent,
            role=Row.Role.ASSISTANT,
            content=text,
            reasoning=_BETWEEN.join(self._reasoning)[:MAX_TEXT],
            client_id=None,
            withdrawn=False,
            created_at=self.created_at,
            turn=self._turn(default_model),
            calls=self._calls.archive(len(text)),
        )

    def _say(self, text: str) -> None:
        if text:
            text = f"{_BETWEEN}{text}" if self._pieces else text
            self._pieces.append(text)
            self.length += len(text)

    def _call(self, node_id: str, message: Message, words: Said, at: datetime) -> None:
        text = raw(message)
        document = read_call(message.recipient, text, self.document, words.references)
        arguments = document.arguments if document else text
        self._calls.add(node_id, message.recipient, arguments, self.length, at)
        if document:
            self.document = document.document
            self._say(document.markdown)

    def _result(self, node_id: str, message: Message, words: Said, at: datetime) -> None:
        text = words.words or format_results(message.metadata)
        has_failed = message.content.text("content_type") == "system_error"
        self._calls.add_result(node_id, message.name, text, self.length, at, has_failed=has_failed)

    def _turn(self, default_model: str) -> ArchivedTurn:
        status, error = self._tools_ending if self._ending == WELL else self._ending
        return ArchivedTurn(
            status=status,
            model=self.model or line(default_model) or UNKNOWN_MODEL,
            context=None,
            client_id=None,
            input_tokens=None,
            output_tokens=None,
            cached_tokens=None,
            cost=None,
            error_code="",
            error=error,
            created_at=self.created_at,
            started_at=self.created_at,
            ended_at=self.ended_at,
            cancel_requested_at=None,
        )


def _ending(message: Message) -> Ending:
    """Return how a node ended."""
    details = message.metadata.raw("finish_details")
    kind = details.get("type") if isinstance(details, dict) else details
    status = _BY_STATUS.get(message.status, Turn.Status.COMPLETED)
    if kind == "interrupted":
        status = Turn.Status.CANCELLED
    is_cut = kind in ("max_tokens", "length") and status == Turn.Status.COMPLETED
    return status, CUT_SHORT if is_cut else ""
