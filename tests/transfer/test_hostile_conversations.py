"""Broken and hostile conversations in a file are refused with a place and a reason; odd texts are safe."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from chat import services
from chat.access.owner import local_owner
from chat.models import Conversation, Message
from chat.transfer.importers import products
from tests.support.hostile_texts import TEXTS
from tests.transfer.chatgpt_samples import export, node
from tests.transfer.conftest import Imports
from tests.transfer.samples import (
    ANSWER,
    CALL,
    OPAQUE,
    OTHER,
    QUESTION,
    RULE,
    A,
    C,
    Q,
    faults,
    first_version,
    found,
    line,
    sample,
)

SPOILED: list[tuple[str, Any, str]] = [
    ("format", "other", "neither a Talos nor a ChatGPT conversation"),
    ("version", 3, "version is not supported"),
    ("version", 0, "version is not supported"),
    ("version", "1", "version is not supported"),
    ("new_key", 1, "new_key: unknown key, written by a newer Talos"),
    ("messages.0.new_key", 1, "messages[0].new_key: "),
    ("id", "x", "id: "),
    ("id", None, "id: "),
    ("title", 5, "title: "),
    ("title", "x" * 201, "title: "),
    ("model", "a\0b", "model: has a NUL"),
    ("titled_by", "nobody", "titled_by: "),
    ("instructions", None, "instructions: "),
    ("temperature", 2.5, "temperature: "),
    ("temperature", -1, "temperature: "),
    ("temperature", "0.5", "temperature: "),
    ("max_output_tokens", 0, "max_output_tokens: "),
    ("max_output_tokens", 2**31, "max_output_tokens: "),
    ("pinned", 1, "pinned: "),
    ("pinned", "true", "pinned: "),
    ("seq", -1, "seq: "),
    ("seq", 2**63, "seq: "),
    ("seq", 10**4000, "seq: "),
    ("seq", 1.5, "seq: "),
    ("seq", True, "seq: "),
    ("leaf", OTHER, "leaf is not the id of a message"),
    ("leaf", None, "leaf: "),
    ("created_at", "2026-05-06", "created_at: "),
    ("created_at", "2026-05-06T07:08:09", "created_at: "),
    ("created_at", 1778051289, "created_at: "),
    ("created_at", "0001-01-01T00:00:00Z", "not in the years"),
    ("created_at", "9999-12-31T23:59:59Z", "not in the years"),
    ("created_at", "+100000-01-01T00:00:00Z", "created_at: "),
    ("updated_at", "2026-02-30T00:00:00Z", "updated_at: "),
    ("rules", [RULE, RULE], "the rule for write_file occurs 2 times"),
    ("rules.0.tool", "", "rules[0].tool: "),
    ("messages", [], "messages: "),
    ("messages", None, "messages: "),
    ("messages", [QUESTION, QUESTION, ANSWER], f"the message {Q} occurs 2 times"),
    ("messages", [QUESTION, {**ANSWER, "client_id": "k1"}], "the client_id k1 occurs 2 times"),
    ("messages.1.parent", OTHER, "is not in this conversation"),
    ("messages.1.parent", A, "form a circle"),
    ("messages.0.parent", A, "form a circle"),
    ("messages.1.parent", None, "answers nothing"),
    ("messages.0.withdrawn", True, "follows a withdrawn message"),
    ("messages.1.withdrawn", True, "leaf is not"),
    ("messages.0.role", "system", "messages[0].role: "),
    ("messages.0.turn", ANSWER["turn"], "is a question, but has a turn"),
    ("messages.0.calls", [CALL], "is a question, but has a turn, calls"),
    ("messages.1.calls", [CALL, CALL], "occurs 2 times"),
    ("messages.0.content", "a\0", "messages[0].content: has a NUL"),
    ("messages.0.content", ["a"], "messages[0].content: "),
    ("messages.0.client_id", "x" * 65, "messages[0].client_id: "),
    ("messages.1.turn.status", "done", "messages[1].turn.status: "),
    ("messages.1.turn.input_tokens", -1, "messages[1].turn.input_tokens: "),
    ("messages.1.turn.input_tokens", 2**31, "messages[1].turn.input_tokens: "),
    ("messages.1.turn.context", 10**9, "messages[1].turn.context: "),
    ("messages.1.turn.cost", "NaN", "messages[1].turn.cost: "),
    ("messages.1.turn.cost", "1e99", "messages[1].turn.cost: "),
    ("messages.1.turn.cost", "0.000000001", "messages[1].turn.cost: "),
    ("messages.1.turn.error_code", "x" * 21, "messages[1].turn.error_code: "),
    ("messages.1.calls.0.call_id", "", "messages[1].calls[0].call_id: "),
    ("messages.1.calls.0.status", "run me", "messages[1].calls[0].status: "),
    ("messages.1.calls.0.decided_from", "hell", "messages[1].calls[0].decided_from"),
    ("messages.1.calls.0.offset", -5, "messages[1].calls[0].offset: "),
    ("offers_tools", 1, "offers_tools: "),
    ("messages.0.opaque", OPAQUE[1:2], "is a question, but has a turn, calls or opaque parts"),
    ("messages.1.turn.error_details", None, "messages[1].turn.error_details: "),
    ("messages.1.turn.error_details", "a\0b", "messages[1].turn.error_details: has a NUL"),
    ("messages.1.turn.note", 5, "messages[1].turn.note: "),
    ("messages.1.turn.context_tokens", -1, "messages[1].turn.context_tokens: "),
    ("messages.1.turn.context_window", 2**31, "messages[1].turn.context_window: "),
    ("messages.1.opaque", None, "messages[1].opaque: "),
    ("messages.1.opaque.0.new_key", 1, "messages[1].opaque[0].new_key: "),
    ("messages.1.opaque.0.round", -1, "messages[1].opaque[0].round: "),
    ("messages.1.opaque.0.round", 2**31, "messages[1].opaque[0].round: "),
    ("messages.1.opaque.0.call_id", "call_2", "an opaque part for a call that it does not have"),
    ("messages.1.opaque.0.call_id", None, "messages[1].opaque[0].call_id: "),
    ("messages.1.opaque.0.kind", "", "messages[1].opaque[0].kind: "),
    ("messages.1.opaque.0.kind", "x" * 41, "messages[1].opaque[0].kind: "),
    ("messages.1.opaque.0.source", "x" * 501, "messages[1].opaque[0].source: "),
    ("messages.1.opaque.0.data", {"a": 1}, "messages[1].opaque[0].data: "),
    ("messages.1.opaque.0.data", "a\0", "messages[1].opaque[0].data: has a NUL"),
    *(
        ("messages.1.opaque.2.data", place, "a thought that does not end within its content")
        for place in ("", "20", "-1", "1.0", "٣", "x", "9" * 5000, "1" + "0" * 400)
    ),
]


@pytest.mark.parametrize(("place", "value", "words"), SPOILED)
def test_a_fault_is_reported_with_its_place(place: str, value: Any, words: str) -> None:
    data = json.dumps(sample(place, value)).encode()
    (fault,) = faults(data)
    assert words in fault
    (only,) = found(data)
    assert only.conversation is None
    assert len(fault) < 600


@pytest.mark.parametrize(
    "text", ['"\\ud800"', '"\\udc00x"', "NaN", "1e999", '"\xff"'.encode("latin-1")]
)
def test_invalid_texts_and_numbers_are_refused(text: str | bytes) -> None:
    data = line(sample("title", "HERE")).replace(
        b'"HERE"', text if isinstance(text, bytes) else text.encode()
    )
    assert len(faults(data)) == 1
    assert len(faults(data, "json")) == 1


def test_every_key_of_version_1_is_needed() -> None:
    for path in ("", "messages.0", "messages.1.turn", "messages.1.calls.0", "rules.0"):
        whole = first_version(sample())
        assert not faults(line(whole))
        part: Any = whole
        for step in path.split(".") if path else ():
            part = part[int(step) if step.isdigit() else step]
        for key in list(part):
            value = part.pop(key)
            assert len(faults(line(whole))) == 1, key
            part[key] = value


def test_every_key_of_an_opaque_part_is_needed() -> None:
    for key in OPAQUE[0]:
        spoiled = {name: value for name, value in OPAQUE[0].items() if name != key}
        assert len(faults(line(sample("messages.1.opaque", [spoiled])))) == 1, key


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("offers_tools", True),
        ("messages.0.opaque", []),
        ("messages.1.opaque", OPAQUE),
        ("messages.1.turn.error_details", ""),
        ("messages.1.turn.note", "x"),
        ("messages.1.turn.context_tokens", None),
        ("messages.1.turn.context_window", 5),
    ],
)
def test_a_file_of_version_1_has_the_keys_of_version_1(place: str, value: Any) -> None:
    *above, key = place.split(".")
    made = first_version(sample())
    at: Any = made
    for step in above:
        at = at[int(step) if step.isdigit() else step]
    at[key] = value
    (fault,) = faults(line(made))
    assert fault == f"{key}: version 1 of the archive has no such key"


def test_a_missing_key_of_version_2_means_its_default() -> None:
    """So files written today can be read when there are more keys."""
    (only,) = found(line({**first_version(sample()), "version": 2}))
    assert only.conversation is not None
    assert only.conversation.offers_tools
    assert only.conversation.messages[1].opaque == ()
    turn = only.conversation.messages[1].turn
    assert turn is not None
    assert (turn.error_details, turn.note, turn.context_tokens) == ("", "", None)


def test_many_faults_are_one_line() -> None:
    many = sample("messages", [{}] * 50_000)
    (fault,) = faults(line(many))
    assert len(fault) < 300


def test_a_chain_of_any_length_is_followed() -> None:
    chain = [{**QUESTION, "client_id": None, "id": f"00000000-0000-4000-8000-{n:012}", "parent": f"00000000-0000-4000-8000-{n - 1:012}" if n else None} for n in range(5_000)]  # fmt: skip
    made = sample("messages", chain) | {"leaf": chain[-1]["id"]}
    assert faults(line(made)) == []
    chain[0]["parent"] = chain[-1]["id"]
    assert len(faults(line(made))) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["title", "instructions", "messages.0.content", "messages.1.content", "messages.1.calls.0.name", "messages.1.calls.0.arguments", "messages.1.calls.0.result", "messages.1.turn.model", "messages.1.turn.error", "messages.1.turn.error_details", "messages.1.turn.note", "messages.1.opaque.0.kind", "messages.1.opaque.0.data", "rules.0.tool"])  # fmt: skip
def test_hostile_texts_are_texts(imported: Imports, client: Client, place: str) -> None:
    text = "\n".join(TEXTS).replace("\0", "")
    line_ = TEXTS[0] if place in ("title", "messages.1.calls.0.name", "messages.1.turn.model", "rules.0.tool") else TEXTS[0][:40] if place.endswith("kind") else text  # fmt: skip
    assert imported(line(sample(place, line_))).status == 0
    for path in (f"/c/{C}/", "/chats/", f"/c/{C}/settings/"):
        page = client.get(path).content.decode()
        assert "<script>owned" not in page
        assert "<img" not in page


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["created_at", "updated_at", "messages.0.created_at", "messages.1.turn.started_at", "messages.1.turn.ended_at", "messages.1.calls.0.ended_at"])  # fmt: skip
@pytest.mark.parametrize("time", ["1970-01-01T00:00:00Z", "2199-12-31T23:59:59.999999Z"])
def test_the_oldest_and_the_latest_times_can_be_shown(
    imported: Imports, client: Client, place: str, time: str
) -> None:
    assert imported(line(sample(place, time))).status == 0
    for path in (f"/c/{C}/", "/chats/", "/", f"/c/{C}/settings/"):
        assert client.get(path).status_code == 200


@pytest.mark.django_db
def test_an_imported_conversation_can_be_continued(imported: Imports) -> None:
    made = sample("seq", 2**52)
    assert imported(line(made)).status == 0
    said = services.say(
        local_owner(), conversation_id=Conversation.objects.get().pk, text="x", default_model="demo"
    )
    assert said.question.parent_id == Message.objects.get(pk=A).pk


def test_faults_are_explained_in_our_words() -> None:
    made = json.dumps(export({"q": node("root", "user", "Q")}))
    assert faults(f"[[{made}]]".encode())[0] in ("it is not an object", products.UNKNOWN)
    assert "messages: it is empty" in faults(line(sample("messages", [])))[0]
    deep = made.replace('"Q"', "[" * 3000 + "]" * 3000)
    assert faults(deep.encode()) == ["it is nested too deeply"]
