"""Notes while a model is silent: the reason and the start of the wait, not too often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest

from chat.protocol import StatusData
from chat.turns import waiting
from chat.turns.journal import Journal
from chat.turns.live import LiveTurn
from chat.turns.waiting import EVERY, FOR_THE_MODEL, WaitNotes
from tests.support.client import Frame, kind, kinds, without_gaps
from tests.support.model_server.steps import Gate, Silence
from tests.support.servers import Model, OpenChat, OwnServer

EACH_SECOND = ("-m", "tests.support.altered_server", "chat.turns.waiting:EVERY=1")


# --- by a clock of the test's own ---------------------------------------------------------------


@dataclass
class Clock:
    """An event loop's clock and its timers."""

    now: float = 1000.0
    timers: list[Timer] = field(default_factory=list)

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(when, call))
        return self.timers[-1]

    def pass_by(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [timer for timer in self.timers if timer.when <= end]:
            timer = min(due, key=lambda timer: timer.when)
            self.timers.remove(timer)
            self.now = max(self.now, timer.when)
            if not timer.is_cancelled:
                timer.call()
        self.now = end


@dataclass(eq=False)
class Timer:
    when: float
    call: Callable[[], None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True


@dataclass
class Told:
    """A waiting turn and the notes about it."""

    clock: Clock
    turn: LiveTurn
    notes: list[tuple[float, StatusData]] = field(default_factory=list)
    """The notes, each with its time."""

    def status(self, _turn: LiveTurn, data: StatusData) -> None:
        self.notes.append((self.clock.now - 1000, data))

    def waits(self) -> WaitNotes:
        return WaitNotes(self.turn, cast(Journal, self))

    def hear(self) -> None:
        """Simulate an event from the model."""
        self.turn.heard_at = self.clock.now

    @property
    def noted(self) -> list[tuple[float, str | None]]:
        return [(round(at, 3), data.note) for at, data in self.notes]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    clock = Clock()
    running = SimpleNamespace(get_running_loop=lambda: clock)
    monkeypatch.setattr(waiting, "asyncio", running)
    turn = LiveTurn(1, uuid4(), uuid4(), 1, None, "m", None, seq=0, is_first=True)
    return Told(clock, turn)


def test_each_long_silence_is_reported_once(told: Told) -> None:
    with told.waits():
        told.clock.pass_by(EVERY - 0.1)
        told.hear()
        told.clock.pass_by(EVERY - 0.1)
        assert told.notes == []
        told.clock.pass_by(10 * EVERY)
        assert told.noted == [(2 * EVERY - 0.1, FOR_THE_MODEL)]
        told.hear()
        assert told.turn.waiting is None
        told.clock.pass_by(3 * EVERY)
    assert told.noted[1:] == [(13 * EVERY - 0.2, FOR_THE_MODEL)]


def test_a_wait_is_dated_from_the_last_event(told: Told) -> None:
    with told.waits():
        told.clock.pass_by(4)
        told.hear()
        told.clock.pass_by(EVERY)
    ((_, data),) = told.notes
    began = datetime.now(UTC) - timedelta(seconds=EVERY)
    assert abs(datetime.fromisoformat(str(data.since)) - began) < timedelta(seconds=5)


def test_a_clients_reason_is_reported_at_once_and_holds_for_its_wait(told: Told) -> None:
    with told.waits() as waits:
        told.clock.pass_by(2)
        told.hear()
        waits.say("Rate-limited")
        assert told.noted == [(2, "Rate-limited")]
        told.clock.pass_by(5 * EVERY)
        assert len(told.notes) == 1
        assert told.turn.waiting is told.notes[0][1]


def test_notes_keep_a_minimum_distance(told: Told) -> None:
    with told.waits() as waits:
        for number in range(8):
            told.hear()
            waits.say(f"Trying {number}")
            told.clock.pass_by(3)
    assert told.noted == [(0, "Trying 0"), (EVERY, "Trying 3"), (2 * EVERY, "Trying 6")]


def test_the_next_request_of_a_turn_keeps_the_distance(told: Told) -> None:
    with told.waits() as waits:
        told.hear()
        waits.say("First")
    told.clock.pass_by(1)
    with told.waits() as waits:
        waits.say("Second")
        told.clock.pass_by(2 * EVERY)
    assert told.noted == [(0, "First"), (EVERY, "Second")]


def test_an_outdated_reason_is_not_reported_late(told: Told) -> None:
    with told.waits() as waits:
        waits.say("First")
        told.clock.pass_by(3)
        told.hear()
        waits.say("Second")
        told.clock.pass_by(3)
        told.hear()  # the answer continues before the note is due
        told.clock.pass_by(EVERY - 1)
    assert told.noted == [(0, "First")]


def test_nothing_is_reported_after_the_end(told: Told) -> None:
    with told.waits() as waits:
        waits.say("First")
        told.clock.pass_by(1)
        told.hear()
        waits.say("Second")
        assert told.turn.waiting is None
    told.clock.pass_by(10 * EVERY)
    assert told.noted == [(0, "First")]
    assert told.turn.waiting is None


@pytest.mark.parametrize(
    ("text", "borders", "status"),
    [("", [], "thinking"), ("Well", [], "responding"), ("Well", [4], "thinking")],
)
def test_a_note_names_the_turns_state(
    told: Told, text: str, borders: list[int], status: str
) -> None:
    told.turn.append(text)
    told.turn.borders = borders
    with told.waits():
        told.clock.pass_by(EVERY)
    assert [data.status for _, data in told.notes] == [status]


# --- by a server --------------------------------------------------------------------------------


def is_note(frame: Frame) -> bool:
    return kind(frame) == "status" and "note" in frame["data"]


def age(since: Any) -> timedelta:
    return datetime.now(UTC) - datetime.fromisoformat(since)


@pytest.mark.anyio
async def test_silences_are_reported_in_order_and_after_reconnecting(
    own_server: OwnServer, connect: OpenChat, model: Model
) -> None:
    own_server.talos.command = EACH_SECOND
    address = own_server.start()
    before, middle = Gate(), Gate()
    model.reply(before, "Well", middle, ".")
    chat = await connect(address)
    await chat.send("send", text="go", model=model.id)
    note = (await chat.until(is_note))[-1]["data"]
    assert (note["status"], note["note"]) == ("thinking", "Waiting for the model")
    assert timedelta(seconds=0.5) < age(note["since"]) < timedelta(minutes=1)

    other = await connect(address)
    turn = (await other.resume(chat.session_id))["turn"]
    assert (turn["note"], turn["since"]) == (note["note"], note["since"])

    before.open()
    frames = await chat.until(is_note)
    assert frames[-1]["data"]["status"] == "responding"
    assert "delta" in kinds(frames)
    middle.open()
    await chat.until("done")
    assert without_gaps(chat.all)
    assert len([frame for frame in chat.all if is_note(frame)]) == 2
    assert (await other.resume(chat.session_id))["turn"] is None


@pytest.mark.anyio
async def test_reconnecting_after_a_wait_shows_no_wait(
    own_server: OwnServer, connect: OpenChat, model: Model
) -> None:
    own_server.talos.command = ("-m", "tests.support.altered_server", "chat.turns.waiting:EVERY=2")
    address = own_server.start()
    gate = Gate()
    model.reply(gate, "Well", Silence())
    chat = await connect(address)
    await chat.send("send", text="go", model=model.id)
    await chat.until(is_note)
    gate.open()
    await chat.until("delta")
    turn = (await chat.resume(chat.session_id))["turn"]
    assert turn["content"] == "Well"
    assert not {"note", "since"} & set(turn)
    await chat.send("cancel")
    await chat.until("done")
    await chat.nothing_more()
