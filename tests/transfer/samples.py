"""Archived conversations to start from, and to break."""

from __future__ import annotations

import copy
import io
import json
from typing import Any

from chat.transfer.importers.kinds import Kind
from chat.transfer.importers.reading import Found, read

Json = dict[str, Any]

T = "2026-05-06T07:08:09.000001Z"
C = "11111111-1111-4111-8111-111111111111"
Q = "22222222-2222-4222-8222-222222222222"
A = "33333333-3333-4333-8333-333333333333"
OTHER = "44444444-4444-4444-8444-444444444444"

QUESTION: Json = {
    "id": Q, "parent": None, "role": "user", "content": "How many ants?", "reasoning": "",
    "client_id": "k1", "withdrawn": False, "created_at": T, "turn": None, "calls": [], "opaque": [],
}  # fmt: skip
TURN: Json = {
    "status": "completed", "model": "demo", "context": None, "client_id": "k1", "input_tokens": 5,
    "output_tokens": 6, "cached_tokens": 0, "cost": "0.00120000", "error_code": "", "error": "",
    "error_details": "402: no credit", "note": "Answered without tools.", "context_tokens": 1234,
    "context_window": 8192, "created_at": T, "started_at": T, "ended_at": T, "cancel_requested_at": None,
}  # fmt: skip
CALL: Json = {
    "call_id": "call_1", "round": 0, "offset": 0, "name": "write_file", "arguments": "{}",
    "edited_arguments": "", "status": "finished", "result": "Done.", "decided_by": "owner",
    "decided_at": T, "decided_from": "page", "created_at": T, "started_at": T, "ended_at": T,
}  # fmt: skip
OPAQUE: list[Json] = [
    {"round": 0, "call_id": "call_1", "kind": "signature", "source": "h/m", "data": "c2lnbmVk"},
    {"round": 0, "call_id": "", "kind": "reasoning_content", "source": "h/m", "data": "Ants …"},
    {"round": 1, "call_id": "", "kind": "thought", "source": "", "data": "6"},
]
ANSWER: Json = {
    "id": A, "parent": Q, "role": "assistant", "content": "Twenty quadrillion.", "reasoning": "",
    "client_id": None, "withdrawn": False, "created_at": T, "turn": TURN, "calls": [CALL],
    "opaque": OPAQUE,
}  # fmt: skip
RULE: Json = {"tool": "write_file", "allow": True, "created_at": T}
CONVERSATION: Json = {
    "format": "talos-history", "version": 2, "id": C, "owner": "owner", "title": "Ants",
    "titled_by": "person", "model": "", "instructions": "", "temperature": None,
    "max_output_tokens": None, "offers_tools": False, "pinned": False, "archived": False, "unread": False, "seq": 9,
    "leaf": A, "created_at": T, "updated_at": T, "rules": [RULE], "messages": [QUESTION, ANSWER],
}  # fmt: skip


def sample(path: str = "", value: Any = None) -> Json:
    """Return the sample with another value at a place such as `messages.1.turn.cost`."""
    made = copy.deepcopy(CONVERSATION)
    if path:
        *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
        at: Any = made
        for step in steps:
            at = at[step]
        at[last] = value
    return made


def first_version(conversation: Json) -> Json:
    """Return it as an older Talos wrote it."""
    made = {**copy.deepcopy(conversation), "version": 1}
    del made["offers_tools"]
    for message in made["messages"]:
        del message["opaque"]
        for key in ("error_details", "note", "context_tokens", "context_window"):
            (message["turn"] or {}).pop(key, None)
    return made


def line(conversation: Json) -> bytes:
    return json.dumps(conversation, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def many(number: int, text: str) -> bytes:
    """Return an archive of this many conversations, each a question and an answer."""
    lines = []
    for n in range(number):
        ids = [
            f"{n:08x}-{part}{part}{part}{part}-4{part}{part}{part}-8000-000000000000"
            for part in "123"
        ]
        made = sample("id", ids[0]) | {"leaf": ids[2]}
        question, answer = made["messages"]
        question |= {"id": ids[1], "client_id": f"k{n}", "content": text}
        answer |= {"id": ids[2], "parent": ids[1], "content": text}
        answer["turn"]["client_id"] = f"k{n}"
        lines.append(line(made))
    return b"".join(lines)


LONG = "55555555-5555-4555-8555-555555555555"


def long_one(messages: int = 600, said: str = "Ants number") -> Json:
    """A conversation that takes more than one step to store."""
    made = sample("id", LONG)
    found: list[Json] = []
    for n in range(messages):
        one = copy.deepcopy(ANSWER if n % 2 else QUESTION)
        one |= {"id": f"{n:08x}-5555-4555-8555-555555555555", "content": f"{said} {n}"}
        one |= {"parent": found[-1]["id"] if found else None, "client_id": None, "opaque": []}
        if one["turn"]:
            one["turn"]["client_id"] = None
        found.append(one)
    return made | {"messages": found, "leaf": found[-1]["id"]}


def faults(data: bytes, kind: Kind = "auto") -> list[str]:
    return [found.fault for found in read(io.BytesIO(data), kind) if found.fault]


def found(data: bytes, kind: Kind = "auto") -> list[Found]:
    return list(read(io.BytesIO(data), kind))


def titles(archive: bytes) -> list[str]:
    return [json.loads(line)["title"] for line in archive.splitlines()]
