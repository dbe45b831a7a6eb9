"""An import in steps is whole or hidden, and has its conversation to itself."""

from __future__ import annotations

import io
import os
from contextlib import ExitStack
from pathlib import Path
from threading import Timer
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection

from chat import search, services
from chat.access.owner import local_owner
from chat.models import Audit, Conversation, Message, SearchEntry, ToolCall, Turn
from chat.services import hidden
from chat.services.imports import locks
from chat.services.imports.conversation import import_conversation
from chat.services.imports.locks import alone_with
from chat.services.imports.plan import Outcome
from chat.services.imports.run import Import
from chat.transfer.archive.format import ArchivedConversation
from tests.services.hiding import WORD, archived, import_it, leaving, sweep
from tests.transfer.samples import LONG, line, long_one

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_half_import_is_cleared_away_and_imported_again(half: UUID) -> None:
    import_it()
    assert_whole()


def test_a_conversation_still_being_deleted_can_be_imported_again() -> None:
    leaving()
    import_it()
    assert_whole()


def assert_whole() -> None:
    assert Conversation.objects.get().leaf is not None
    assert Message.objects.count() == 600
    assert Turn.objects.count() == ToolCall.objects.count() == 300
    assert SearchEntry.objects.count() == 601
    assert hidden.list_hidden() == []
    assert len(search.search(local_owner().pk, WORD, limit=1000)) == 600


def test_a_conversation_being_imported_is_left_alone(half: UUID) -> None:
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL's lock belongs to the session, which this test shares")
    with alone_with(half) as is_mine:
        assert is_mine
        sweep()
        assert hidden.list_hidden() == [(half, "arriving")]
        done = import_conversation(local_owner(), archived(), find_user=lambda _: None)
    assert (done.outcome, "at this moment" in done.note) == (Outcome.SKIPPED, True)


def test_a_stopped_import_leaves_nothing_visible() -> None:
    with pytest.raises(KeyboardInterrupt):
        import_it(stop_at=0.3)
    assert hidden.list_hidden() == [(UUID(LONG), "leaving")]
    sweep()
    assert not Message.objects.exists()


def test_an_answer_may_be_older_than_its_question() -> None:
    made = long_one()
    made["messages"].reverse()
    for n, message in enumerate(made["messages"]):
        message["created_at"] = f"2026-01-02T03:{n // 60:02}:{n % 60:02}.000000Z"
    old = ArchivedConversation.model_validate_json(line(made))
    import_conversation(local_owner(), old, find_user=lambda _: None)
    assert Message.objects.count() == 600
    services.delete(local_owner(), UUID(LONG))
    sweep()
    assert not Message.objects.exists()


def test_a_replacement_is_completed_before_it_is_stopped() -> None:
    import_it()

    def stop(part: float) -> None:
        raise KeyboardInterrupt

    new = archived("wallabies")
    done = import_conversation(
        local_owner(), new, find_user=lambda _: None, renew=True, on_step=stop
    )
    assert done.outcome is Outcome.RENEWED
    assert isinstance(done.stopped, KeyboardInterrupt)
    assert Message.objects.filter(content__startswith="wallabies").count() == 600


def test_a_stopped_run_counts_its_replacements() -> None:
    import_it()

    def stop(part: float) -> None:
        raise KeyboardInterrupt

    run = Import(local_owner(), lambda _: None, source=Audit.Source.PAGE, renew=True, on_step=stop)
    file = io.BytesIO(line(long_one(said="wallabies")))
    with pytest.raises(KeyboardInterrupt):
        list(run.file(file, "a.jsonl"))
    assert "1 replaced" in run.summary()


def test_a_failed_replacement_says_what_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    import_it()

    def is_full(*_: object) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(search, "index_messages", is_full)
    with pytest.raises(OperationalError) as failed:
        import_conversation(
            local_owner(), archived("wallabies"), find_user=lambda _: None, renew=True
        )
    assert "is gone" in failed.value.__notes__[0]


def test_an_import_waits_while_a_server_tests_its_lock() -> None:
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL's lock belongs to the session, which this test shares")
    looking = ExitStack()
    assert looking.enter_context(alone_with(UUID(LONG)))
    timer = Timer(0.05, looking.close)
    timer.start()
    import_it()
    timer.join()


def test_files_of_killed_imports_are_removed_once_they_are_old() -> None:
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL has no such files")
    database = connection.settings_dict["NAME"]
    dead, young = (Path(f"{database}-importing-{uuid4().hex}") for _ in range(2))
    for path in (dead, young):
        path.touch()
    os.utime(dead, (1, 1))
    with alone_with(UUID(LONG)):
        held = Path(f"{database}-importing-{UUID(LONG).hex}")
        os.utime(held, (1, 1))
        locks.tidy()
        assert (dead.exists(), young.exists(), held.exists()) == (False, True, True)
    young.unlink()
