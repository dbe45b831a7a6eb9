"""The export's tree of nodes as a tree of questions and answers. Without recursion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chat.transfer.importers.chatgpt.answers import Answer
from chat.transfer.importers.chatgpt.assets import LeftOut
from chat.transfer.importers.chatgpt.documents import CREATE, NOTHING, UPDATE, Document, Documents
from chat.transfer.importers.chatgpt.earlier import was_seen
from chat.transfer.importers.chatgpt.exported import SPEAKERS, Exported, Message
from chat.transfer.importers.chatgpt.fields import Fields, Notes
from chat.transfer.importers.chatgpt.markup import line
from chat.transfer.importers.chatgpt.nodes import tree
from chat.transfer.importers.chatgpt.texts import is_seen, said

_NO_CANVAS = Fields({}, "", Notes())
_STEP = timedelta(microseconds=1)
_BEGAN_BY_ITSELF = "…"
"""The question of an answer that has none: answers answer something here."""


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
    """The question that is made up for an answer, and called after it."""

    answer: Answer
    created_at: datetime
    text: str = _BEGAN_BY_ITSELF
    length: int = len(_BEGAN_BY_ITSELF)


Asked = Question | Beginning
Spoken = Asked | Answer


@dataclass(frozen=True)
class _At:
    """Where one stands in the walk: below which message, and within which answer."""

    node_id: str
    above: Spoken | None
    answer: Answer | None
    """The one above, while it grows."""
    time: datetime
    """Of the message above."""
    document: Document = NOTHING
    is_first: bool = True
    """No node of the answer is one that the first version of this reader saw."""


class Walk:
    """Node by node from the roots, versions in the export's order."""

    def __init__(self, exported: Exported, begun: datetime, left_out: LeftOut) -> None:
        self.exported = exported
        self.begun = begun
        self.left_out = left_out
        self.spoken: dict[Spoken, Spoken | None] = {}
        """Messages by what stands above them."""
        self.ends: dict[str, Spoken | None] = {}
        """By node the message that it is in, or below."""
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
            if len(children) > 1:  # an answer ends where versions part
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
        text = said(message, self.left_out, set(), {}).markdown
        if not text and not was_seen(message):
            return at
        question = Question(at.node_id, text, self._after(at, time))
        self.spoken[question] = at.above
        return replace(at, above=question, answer=None, time=question.created_at)

    def _answer(self, at: _At, message: Message, time: datetime) -> _At:
        answer = at.answer or Answer(at.node_id, time)
        words = answer.said(message, self.left_out)
        if not (words.markdown or words.reasoning or was_seen(message)):
            if at.answer:
                at.answer.stop(message)
            return at
        if at.answer is None:
            at = self._begun(at, answer, time)
        if at.is_first and was_seen(message):
            answer.node_id = at.node_id
            at = replace(at, is_first=False)
        is_written = message.recipient in (CREATE, UPDATE)
        canvas = self._canvas(at.node_id) if is_written else _NO_CANVAS
        answer.document = self._documents.meant(canvas, at.document)
        answer.add(at.node_id, message, words, max(time, answer.created_at))
        if is_written:
            self._documents.add(answer.document, canvas)
        return replace(at, document=answer.document)

    def _canvas(self, node_id: str) -> Fields:
        """What the result of a call says of the document that it wrote."""
        for child in self._children[node_id]:
            result = self.exported.mapping[child].message
            if result and (canvas := result.metadata.quiet.inner("canvas")):
                return canvas
        return _NO_CANVAS

    def _begun(self, at: _At, answer: Answer, time: datetime) -> _At:
        """An answer stands below a question, or below the beginning of its versions."""
        if at.above is None:
            beginning = Beginning(answer, self._after(at, time))
            self.spoken[beginning] = at.above
            at = replace(at, above=beginning, time=beginning.created_at)
        answer.created_at = self._after(at, time)
        self.spoken[answer] = at.above
        return replace(at, above=answer, answer=answer, time=answer.created_at, is_first=True)

    def _after(self, at: _At, time: datetime) -> datetime:
        """Later than what stands above and than earlier versions: times say the order here."""
        time = max(time, at.time + _STEP, self._latest.get(at.above, at.time) + _STEP)
        self._latest[at.above] = time
        return time

    def _note_speaker(self, node_id: str, message: Message) -> None:
        who = f"“{line(message.role, 40)}” is not known" if message.role else "nobody is named"
        self._note(node_id, f"{who} as its author")

    def _note(self, node_id: str, what: str) -> None:
        self.exported.notes.add(f"message {line(node_id, 60)}: {what}")
