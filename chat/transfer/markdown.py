"""A conversation as Markdown, to be read in any editor or viewer.

Texts are kept as written. An open code fence is closed after its message, or it would swallow what
follows; tool calls are quoted, to set them apart from the answer's text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from chat.models import Message, ToolCall
from chat.transfer.archive.rows import Json, Stored
from chat.transfer.reading_order import Place, places

_STATES = {
    "pending": "needs approval",
    "approved": "approved, not yet run",
    "denied": "denied",
    "running": "running",
    "finished": "done",
    "failed": "failed",
    "unknown": "may or may not have run",
}
_ENDS = {
    "queued": "*Not yet answered.*",
    "running": "*Still being written.*",
    "waiting": "*Needs approval.*",
    "cancelled": "*Stopped.*",
    "failed": "*Failed.*",
    "interrupted": "*Interrupted.*",
}
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)")


class Markdown:
    """Encodes conversations one after another, each under its own heading."""

    suffix = "md"
    media_type = "text/markdown"
    begin = b""
    between = b"\n---\n\n"
    end = b""

    def encode(self, stored: Stored) -> Iterator[bytes]:
        yield "\n".join(_about(stored.head)).encode()
        placed = places(stored.head["leaf"], stored.outline)
        were_current = True
        whole = stored.load(place.message for place in placed)
        for place, message in zip(placed, whole, strict=True):
            if were_current and not place.is_current:
                yield b"\n# Other versions\n\nEdited questions, other answers, and what followed them.\n"
            were_current = place.is_current
            yield "\n".join(["", *_message(place, message)]).encode()


def _about(head: Json) -> Iterator[str]:
    yield f"# {' '.join(head['title'].split()) or 'New chat'}"
    yield ""
    yield f"- Started {_when(head['created_at'])}, last used {_when(head['updated_at'])}"
    for name in ("model", "temperature", "max_output_tokens"):
        if head[name] not in ("", None):
            yield f"- {name.replace('_', ' ').capitalize()}: {head[name]}"
    marks = [name for name in ("pinned", "archived") if head[name]]
    if marks:
        yield f"- {' and '.join(marks).capitalize()}"
    for rule in head["rules"]:
        yield f"- Remembered: `{rule['tool']}` is always {'allowed' if rule['allow'] else 'denied'}"
    if head["instructions"]:
        yield "- Instructions:"
        yield ""
        yield from (f"  {line}" for line in _quoted(head["instructions"]))
    yield ""


def _message(place: Place, message: Json) -> Iterator[str]:
    turn = message["turn"]
    is_question = message["role"] == Message.Role.USER
    who = "You" if is_question else (turn and turn["model"]) or "Answer"
    yield f"## {place.number}. {who}, {_when(message['created_at'])}{_beside(place)}"
    yield ""
    if message["reasoning"]:
        yield from _quoted(f"*Reasoning:*\n\n{_close_fence(message['reasoning'])}")
        yield ""
    yield from _parts(message)
    if turn:
        yield from _end(turn)


def _beside(place: Place) -> str:
    if place.after is None:
        return ""
    version = f"another version of {place.instead_of}" if place.instead_of else ""
    after = f"after {place.after}" if place.after else ""
    return f" ({', '.join(filter(None, [version, after]))})"


def _parts(message: Json) -> Iterator[str]:
    """Yield the text, with each tool call where it was made."""
    begin = 0
    for call in message["calls"]:
        yield from _text(message["content"][begin : call["offset"]])
        yield from _quoted("\n".join(_call(call)))
        yield ""
        begin = max(begin, call["offset"])
    yield from _text(message["content"][begin:])


def _text(text: str) -> Iterator[str]:
    if text.strip():
        yield _close_fence(text.strip("\n"))
        yield ""


def _call(call: Json) -> Iterator[str]:
    yield f"**Tool call `{call['name']}`**: {_STATES[call['status']]}{_decision(call)}"
    yield ""
    yield _fenced(_laid_out(call["edited_arguments"] or call["arguments"]), "json")
    if call["edited_arguments"]:
        yield ""
        yield "Edited by a person. The model's original arguments:"
        yield ""
        yield _fenced(_laid_out(call["arguments"]), "json")
    if call["result"]:
        yield ""
        yield "Result:"
        yield ""
        yield _fenced(call["result"])


def _decision(call: Json) -> str:
    if not call["decided_from"]:
        return ""
    what = "denied" if call["status"] == ToolCall.Status.DENIED else "approved"
    by = f" by {call['decided_by']}" if call["decided_by"] else ""
    when = f", {_when(call['decided_at'])}" if call["decided_at"] else ""
    where = ToolCall.DecidedFrom(call["decided_from"]).label
    return f"; {what}{by} ({where}{when})"


def _end(turn: Json) -> Iterator[str]:
    if turn["error"]:
        yield from _quoted(turn["error"])
        yield ""
    if turn["status"] in _ENDS:
        yield _ENDS[turn["status"]]
        yield ""


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _quoted(text: str) -> Iterator[str]:
    return (f"> {line}".rstrip() for line in text.split("\n"))


def _laid_out(arguments: str) -> str:
    try:
        return json.dumps(json.loads(arguments), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return arguments


def _fenced(text: str, language: str = "") -> str:
    """Return a code block with a fence longer than any in the text."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}{language}\n{text}\n{fence}"


def _close_fence(text: str) -> str:
    """Close a code fence that is left open, which would turn what follows into code."""
    fence = ""
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if match is None:
            continue
        if not fence:
            fence = match[1]
        elif match[1].startswith(fence) and not match[2].strip():
            fence = ""
    return f"{text}\n{fence}" if fence else text
