"""A dry run reports exactly what the import then does, for any file, with the same exit status."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.access.owner import local_owner
from chat.models import Audit, Conversation, Message
from chat.services.imports.run import Import
from chat.transfer.importers.reading import read
from tests.transfer import drawn
from tests.transfer.chatgpt_samples import export, node
from tests.transfer.samples import ANSWER, OTHER, QUESTION, A, C, Q, first_version, sample

pytestmark = pytest.mark.django_db

Json = dict[str, Any]
FOURTH = "55555555-5555-4555-8555-555555555555"


def grown(made: Json) -> Json:
    more = {**QUESTION, "id": FOURTH, "parent": A, "client_id": None, "content": "And bees?"}
    return {**made, "messages": [*made["messages"], more], "leaf": FOURTH}


ELEMENTS: list[Any] = [
    sample(),
    first_version(sample()),
    grown(sample()),
    sample("title", "Ants, again"),
    sample("messages.1.content", "Another twenty quadrillion."),
    sample("messages.1.turn.started_at", None),
    sample("messages.1.turn.status", "running"),
    grown(sample("messages.1.content", "Another twenty quadrillion.")),
    sample("id", OTHER),
    grown(sample("id", OTHER)),
    sample("id", FOURTH),
    sample("owner", "nobody"),
    sample("seq", -1),
    sample() | {"messages": [{**QUESTION, "id": OTHER}], "leaf": OTHER},
    sample() | {"messages": [QUESTION, {**ANSWER, "parent": Q}], "leaf": Q},
    {"chat_messages": [], "name": "Claude's"},
    {"title": "Odd"},
    export({"q": node("root", "user", "Q"), "a": node("q", "assistant", "A")}),
    export({"q": node("root", "user", "Q"), "a": node("q", "assistant", "A"), "b": node("q", "assistant", "B")}),
    export({"q": node("root", "user", "Q"), "a": node("q", "assistant", "Lossy")}),
    export({}),
]  # fmt: skip


def said(
    data: bytes, *, dry_run: bool, renew: bool, owner: User | None
) -> tuple[list[str], str, bool]:
    run = Import(
        owner,
        {"owner": local_owner()}.get,
        source=Audit.Source.COMMAND,
        dry_run=dry_run,
        renew=renew,
    )
    reports = [f"{report.outcome}: {report}" for report in run.file(BytesIO(data), "a file")]
    summary = run.finish("a file")
    return reports, summary.replace("would be ", ""), run.has_faults


elements = st.lists(st.sampled_from(ELEMENTS), min_size=1, max_size=5)


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(before=elements, then=elements, renew=st.booleans(), keep=st.booleans(), lines=st.booleans())
def test_a_dry_run_predicts_the_import(
    before: list[Json], then: list[Json], renew: bool, keep: bool, lines: bool
) -> None:
    drawn.clear()
    owner = None if keep else local_owner()
    said(json.dumps(before).encode(), dry_run=False, renew=False, owner=local_owner())
    data = "\n".join(map(json.dumps, then)) if lines else json.dumps(then)
    there = set(Message.objects.values_list("pk", "content"))
    audits = Audit.objects.count()
    dry = said(data.encode(), dry_run=True, renew=renew, owner=owner)
    assert set(Message.objects.values_list("pk", "content")) == there
    assert Audit.objects.count() == audits
    assert dry == said(data.encode(), dry_run=False, renew=renew, owner=owner)


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(then=elements)
def test_the_same_file_brings_nothing_twice(then: list[Json]) -> None:
    drawn.clear()
    data = json.dumps(then).encode()
    said(data, dry_run=False, renew=False, owner=local_owner())
    there = set(Message.objects.values_list("pk", "content"))
    conversations = Conversation.objects.count()
    again, _, _ = said(data, dry_run=False, renew=False, owner=local_owner())
    assert not any("IMPORTED" in report or "GROWN" in report for report in again)
    assert set(Message.objects.values_list("pk", "content")) == there
    assert Conversation.objects.count() == conversations


def test_a_repeated_conversation_is_compared_with_the_first(imported: Any) -> None:
    other = sample("messages.1.content", "Another twenty quadrillion.")
    data = "\n".join(map(json.dumps, (sample(), other, grown(sample())))).encode()
    dry = imported(data, dry_run=True)
    assert dry.status == 1
    assert f"a.jsonl, line 2: “Ants” ({C}): it is here already, and 1 message differs" in dry.text
    assert "1 would be imported, 1 would be updated, 1 skipped" in dry.text
    assert not Conversation.objects.exists()
    assert imported(data).text == dry.text.replace("would be ", "")


def test_notes_and_left_out_counts_are_reported_within_limits(
    imported: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def noting(file: Any, kind: Any) -> Any:
        for found in read(file, kind):
            notes = tuple(f"message {n}: its author is odd" for n in range(9))
            yield replace(found, notes=notes, left_out={"image": 2, "audio": 1, "instruction": 1})

    monkeypatch.setattr("chat.services.imports.run.read", noting)
    data = "\n".join(map(json.dumps, (sample(), sample(), {"title": "Odd"}))).encode()
    for dry_run in (True, False):
        said = imported(data, dry_run=dry_run)
        assert "message 2: its author is odd and 6 more." in said.text
        assert "message 3" not in said.text
        assert "Left out: 6 images, 3 audio recordings, 3 instructions." in said.text
    assert "Left out: 6 images" in Audit.objects.get().summary
