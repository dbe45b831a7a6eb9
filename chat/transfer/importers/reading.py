"""From a file to archived conversations, one at a time; what is wrong is said, with its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import BinaryIO
from zipfile import ZipInfo

from pydantic import ValidationError

from chat.transfer.archive.format import VERSION, ArchivedConversation
from chat.transfer.importers import chatgpt, kinds, products, zips
from chat.transfer.importers.chatgpt import Converted
from chat.transfer.importers.items import CUT_OFF, Item
from chat.transfer.importers.kinds import Kind


@dataclass(frozen=True, slots=True)
class Found:
    """A conversation of a file, or why there is none, or what else was in the file."""

    line: int
    """In which it begins; 0: the whole file is meant."""
    conversation: ArchivedConversation | None = None
    fault: str = ""
    title: str = ""
    """Of one that is none, as far as it can be told."""
    is_empty: bool = False
    """There is nothing in it, which is no fault."""
    notes: tuple[str, ...] = ()
    """What a person may want to know of how it was read."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many of each kind were not brought in: image, file, audio, instruction."""
    position: int = 0
    """Which of the file's it is, from 1; 0: its line says so."""
    file: str = ""
    """Of those in a ZIP file the one that it is in."""

    @property
    def is_conversation(self) -> bool:
        """Else it only says what else was left out."""
        return bool(self.conversation or self.fault or self.is_empty)


def read(file: BinaryIO, kind: Kind = "auto") -> Iterator[Found]:
    """All conversations of a file, or of those in a ZIP file, each read as what it is.

    A `kind` other than `auto` is believed of what is not recognised.
    """
    head = file.read(len(zips.MAGIC[0]))
    if head in zips.MAGIC:
        return _in_zip(head, file, kind)
    return _in_file(kinds.joined(head, file), kind)


def _in_file(file: BinaryIO, kind: Kind) -> Iterator[Found]:
    for item in kinds.items(file, kind):
        yield replace(_found(item, kind), position=item.position)


def _in_zip(head: bytes, file: BinaryIO, kind: Kind) -> Iterator[Found]:
    """What the conversations say of images that they show is not counted twice."""
    counted: Counter[str] = Counter()
    try:
        with zips.seekable(head, file) as whole, zips.Zip(whole) as archive:
            for info in archive.chats():
                for found in _in_member(archive, info, kind):
                    counted.update(found.left_out)
                    yield replace(found, file=info.filename)
            if left_out := archive.left_out(counted):
                yield Found(0, left_out=left_out)
    except zips.Unreadable as why:
        yield Found(0, fault=str(why))


def _in_member(archive: zips.Zip, info: ZipInfo, kind: Kind) -> Iterator[Found]:
    try:
        with archive.open(info) as file:
            yield from _in_file(file, kind)
    except zips.Unreadable as why:
        yield Found(0, fault=str(why))


def _archived(data: bytes) -> Converted:
    return Converted(ArchivedConversation.model_validate_json(data))


_PARSERS: dict[str, Callable[[bytes], Converted]] = {
    products.TALOS: _archived,
    products.CHATGPT: chatgpt.conversation,
}
_SAID = {"chatgpt": products.CHATGPT, "json": products.TALOS, "jsonl": products.TALOS}
"""What a piece of a file is, if it is said what the file is."""


def _found(item: Item, kind: Kind) -> Found:
    if item.fault:
        return Found(item.line, fault=item.fault)
    product = products.product_of(item.data)
    if product in ("", *products.READ):
        said = product or _SAID.get(kind, "")
        found = _parsed(item, said) if said else Found(item.line, fault=products.UNKNOWN)
        if found.is_empty and not product:
            found = Found(item.line, fault=products.UNKNOWN)
    else:
        found = Found(item.line, fault=products.refusal(product))
    return found if found.conversation else replace(found, title=products.title_of(item.data))


def _parsed(item: Item, product: str) -> Found:
    try:
        made = _PARSERS[product](item.data)
    except ValidationError as error:
        return Found(item.line, fault=_words(error))
    except RecursionError:
        return Found(item.line, fault="it is nested too deeply")
    except ValueError as error:
        return Found(item.line, fault=str(error))
    return Found(
        item.line,
        made.conversation,
        is_empty=made.conversation is None,
        notes=made.notes,
        left_out=made.left_out,
    )


def _words(error: ValidationError) -> str:
    """The first thing that is wrong, and how many others there are."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    places = {fault["loc"] for fault in faults}
    if ("format",) in places:
        return products.UNKNOWN
    if ("version",) in places:  # then other keys are wrong, too
        return f"its version is not supported (1 to {VERSION} are). Update Talos"
    fault = faults[0]
    words = _sentence(fault["msg"], fault["type"])
    place = _place(fault["loc"])
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{place}{words}{more}"


_FAULTS = {
    "extra_forbidden": "this key is not known here: a newer Talos wrote it, or somebody by hand",
    "model_type": "it is no object",
    "too_short": "there is nothing in it",
}


def _sentence(message: str, kind: str) -> str:
    if kind == "json_invalid":
        if "EOF" in message:
            return CUT_OFF
        return f"it is no JSON: {message.removeprefix('Invalid JSON: ')}"
    if kind in _FAULTS:
        return _FAULTS[kind]
    return message.removeprefix("Value error, ")[:300]


def _place(location: tuple[int | str, ...]) -> str:
    """`messages[3].turn.cost: `"""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location]
    return f"{''.join(parts).lstrip('.')[:100]}: " if parts else ""
