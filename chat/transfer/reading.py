"""From a file to archived conversations, one at a time; what is wrong is said, with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

import orjson
from pydantic import ValidationError

from chat.transfer import chatgpt, kinds
from chat.transfer.chatgpt import Converted
from chat.transfer.format import VERSION, ArchivedConversation
from chat.transfer.items import CUT_OFF, Item
from chat.transfer.kinds import Kind


@dataclass(frozen=True, slots=True)
class Found:
    """A conversation of a file, or why there is none."""

    line: int
    """In which it begins; 0: the whole file is meant."""
    conversation: ArchivedConversation | None = None
    fault: str = ""
    title: str = ""
    """Of one that is none, as far as it can be told."""
    is_empty: bool = False
    """There is nothing in it, which is no fault."""
    notes: tuple[str, ...] = ()
    """Parts of it that were not understood; the rest of it is there."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many of what it had are not brought in, such as `image`, by what they are."""


def read(file: BinaryIO, kind: Kind = "auto") -> Iterator[Found]:
    """All conversations of a file. `auto`: its kind is seen from how it begins."""
    parse = _PARSERS.get(kind)
    for item in kinds.items(file, kind):
        if item.fault:
            yield Found(item.line, fault=item.fault)
            continue
        if parse is None:
            parse = _PARSERS["chatgpt" if chatgpt.is_one(item.data) else "json"]
        yield _found(item, parse)


def _archived(data: bytes) -> Converted:
    return Converted(ArchivedConversation.model_validate_json(data))


_PARSERS: dict[str, Callable[[bytes], Converted]] = {
    "json": _archived,
    "jsonl": _archived,
    "chatgpt": chatgpt.conversation,
}


def _found(item: Item, parse: Callable[[bytes], Converted]) -> Found:
    try:
        made = parse(item.data)
    except ValidationError as error:
        return Found(item.line, fault=_words(error), title=_title(item.data))
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
        return Found(item.line, fault=why, title=_title(item.data))
    is_empty = made.conversation is None
    title = _title(item.data) if is_empty else ""
    return Found(item.line, made.conversation, "", title, is_empty, made.notes, made.left_out)


def _words(error: ValidationError) -> str:
    """The first thing that is wrong, and how many others there are."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    places = {fault["loc"] for fault in faults}
    if ("format",) in places:
        return "it is no conversation of an archive that Talos wrote"
    if ("version",) in places:  # then other keys are wrong, too
        return f"its version is not supported (1 to {VERSION} are). Update Talos"
    fault = faults[0]
    words = _sentence(fault["msg"], fault["type"])
    place = _place(fault["loc"])
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{place}{words}{more}"


def _sentence(message: str, kind: str) -> str:
    if kind == "json_invalid":
        if "EOF" in message:
            return CUT_OFF
        return f"it is no JSON: {message.removeprefix('Invalid JSON: ')}"
    if kind == "extra_forbidden":
        return "this key is not known here: a newer Talos wrote it, or somebody by hand"
    return message.removeprefix("Value error, ")[:300]


def _place(location: tuple[int | str, ...]) -> str:
    """`messages[3].turn.cost: `"""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location]
    return f"{''.join(parts).lstrip('.')[:100]}: " if parts else ""


def _title(data: bytes) -> str:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        return ""
    title = found.get("title") if isinstance(found, dict) else None
    return title[:200] if isinstance(title, str) else ""
