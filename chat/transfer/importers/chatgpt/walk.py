"""Turning the export's tree of nodes into one of questions and answers, without recursion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chat.transfer.importers.chatgpt.answers import Answer
from chat.transfer.importers.chatgpt.documents import CREATE, NOTHING, UPDATE, Document, Documents
from chat.transfer.importers.chatgpt.earlier import was_seen
from chat.transfer.importers.chatgpt.exported import SPEAKERS, Exported, Message
from chat.transfer.importers.chatgpt.fields import Fields, Notes
from chat.transfer.importers.chatgpt.left_out import LeftOut
from chat.transfer.importers.chatgpt.markup import line
from chat.transfer.importers.chatgpt.nodes import tree
from chat.transfer.importers.chatgpt.texts import is_seen, read_message

_NO_CANVAS = Fields({}, "", Notes())
_STEP = timedelta(microseconds=1)
_BEGAN_BY_ITSELF = "…"
"""The text of the question invented for an answer that has none."""


@dataclass(eq=False)
class Question:
    node_id: str
    text: str
    created_at: datetime

    @property
    def length(self) -> int:
        return len(self.text)


@dataclass(eq=False)
class Beginning:
    """The question invented for an answer; its id derives from the answer's."""

    answer: Answer
    created_at: datetime
    text: str = _BEGAN_BY_ITSELF
    length: int = len(_BEGAN_BY_ITSELF)


Asked = Question | Beginning
Spoken = Asked | Answer


@dataclass(frozen=True)
class _At:
    """A position in the walk: below which message, and within which answer."""

    node_id: str
    above: Spoken | None
    answer: Answer | None
    """The answer above, while it grows."""
    time: datetime
    """The time of the message above."""
    document: Document = NOTHING
    is_first: bool = True
    """Whether the answer has no node yet that the first version of this importer saw."""


class Walk:
    """Walks all nodes from the roots, versions in the export's order."""

    def __init__(self, exported: Exported, begun: datetime, left_out: LeftOut) -> None:
        self.exported = exported
        self.begun = begun
        self.left_out = left_out
        self.spoken: dict[Spoken, Spoken | None] = {}
        """Each message with the one above it."""
        self.ends: dict[str, Spoken | None] = {}
        """By node, the message that it is in or below."""
        self._documents = Documents()
        self._children = tree(exported.mapping, exported.notes)
        self._latest: dict[Spoken | None, datetime] = {}

    def run(self) -> None:
        open_ = [_At(root, None, None, self.begun) for root in reversed(self._children[None])]
        while open_:
            at = open_.pop()
            message = self.exported.mapping[at.node_id].message
            below = self._step(at, message) if message else at
            self.ends[at.node_id] = below.above
            children = self._children[at.node_id]
            if len(children) > 1:  # an answer ends at a fork
                below = replace(below, answer=None)
            open_ += [replace(below, node_id=child) for child in reversed(children)]

    def _step(self, at: _At, message: Message) -> _At:
        time = message.time or at.time
        if not is_seen(message):
            if at.answer and message.is_hidden and message.role == "tool":
                at.answer.hide(message, time)
            elif not message.is_hidden and message.role not in (*SPEAKERS, "system"):
                self._note_speaker(at.node_id, message)
            return at
        if message.role == "user":
            return self._question(at, message, time)
        return self._answer(at, message, time)

    def _question(self, at: _At, message: Message, time: datetime) -> _At:
        text = read_message(message, self.left_out, set(), {}).markdown
        if not text and not was_seen(message):
            return at
        question = Question(at.node_id, text, self._after(at, time))
        self.spoken[question] = at.above
        return replace(at, above=question, answer=None, time=question.created_at)

    def _answer(self, at: _At, message: Message, time: datetime) -> _At:
        answer = at.answer or Answer(at.node_id, time)
        words = answer.read(message, self.left_out)
        if not (words.markdown or words.reasoning or was_seen(message)):
            if at.answer:
                at.answer.stop(message)
            return at
        if at.answer is None:
            at = self._begin(at, answer, time)
        if at.is_first and was_seen(message):
            answer.node_id = at.node_id
            at = replace(at, is_first=False)
        is_written = message.recipient in (CREATE, UPDATE)
        canvas = self._canvas(at.node_id) if is_written else _NO_CANVAS
        answer.document = self._documents.find(canvas, at.document)
        answer.add(at.node_id, message, words, max(time, answer.created_at))
        if is_written:
            self._documents.add(answer.document, canvas)
        return replace(at, document=answer.document)

    def _canvas(self, node_id: str) -> Fields:
        """Return what the result of a call says about its document."""
        for child in self._children[node_id]:
            result = self.exported.mapping[child].message
            if result and (canvas := result.metadata.quiet.inner("canvas")):
                return canvas
        return _NO_CANVAS

    def _begin(self, at: _At, answer: Answer, time: datetime) -> _At:
        """Place an answer below a question, or below an invented one."""
        if at.above is None:
            beginning = Beginning(answer, self._after(at, time))
            self.spoken[beginning] = at.above
            at = replace(at, above=beginning, time=beginning.created_at)
        answer.created_at = self._after(at, time)
        self.spoken[answer] = at.above
        return replace(at, above=answer, answer=answer, time=answer.created_at, is_first=True)

    def _after(self, at: _At, time: datetime) -> datetime:
        """Return a time after the message above and earlier versions: order is by time."""
        time = max(time, at.time + _STEP, self._latest.get(at.above, at.time) + _STEP)
        self._latest[at.above] = time
        return time

    def _note_speaker(self, node_id: str, message: Message) -> None:
        who = f"“{line(message.role, 40)}” is not known" if message.role else "nobody is named"
        self._note(node_id, f"{who} as its author")

    def _note(self, node_id: str, what: str) -> None:
        self.exported.notes.add(f"message {line(node_id, 60)}: {what}")
