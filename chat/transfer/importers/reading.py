"""Reading the conversations of a file one at a time, with a fault and its place for each bad one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import BinaryIO
from zipfile import ZipInfo

from pydantic import ValidationError

from chat.transfer.archive.format import VERSION, ArchivedConversation
from chat.transfer.importers import chatgpt, kinds, products, zips
from chat.transfer.importers.converted import Converted
from chat.transfer.importers.items import CUT_OFF, Item
from chat.transfer.importers.kinds import Kind


@dataclass(frozen=True, slots=True)
class Found:
    """A conversation of a file, or why it cannot be read, or what else was in the file."""

    line: int
    """The line in which it begins; 0: the whole file is meant."""
    conversation: ArchivedConversation | None = None
    fault: str = ""
    title: str = ""
    """The title of one that cannot be read, if it has one."""
    is_empty: bool = False
    """Whether it is empty, which is not a fault."""
    notes: tuple[str, ...] = ()
    """Remarks for a person on how it was read."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Counts by kind of what was not imported: image, file, audio, instruction."""
    position: int = 0
    """Its number in the file, from 1; 0 if its line identifies it."""
    file: str = ""
    """The file within a ZIP file that it is in."""

    @property
    def is_conversation(self) -> bool:
        """Whether it is about a conversation; else it only counts what was left out."""
        return bool(self.conversation or self.fault or self.is_empty)


def read(file: BinaryIO, kind: Kind = "auto") -> Iterator[Found]:
    """Read all conversations of a file, or of the files in a ZIP file.

    A `kind` other than `auto` applies to what is not recognised.
    """
    head = file.read(len(zips.MAGIC[0]))
    if head in zips.MAGIC:
        return _in_zip(head, file, kind)
    return _in_file(kinds.rejoin(head, file), kind)


def _in_file(file: BinaryIO, kind: Kind) -> Iterator[Found]:
    for item in kinds.split(file, kind):
        yield replace(_read_item(item, kind), position=item.position)


def _in_zip(head: bytes, file: BinaryIO, kind: Kind) -> Iterator[Found]:
    """Read the files in a ZIP file; images that the conversations counted are not counted twice."""
    counted: Counter[str] = Counter()
    try:
        with zips.make_seekable(head, file) as whole, zips.Zip(whole) as archive:
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


def _read_archived(data: bytes) -> Converted:
    return Converted(ArchivedConversation.model_validate_json(data))


_PARSERS: dict[str, Callable[[bytes], Converted]] = {
    products.TALOS: _read_archived,
    products.CHATGPT: chatgpt.conversation,
}
_BY_KIND = {"chatgpt": products.CHATGPT, "json": products.TALOS, "jsonl": products.TALOS}
"""The product of an unrecognised piece, by the given kind of its file."""


def _read_item(item: Item, kind: Kind) -> Found:
    if item.fault:
        return Found(item.line, fault=item.fault)
    product = products.product_of(item.data)
    if product in ("", *products.READ):
        assumed = product or _BY_KIND.get(kind, "")
        found = _parse(item, assumed) if assumed else Found(item.line, fault=products.UNKNOWN)
        if found.is_empty and not product:
            found = Found(item.line, fault=products.UNKNOWN)
    else:
        found = Found(item.line, fault=products.refusal(product))
    return found if found.conversation else replace(found, title=products.title_of(item.data))


def _parse(item: Item, product: str) -> Found:
    try:
        made = _PARSERS[product](item.data)
    except ValidationError as error:
        return Found(item.line, fault=_explain(error))
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


def _explain(error: ValidationError) -> str:
    """Describe the first thing that is wrong, and count the others."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    places = {fault["loc"] for fault in faults}
    if ("format",) in places:
        return products.UNKNOWN
    if ("version",) in places:  # then other keys are wrong as well
        return f"its version is not supported (1 to {VERSION} are). Update Talos"
    fault = faults[0]
    words = _sentence(fault["msg"], fault["type"])
    place = _place(fault["loc"])
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{place}{words}{more}"


_FAULTS = {
    "extra_forbidden": "unknown key, written by a newer Talos or by hand",
    "model_type": "it is not an object",
    "too_short": "it is empty",
}


def _sentence(message: str, kind: str) -> str:
    if kind == "json_invalid":
        if "EOF" in message:
            return CUT_OFF
        return f"it is not JSON: {message.removeprefix('Invalid JSON: ')}"
    if kind in _FAULTS:
        return _FAULTS[kind]
    return message.removeprefix("Value error, ")[:300]


def _place(location: tuple[int | str, ...]) -> str:
    """Return, for example, `messages[3].turn.cost: `."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location]
    return f"{''.join(parts).lstrip('.')[:100]}: " if parts else ""
