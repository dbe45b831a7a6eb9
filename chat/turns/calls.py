"""Tool calls of a running turn: stored, told, run side by side, their results stored and told.

What a tool is and how it runs is the Tool Runner's (`tools/`). Here a call is a row whose status
moves by conditional updates: `running` is committed before the side effect, so that it is started
at most once. Whether a call needs a person is looked up by the tool's name, here and nowhere else.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Iterable, Sequence

from django.db.models import QuerySet
from django.utils import timezone

from chat import publish
from chat.db.lanes import read
from chat.llm.base import CALL_ID, Opaque, ToolRequest
from chat.models import ToolCall, ToolRule
from chat.protocol import (
    FRAME_TEXT_BYTES,
    ToolApprovalRequested,
    ToolCallData,
    ToolCalled,
    ToolFinished,
    ToolProgress,
    ToolProgressData,
    ToolResultData,
    arguments_object,
)
from chat.protocol.sizes import cut_for_json
from chat.turns import opaque, toolbox
from chat.turns.journal import Journal
from chat.turns.live import Entry, LiveTurn
from tools.core.runner import Call, ToolOutcome

SHORT = 4 * 1024
"""Code points of arguments that are checked on the event loop: that takes less than a thread does."""
DENIED = "The person denied this call. Do not try it again unasked."
_FITTING_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
"""What every provider takes as the id of a call."""


async def store(
    turn: LiveTurn,
    journal: Journal,
    requests: Sequence[ToolRequest],
    beside: Iterable[Opaque],
    source: str,
) -> None:
    """Store and tell the calls of one answer of the model, and which of them need a person.

    `beside` is what it said for itself alone; `source` is the model's, which gets back its own ids.
    All is committed at once: an answer without its calls is asked for again after a crash.
    """
    turn.has_calls = True
    turn.borders.append(turn.length)
    prepared = await read(_prepared, turn, requests)
    journal.status(turn, "tool_calling")
    parts = opaque.parts_of(turn, beside)
    for request, (call, _) in zip(requests, prepared, strict=True):
        parts += opaque.parts_of(turn, _opaque(request, call, source), call.call_id)
    opaque.keep(turn, journal, parts)
    for call, data in prepared:
        journal.add(turn, Entry(ToolCalled(data=data), write=_inserting(call)))
        if call.status == ToolCall.Status.PENDING:
            journal.add(turn, Entry(ToolApprovalRequested(data=data)))
    await journal.settled(turn)


async def answer_open(turn: LiveTurn, journal: Journal, *, goes_on: bool = False) -> bool:
    """Run what may run, side by side, until nothing may. False: a call still needs a person.

    What is decided meanwhile joins what runs. A turn that `goes_on` was last said to wait for a
    person.
    """
    if not turn.has_calls:
        return True
    async with asyncio.TaskGroup() as tasks:
        begun = _Begun(turn, journal, tasks)
        while True:
            turn.calls_changed.clear()
            calls = await read(_unanswered, turn)
            ready = [call for call in calls if call.status != ToolCall.Status.PENDING]
            turn.asks = len(ready) < len(calls)
            if ready and goes_on:
                journal.status(turn, "tool_calling")
                goes_on = False
            begun.add(ready)
            if not begun.running:
                return not turn.asks
            await turn.calls_changed.wait()


class _Begun:
    """The calls of an answer that were begun here, each once, however often it is read."""

    def __init__(self, turn: LiveTurn, journal: Journal, tasks: asyncio.TaskGroup) -> None:
        self.running: set[asyncio.Task[None]] = set()
        self._call_ids: set[str] = set()
        self._turn = turn
        self._journal = journal
        self._tasks = tasks

    def add(self, calls: Iterable[ToolCall]) -> None:
        for call in calls:
            if call.call_id not in self._call_ids:
                self._call_ids.add(call.call_id)
                task = self._tasks.create_task(_answer(self._turn, self._journal, call))
                self.running.add(task)
                task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        if not self.running:
            self._turn.calls_changed.set()


async def _answer(turn: LiveTurn, journal: Journal, call: ToolCall) -> None:
    """Returns once the call's result is stored and told."""
    if call.status == ToolCall.Status.DENIED:
        outcome = ToolOutcome(DENIED, is_error=True)
    else:
        started = asyncio.Event()
        journal.add(turn, Entry(write=_starting(call), then=started.set))
        await started.wait()
        outcome = await _run(turn, call)
    finished = asyncio.Event()
    _finish(turn, journal, call, outcome, then=finished.set)
    await finished.wait()


async def _run(turn: LiveTurn, call: ToolCall) -> ToolOutcome:
    valid = await _validated(call)
    if isinstance(valid, ToolOutcome):
        return valid
    context = toolbox.context(turn, progress=lambda text: _progress(turn, call, text))
    return await toolbox.runner().run(valid, context)


