"""The export's tree of nodes as a tree of questions and answers. Without recursion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from chat.models import Conversation
from chat.models import Message as Row
from chat.transfer.chatgpt.answers import Answer
from chat.transfer.chatgpt.exported import Exported, Message, Node
from chat.transfer.chatgpt.texts import cleaned, is_seen, reasoning, words
from chat.transfer.format import FORMAT, VERSION, YEARS, ArchivedConversation, ArchivedMessage

MAX_TITLE = 200
OPENING_WORDS = 60
_STEP = timedelta(microseconds=1)
_BEGAN_BY_ITSELF = "…"
"""The question of an answer that has none: answers answer something here."""


@dataclass(frozen=True)
class _At:
    """Where one stands in the walk: below which message, and within which answer."""

    node_id: str
    parent: UUID | None
    answer: Answer | None
    time: datetime
    """Of the message above."""


class _Walk:
    """Node by node from the roots, versions in the export's order."""

    def __init__(self, exported: Exported, conversation_id: UUID, begun: datetime) -> None:
        self.exported = exported
        self.conversation_id = conversation_id
        self.begun = begun
        self.said: list[ArchivedMessage | Answer] = []
        self.ends: dict[str, UUID | None] = {}
        """By node the message that it is in, or below."""
        self._children = _children(exported.mapping)
        self._latest: dict[UUID | None, datetime] = {}

    def run(self) -> None:
        open_ = [_At(root, None, None, self.begun) for root in reversed(self._children[None])]
        while open_:
            at = open_.pop()
            node = self.exported.mapping[at.node_id]
            below = self._step(at, node.message) if node.message else at
            self.ends[at.node_id] = below.answer.id if below.answer else below.parent
            children = self._children[at.node_id]
            if len(children) > 1:  # an answer ends where versions part
                below = replace(below, parent=self.ends[at.node_id], answer=None)
            open_ += [replace(below, node_id=child) for child in reversed(children)]
        if len(self.ends) < len(self.exported.mapping):
            raise ValueError("its nodes go round in a circle")

    def _step(self, at: _At, message: Message) -> _At:
        text = words(message)
        if not is_seen(message) or not (text or reasoning(message) or _is_call(message)):
            return at
        time = _moment(message.create_time) or at.time
        if message.author.role == "user":
            return self._question(at, text, time)
        if at.answer is not None:
            at.answer.add(at.node_id, message, max(time, at.answer.created_at))
            return at
        parent = at.parent
        if parent is None:
            at = self._question(at, _BEGAN_BY_ITSELF, time, name="began")
            parent = self.said[-1].id
        time = self._after(at, time)
        answer = Answer(self._id(at.node_id), parent, time)
        answer.add(at.node_id, message, time)
        self.said.append(answer)
        return replace(at, parent=None, answer=answer, time=time)

    def _question(self, at: _At, text: str, time: datetime, name: str = "") -> _At:
        parent = at.answer.id if at.answer else at.parent
        time = self._after(replace(at, parent=parent), time)
        question = ArchivedMessage(
            id=self._id(name + at.node_id),
            parent=parent,
            role=Row.Role.USER,
            content=text,
            reasoning="",
            client_id=None,
            withdrawn=False,
            created_at=time,
            turn=None,
            calls=(),
        )
        self.said.append(question)
        return replace(at, parent=question.id, answer=None, time=time)

    def _id(self, node_id: str) -> UUID:
        return uuid5(self.conversation_id, cleaned(node_id))

    def _after(self, at: _At, time: datetime) -> datetime:
        """Later than what stands above and than earlier versions: times say the order here."""
        time = max(time, at.time + _STEP, self._latest.get(at.parent, at.time) + _STEP)
        self._latest[at.parent] = time
        return time


def archived(exported: Exported) -> ArchivedConversation | None:
    """None: nobody said anything."""
    own_id = exported.conversation_id or exported.id or min(exported.mapping, default="")
    conversation_id = _uuid(own_id)
    created_at = _moment(exported.create_time) or _earliest(exported)
    walk = _Walk(exported, conversation_id, created_at)
    walk.run()
    model = exported.default_model_slug or ""
    said = [m.archived(model) if isinstance(m, Answer) else m for m in walk.said]
    if not said:
        return None
    said.sort(key=lambda message: (message.created_at, message.id))
    last = said[-1]
    title = " ".join(cleaned(exported.title or "").split())[:MAX_TITLE]
    by_model = Conversation.TitledBy.MODEL
    return ArchivedConversation(
        format=FORMAT,
        version=VERSION,
        id=conversation_id,
        owner="",
        title=title or " ".join(said[0].content.split())[:OPENING_WORDS],
        titled_by=by_model if title else Conversation.TitledBy.OPENING,
        model="",
        instructions="",
        temperature=None,
        max_output_tokens=None,
        pinned=exported.is_starred is True,
        archived=exported.is_archived is True,
        unread=False,
        seq=0,
        leaf=walk.ends.get(exported.current_node or "") or last.id,
        created_at=created_at,
        updated_at=max(_moment(exported.update_time) or last.created_at, created_at),
        rules=(),
        messages=tuple(said),
    )


def _is_call(message: Message) -> bool:
    return message.author.role == "tool" or message.recipient not in (None, "", "all")


def _children(mapping: dict[str, Node]) -> defaultdict[str | None, list[str]]:
    """Below each node, and below none: by what nodes say of their parents, in the parents' order."""
    found: defaultdict[str | None, list[str]] = defaultdict(list)
    for node_id, node in mapping.items():
        found[node.parent if node.parent in mapping else None].append(node_id)
    for above, children in found.items():
        if above is not None and len(children) > 1:
            places = {child: place for place, child in enumerate(mapping[above].children)}
            children.sort(key=lambda child: places.get(child, len(places)))
    return found


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return uuid5(NAMESPACE_URL, f"chatgpt:{cleaned(text)}")


def _earliest(exported: Exported) -> datetime:
    return min(_times(exported), default=datetime(YEARS.start, 1, 1, tzinfo=UTC))


def _times(exported: Exported) -> Iterator[datetime]:
    for node in exported.mapping.values():
        if node.message and (time := _moment(node.message.create_time)):
            yield time


def _moment(seconds: float | None) -> datetime | None:
    """None: not known, or absurd."""
    try:
        found = datetime.fromtimestamp(seconds or 0, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.year in YEARS and seconds else None
