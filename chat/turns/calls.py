"""Tool calls of a running turn: they are stored and sent, run side by side, and so are their results.

The Tool Runner (`tools/core/runner.py`) knows what a tool is and how it runs. Here a call is a row whose status
changes by conditional updates: `running` is committed before the side effect, so a call is started
at most once. Whether a call needs a person is looked up by the tool's name, and only here.
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
"""Code points of arguments up to which they are checked on the event loop: faster than in a thread."""
DENIED = "The person denied this call. Do not try it again unasked."
_FITTING_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
"""Ids of calls that every provider accepts."""


async def store(
    turn: LiveTurn,
    journal: Journal,
    requests: Sequence[ToolRequest],
    beside: Iterable[Opaque],
    source: str,
) -> None:
    """Store and send the calls of one round, and which of them need a person.

    `beside` are the round's opaque parts; `source` names the model, which gets back its own ids.
    All is committed at once: after a crash, an answer without its calls is asked for again.
    """
    turn.has_calls = True
    turn.borders.append(turn.length)
    prepared = await read(_prepare, turn, requests)
    journal.status(turn, "tool_calling")
    parts = opaque.parts_of(turn, beside)
    for request, (call, _) in zip(requests, prepared, strict=True):
        parts += opaque.parts_of(turn, _opaque(request, call, source), call.call_id)
    opaque.keep(turn, journal, parts)
    for call, data in prepared:
        journal.add(turn, Entry(ToolCalled(data=data), write=_insertion(call)))
        if call.status == ToolCall.Status.PENDING:
            journal.add(turn, Entry(ToolApprovalRequested(data=data)))
    await journal.flush(turn)


async def answer_open(turn: LiveTurn, journal: Journal, *, goes_on: bool = False) -> bool:
    """Run calls side by side until none is left to run. False: a call still needs a person.

    A call that is decided meanwhile joins those that run. With `goes_on`, the last status that was
    sent says that the turn waits for a person.
    """
    if not turn.has_calls:
        return True
    async with asyncio.TaskGroup() as tasks:
        started = _Started(turn, journal, tasks)
        while True:
            turn.calls_changed.clear()
            calls = await read(_unanswered, turn)
            ready = [call for call in calls if call.status != ToolCall.Status.PENDING]
            turn.asks = len(ready) < len(calls)
            if ready and goes_on:
                journal.status(turn, "tool_calling")
                goes_on = False
            started.add(ready)
            if not started.running:
                return not turn.asks
            await turn.calls_changed.wait()


class _Started:
    """The calls of an answer that this process has started, each once however often it is read."""

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
                task.add_done_callback(self._on_end)

    def _on_end(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        if not self.running:
            self._turn.calls_changed.set()


async def _answer(turn: LiveTurn, journal: Journal, call: ToolCall) -> None:
    """Return once the call's result is stored and sent."""
    if call.status == ToolCall.Status.DENIED:
        outcome = ToolOutcome(DENIED, is_error=True)
    else:
        started = asyncio.Event()
        journal.add(turn, Entry(write=_start(call), then=started.set))
        await started.wait()
        outcome = await _run(turn, call)
    finished = asyncio.Event()
    _finish(turn, journal, call, outcome, then=finished.set)
    await finished.wait()


async def _run(turn: LiveTurn, call: ToolCall) -> ToolOutcome:
    valid = await _validate(call)
    if isinstance(valid, ToolOutcome):
        return valid
    context = toolbox.context(turn, progress=lambda text: _progress(turn, call, text))
    return await toolbox.runner().run(valid, context)


async def _validate(call: ToolCall) -> Call | ToolOutcome:
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
    journal.add(turn, Entry(ToolFinished(data=data), write=_completion(call, outcome), then=then))


def _progress(turn: LiveTurn, call: ToolCall, text: str) -> None:
    data = ToolProgressData(call_id=call.call_id, content=text)
    publish.tell(turn.conversation_id, ToolProgress(data=data))


def _opaque(request: ToolRequest, call: ToolCall, source: str) -> Sequence[Opaque]:
    if _FITTING_ID.fullmatch(request.call_id):
        return request.opaque  # it is the call's own id, or another call's id, which cannot be used
    return (*request.opaque, Opaque(CALL_ID, source, request.call_id))


# --- rows: reads --------------------------------------------------------------------------------


def _prepare(
    turn: LiveTurn, requests: Iterable[ToolRequest]
) -> list[tuple[ToolCall, ToolCallData]]:
    """Make the rows of the calls that the model asks for, with their first status, and their frames."""
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
        prepared.append((call, _data(call)))
    return prepared


def _data(call: ToolCall) -> ToolCallData:
    arguments = cut_for_json(call.arguments, FRAME_TEXT_BYTES)
    return ToolCallData(
        call_id=call.call_id,
        name=call.name,
        arguments=arguments_object(arguments),
        truncated=True if arguments != call.arguments else None,
    )


def _set_first_status(call: ToolCall, rule: bool | None) -> None:
    """Make a call pending if it needs approval and can run at all; else decide it here."""
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
    # One read: between two a person may decide, and the call would be in neither.
    return list(ToolCall.objects.unanswered().filter(message=turn.message_id))


# --- rows: writes, inside the journal's transaction ---------------------------------------------


def _insertion(call: ToolCall) -> Callable[[int], None]:
    def insert(_seq: int) -> None:
        call.pk = None  # it may be left from a rolled-back insert, and be another row's by now
        ToolCall.objects.bulk_create([call])

    return insert


def _start(call: ToolCall) -> Callable[[int], None]:
    def start(_seq: int) -> None:
        approved = _row(call).filter(status=ToolCall.Status.APPROVED)
        approved.update(status=ToolCall.Status.RUNNING, started_at=timezone.now())

    return start


def _completion(call: ToolCall, outcome: ToolOutcome) -> Callable[[int], None]:
    def finish(_seq: int) -> None:
        changes = {"result": outcome.content, "ended_at": timezone.now()}
        if call.status != ToolCall.Status.DENIED:
            failed, finished = ToolCall.Status.FAILED, ToolCall.Status.FINISHED
            changes["status"] = failed if outcome.is_error else finished
        _row(call).update(**changes)

    return finish


def _row(call: ToolCall) -> QuerySet[ToolCall]:
    return ToolCall.objects.filter(message=call.message_id, call_id=call.call_id)
