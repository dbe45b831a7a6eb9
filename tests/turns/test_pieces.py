"""Promise 3: a live answer is stored exactly as it was sent, however its rows are merged."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat import services
from chat.access import owner
from chat.models import Piece
from chat.turns import pieces, transitions
from chat.turns.batches import drain
from chat.turns.commits import Attempt, commit
from chat.turns.live import Entry, LiveTurn

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.promise(3)]
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
TICKS = st.lists(st.lists(st.tuples(st.booleans(), TEXTS), min_size=1, max_size=3), max_size=40)


def start_turn() -> LiveTurn:
    said = services.say(
        owner.local_owner(), conversation_id=uuid4(), text="Go", default_model="x", begins=True
    )
    turn = transitions.take_next(said.conversation_id)
    assert turn is not None
    return turn


def tick(*turns: LiveTurn) -> None:
    """Commit once, and note it as the journal does."""
    batches = [drain(turn) for turn in turns]
    commit(batches, Attempt())
    for batch in batches:
        pieces.note_committed(batch)


@settings(max_examples=25, deadline=None)
@given(ticks=TICKS)
def test_the_rows_of_a_live_answer_are_its_text(ticks: list[list[tuple[bool, str]]]) -> None:
    turn, told, thought = start_turn(), "", ""
    for written in ticks:
        for is_reasoning, text in written:
            turn.entries.append(Entry(reasoning=text) if is_reasoning else text)
            told, thought = (told, thought + text) if is_reasoning else (told + text, thought)
        tick(turn)
        assert Piece.objects.so_far(turn.turn_id) == (turn.seq, told, thought)


def test_a_long_answer_has_few_rows_and_changes_no_other() -> None:
    long, short = start_turn(), start_turn()
    for number in range(100):
        long.entries.append(f"{number} ")
        if number % 10 == 0:
            short.entries.append(f"{number} ")
        tick(*[turn for turn in (long, short) if turn.entries])
    assert Piece.objects.filter(turn=long.turn_id).count() < 25
    assert Piece.objects.so_far(long.turn_id).text == "".join(f"{n} " for n in range(100))
    assert Piece.objects.so_far(short.turn_id).text == "".join(f"{n} " for n in range(0, 100, 10))