async def _validated(call: ToolCall) -> Call | ToolOutcome:
    validate, arguments = toolbox.runner().validate, call.used_arguments
    if len(arguments) <= SHORT:
        return validate(call.name, arguments)
    return await asyncio.to_thread(validate, call.name, arguments)


def _finish(
    turn: LiveTurn,
    journal: Journal,
    call: ToolCall,
    outcome: ToolOutcome,
    then: Callable[[], None],
) -> None:
    content = cut_for_json(outcome.content, FRAME_TEXT_BYTES)
    data = ToolResultData(
        call_id=call.call_id,
        name=call.name,
        content=content,
        is_error=outcome.is_error,
        truncated=True if content != outcome.content else None,
    )
    journal.add(turn, Entry(ToolFinished(data=data), write=_finishing(call, outcome), then=then))


def _progress(turn: LiveTurn, call: ToolCall, text: str) -> None:
    data = ToolProgressData(call_id=call.call_id, content=text)
    publish.tell(turn.conversation_id, ToolProgress(data=data))


def _opaque(request: ToolRequest, call: ToolCall, source: str) -> Sequence[Opaque]:
    if _FITTING_ID.fullmatch(request.call_id):
        return request.opaque  # it is the call's, or was taken already and is no use to anybody
    return (*request.opaque, Opaque(CALL_ID, source, request.call_id))


# --- rows: reads --------------------------------------------------------------------------------


def _prepared(
    turn: LiveTurn, requests: Iterable[ToolRequest]
) -> list[tuple[ToolCall, ToolCallData]]:
    """Rows for what the model asks for, each with the status that it begins with, and what is told."""
    ids = ToolCall.objects.filter(message__conversation=turn.conversation_id)
    used = set(ids.values_list("call_id", flat=True))
    own = ToolRule.objects.filter(conversation=turn.conversation_id, imported=False)
    rules = dict(own.values_list("tool", "allow"))
    prepared = []
    for request in requests:
        call_id = request.call_id
        if call_id in used or not _FITTING_ID.fullmatch(call_id):
            call_id = f"call_{secrets.token_hex(12)}"
        used.add(call_id)
        call = ToolCall(
            message_id=turn.message_id,
            call_id=call_id,
            round=turn.round,
            offset=turn.length,
            name=request.name[:200],
            arguments=request.arguments,
        )
        _set_first_status(call, rules.get(call.name))
        prepared.append((call, _told(call)))
    return prepared


def _told(call: ToolCall) -> ToolCallData:
    arguments = cut_for_json(call.arguments, FRAME_TEXT_BYTES)
    return ToolCallData(
        call_id=call.call_id,
        name=call.name,
        arguments=arguments_object(arguments),
        truncated=True if arguments != call.arguments else None,
    )


def _set_first_status(call: ToolCall, rule: bool | None) -> None:
    """Pending only where a person's word is needed; what cannot run is not asked for."""
    valid = toolbox.runner().validate(call.name, call.arguments)
    if isinstance(valid, ToolOutcome) or not valid.tool.approval:
        call.status = ToolCall.Status.APPROVED
        return
    if rule is None:
        call.status = ToolCall.Status.PENDING
        return
    call.status = ToolCall.Status.APPROVED if rule else ToolCall.Status.DENIED
    call.decided_from = ToolCall.DecidedFrom.RULE
    call.decided_at = timezone.now()


def _unanswered(turn: LiveTurn) -> list[ToolCall]:
    # In one read: a person may decide between two, and the call would be in neither.
    return list(ToolCall.objects.unanswered().filter(message=turn.message_id))


# --- rows: writes, inside the journal's transaction ---------------------------------------------


def _inserting(call: ToolCall) -> Callable[[int], None]:
    def insert(_seq: int) -> None:
        call.pk = None  # of an insertion that was rolled back: it may be another's by now
        ToolCall.objects.bulk_create([call])

    return insert


def _starting(call: ToolCall) -> Callable[[int], None]:
    def start(_seq: int) -> None:
        approved = _row(call).filter(status=ToolCall.Status.APPROVED)
        approved.update(status=ToolCall.Status.RUNNING, started_at=timezone.now())

    return start


def _finishing(call: ToolCall, outcome: ToolOutcome) -> Callable[[int], None]:
    def finish(_seq: int) -> None:
        changes = {"result": outcome.content, "ended_at": timezone.now()}
        if call.status != ToolCall.Status.DENIED:
            failed, finished = ToolCall.Status.FAILED, ToolCall.Status.FINISHED
            changes["status"] = failed if outcome.is_error else finished
        _row(call).update(**changes)

    return finish


def _row(call: ToolCall) -> QuerySet[ToolCall]:
    return ToolCall.objects.filter(message=call.message_id, call_id=call.call_id)
