"""What `session_created` carries: a conversation as it is now, and the live turn so far.

A snapshot is read in one database snapshot, so that its `seq` says exactly which frames it
includes: the server commits before it tells. It is one frame, and no frame is beyond 1 MiB: long
texts are cut, of very many calls it has the first and the last ones, and it says so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC
from functools import partial
from typing import NamedTuple, Self
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Count, Sum
from django.db.models.functions import Length, Substr

from chat.access.owner import find
from chat.db.lanes import one_snapshot
from chat.models import Conversation, Message, Piece, SoFar, ToolCall, Turn
from chat.models.branches import SHOWN, Versions, beginnings, siblings
from chat.protocol import (
    MAX_ANSWER_BYTES,
    MAX_FRAME_BYTES,
    MAX_TEXT,
    SNAPSHOT_CALLS,
    SNAPSHOT_CALLS_BYTES,
    SNAPSHOT_CONTENT_BYTES,
    SNAPSHOT_MESSAGES,
    Done,
    MessageView,
    SessionCreated,
    SessionCreatedData,
    ToolCallView,
    TurnStatus,
    TurnView,
    arguments_object,
)
from chat.protocol.sizes import cut, cut_for_json, fair_share, json_size
from chat.turns import ends, engine
from chat.turns.ends import usage_view


@dataclass(frozen=True)
class Limits:
    """How much of messages is shown."""

    texts: int = MAX_FRAME_BYTES - SNAPSHOT_CALLS_BYTES
    """Bytes of all contents and reasonings."""
    live: int = MAX_ANSWER_BYTES
    """Likewise of the live turn's text."""
    results: int = SNAPSHOT_CALLS_BYTES
    """Likewise of all results, and of all arguments."""
    remarks: int = 8 * 1024
    """Likewise of what is said of one answer."""
    calls: int = SNAPSHOT_CALLS
    """Of one message."""
    cuts_open: bool = False
    """Also the arguments of calls that are not over."""
    is_each: bool = False
    """The bytes are those of one message, and not of all together; and what a person may have sent
    is whole, to be edited and sent again."""

    def halved(self) -> Self:
        return replace(
            self,
            texts=self.texts // 2,
            live=self.live // 2,
            results=self.results // 2,
            remarks=self.remarks // 2,
            calls=max(2, self.calls // 2),
            cuts_open=True,
        )


def session_created(
    owner: User, session_id: UUID, default_model: str, *, awaited: Collection[UUID] = ()
) -> tuple[SessionCreated, list[Turn]]:
    """A conversation of the owner's as it is now, and those of `awaited` answers' turns that are
    over in this same state. Raises `SessionNotFound`.
    """
    with one_snapshot():
        conversation = find(owner, session_id)
        messages = beginnings(conversation.leaf_id, last=SNAPSHOT_MESSAGES)
        turns = Turn.objects.filter(conversation=conversation)
        live = turns.live().select_related("message").first()
        so_far = Piece.objects.so_far(live.pk) if live else SoFar(0, "", "")
        queued = turns.queued().count() if live else 0
        data = partial(
            SessionCreatedData,
            session_id=str(conversation.pk),
            title=conversation.title,
            model=conversation.model or default_model,
            resumed=True,
            seq=max(conversation.seq, so_far.seq),
        )
        limits = Limits()
        while True:
            shown = views(messages, live={live.message_id: so_far} if live else {}, limits=limits)
            turn = _turn_view(live, so_far, queued, limits) if live else None
            snapshot = SessionCreated(data=data(messages=shown, turn=turn))
            if len(snapshot.encode().encode()) <= MAX_FRAME_BYTES:
                break
            limits = limits.halved()
        over = [turn for turn in turns.filter(message__in=awaited).order_by("pk") if turn.is_over]
    return snapshot, over


def begun(conversation: Conversation, default_model: str) -> SessionCreated:
    """The snapshot of a conversation that was made a moment ago."""
    return SessionCreated(
        data=SessionCreatedData(
            session_id=str(conversation.pk),
            title="",
            model=conversation.model or default_model,
            resumed=False,
            messages=(),
            seq=0,
            turn=None,
        )
    )


def done(turn: Turn) -> Done:
    """Make the frame, without a number, that tells of the end of a turn that is over."""
    return ends.done(turn, turn.status, usage_view(turn))


def so_far(conversation: Conversation) -> dict[UUID, SoFar]:
    """What the live turn, if any, has written so far, by its message's id."""
    live = Turn.objects.filter(conversation=conversation).live().first()
    return {live.message_id: Piece.objects.so_far(live.pk)} if live else {}


def views(
    messages: Iterable[Message], *, live: dict[UUID, SoFar], limits: Limits | None
) -> tuple[MessageView, ...]:
    """Messages as clients see them, in the given order; `live` is what live ones wrote so far.

    Without `limits` they are whole.
    """
    messages = list(messages)
    ids = [message.pk for message in messages]
    turns = {turn.message_id: turn for turn in Turn.objects.filter(message__in=ids)}
    calls, counts = _calls(ids, limits)
    said = {m.pk: live.get(m.pk) or SoFar(0, m.content, m.reasoning) for m in messages}
    together = [ids] if limits and not limits.is_each else [[pk] for pk in ids]
    most: dict[UUID, _Share] = {}
    texts: dict[UUID, int | None] = {}
    for some in together:
        most |= dict.fromkeys(some, _share([c for pk in some for c in calls[pk]], limits))
        texts |= dict.fromkeys(some, _text_share([said[pk] for pk in some], limits))
    versions = siblings(messages)
    return tuple(
        _message_view(
            message,
            turns.get(message.pk),
            tuple(call_view(call, most[message.pk], limits) for call in calls[message.pk]),
            counts.get(message.pk, 0),
            versions[message.pk],
            said[message.pk],
            is_live=message.pk in live,
            most=texts[message.pk],
            limits=limits,
        )
        for message in messages
    )


def _message_view(
    message: Message,
    turn: Turn | None,
    calls: tuple[ToolCallView, ...],
    count: int,
    versions: Versions,
    said: SoFar,
    *,
    is_live: bool,
    most: int | None,
    limits: Limits | None,
) -> MessageView:
    is_whole = limits is not None and limits.is_each and message.role == Message.Role.USER
    content = said.text if is_whole and len(said.text) <= MAX_TEXT else _cut(said.text, most)
    remarks = limits.remarks if limits else None
    are_all_named = len(versions.ids) == versions.count
    return MessageView(
        id=str(message.pk),
        parent_id=str(message.parent_id) if message.parent_id else None,
        siblings=versions.ids,
        version=None if are_all_named else versions.number,
        versions=None if are_all_named else versions.count,
        role=message.role,
        content=content,
        truncated=True if content != said.text else None,
        reasoning=_cut(said.reasoning, most) or None,
        tool_calls=calls,
        calls=None if len(calls) == count else count,
        status=_shown_status(turn, is_live=is_live),
        model=(turn.model or None) if turn else None,
        usage=usage_view(turn) if turn else None,
        client_id=message.client_id,
        error=_cut(turn.error, remarks) or None if turn else None,
        error_details=_cut(turn.error_details, remarks) or None if turn else None,
        note=_cut(turn.note, remarks) or None if turn else None,
        context_tokens=turn.context_tokens if turn else None,
        context_window=turn.context_window if turn else None,
        created_at=message.created_at.astimezone(UTC).isoformat(),
    )


def _calls(
    ids: Collection[UUID], limits: Limits | None
) -> tuple[dict[UUID, list[ToolCall]], dict[UUID, int]]:
    """By message its calls, or the first and the last of too many, and how many there are.

    With `limits`, no more of their results than may be shown."""
    of_them = ToolCall.objects.filter(message__in=ids)
    counts = dict(of_them.order_by().values_list("message").annotate(Count("pk")))
    if limits is not None:
        of_them = of_them.defer("result").annotate(shown=Substr("result", 1, SHOWN))
    found: dict[int, ToolCall] = {}
    for pk, count in counts.items():
        if limits is None or count <= limits.calls:
            continue
        of_it = of_them.filter(message=pk)
        some = (
            of_it.order_by("pk")[: limits.calls // 2],
            of_it.order_by("-pk")[: limits.calls // 2],
            of_it.filter(status__in=ToolCall.OPEN).order_by("pk")[: limits.calls],
        )
        found |= {call.pk: call for part in some for call in part}
    few = [pk for pk, count in counts.items() if limits is None or count <= limits.calls]
    found |= {call.pk: call for call in of_them.filter(message__in=few)}
    by_message: defaultdict[UUID, list[ToolCall]] = defaultdict(list)
    for key in sorted(found):
        if limits is not None:
            found[key].result = found[key].shown  # type: ignore[attr-defined]  # annotated above
        by_message[found[key].message_id].append(found[key])
    return by_message, counts


def text_sizes(ids: Collection[UUID]) -> Counter[UUID]:
    """How many code points some messages have with their calls, by message."""
    said = Message.objects.filter(pk__in=ids).order_by().values_list("pk")
    sizes = Counter(dict(said.annotate(size=Length("content") + Length("reasoning"))))
    size = Sum(Length("arguments") + Length("edited_arguments") + Length("result"))
    rows = ToolCall.objects.filter(message__in=ids).order_by().values_list("message")
    sizes.update(dict(rows.annotate(size=size)))
    return sizes


def _cut(text: str, most: int | None) -> str:
    """Content for a snapshot: at most so many bytes, whole code points; None: all."""
    return text if most is None else cut_for_json(cut(text, SNAPSHOT_CONTENT_BYTES), most)


def _text_share(said: Iterable[SoFar], limits: Limits | None) -> int | None:
    if limits is None:
        return None
    texts = [text for one in said for text in (one.text, one.reasoning)]
    return fair_share(map(_size, texts), limits.texts)


def _size(text: str) -> int:
    return json_size(cut(text, SNAPSHOT_CONTENT_BYTES))


class _Share(NamedTuple):
    """What each text of some calls may take of a snapshot, in bytes; None: all."""

    result: int | None = None
    arguments: int | None = None


def _share(calls: Collection[ToolCall], limits: Limits | None) -> _Share:
    if limits is None:
        return _Share()
    return _Share(
        fair_share(map(_size, (call.result for call in calls)), limits.results),
        fair_share(map(_size, (call.used_arguments for call in calls)), limits.results),
    )


def call_view(call: ToolCall, most: _Share, limits: Limits | None) -> ToolCallView:
    """A call, its texts cut to so many bytes; who has to decide gets its arguments whole."""
    is_open = call.status in ToolCall.OPEN
    is_whole = is_open and not (limits and limits.cuts_open)
    result = "" if is_open else call.result
    shown = _cut(result, most.result)
    arguments, edited = (
        text if is_whole else _cut(text, most.arguments)
        for text in (call.arguments, call.edited_arguments)
    )
    whole = (result, call.arguments, call.edited_arguments)
    return ToolCallView(
        call_id=call.call_id,
        name=call.name,
        arguments=arguments_object(arguments),
        status=call.status,
        content=None if is_open else shown,
        truncated=True if (shown, arguments, edited) != whole else None,
        is_error=call.is_error,
        offset=call.offset,
        edited_arguments=arguments_object(edited) if edited else None,
        seconds=_seconds(call),
    )


def call_views(calls: Collection[ToolCall], limits: Limits) -> tuple[ToolCallView, ...]:
    """Some calls of one message."""
    most = _share(calls, limits)
    return tuple(call_view(call, most, limits) for call in calls)


def _shown_status(turn: Turn | None, *, is_live: bool) -> str:
    if turn is None:
        return Turn.Status.COMPLETED
    is_decided = is_live and turn.status == Turn.Status.QUEUED  # it goes on in a moment
    return Turn.Status.RUNNING if is_decided else turn.status


def _seconds(call: ToolCall) -> float | None:
    if call.started_at is None or call.ended_at is None:
        return None
    return max(0.0, round((call.ended_at - call.started_at).total_seconds(), 3))


def _turn_view(turn: Turn, so_far: SoFar, queued: int, limits: Limits) -> TurnView:
    found, counts = _calls([turn.message_id], limits)
    calls = found[turn.message_id]
    content = cut_for_json(so_far.text, limits.live)
    waiting = engine.waiting(turn.pk)
    count = counts.get(turn.message_id, 0)
    return TurnView(
        message_id=str(turn.message_id),
        content=content,
        truncated=True if content != so_far.text else None,
        length=len(so_far.text) if content != so_far.text else None,
        reasoning=_cut(so_far.reasoning, limits.live) or None,
        status=_status(turn, so_far.text, calls),
        tool_calls=call_views(calls, limits),
        calls=None if len(calls) == count else count,
        queued=queued,
        note=waiting.note if waiting else None,
        since=waiting.since if waiting else None,
    )


def _status(turn: Turn, text: str, calls: list[ToolCall]) -> TurnStatus:
    if turn.status == Turn.Status.WAITING:
        return "waiting_approval"
    if any(call.status in ToolCall.OPEN for call in calls):
        return "tool_calling"
    return "responding" if len(text) > (calls[-1].offset if calls else 0) else "thinking"
