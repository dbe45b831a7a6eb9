"""The base of all frames and their parts: strict fields, and JSON without those left out."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict


class Data(BaseModel):
    """A part of a frame, with exactly the fields that it declares."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    left_out: ClassVar[frozenset[str]] = frozenset()
    """Fields that are left out when they are None; any other None is sent as null."""

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return self.model_dump(mode="json", exclude=_left_out(self))


class Frame(Data):
    """A message from the server to a client."""

    type: str
    seq: int | None = None
    """Set on the frames of the live turn; never skips within a conversation."""

    left_out = frozenset({"seq"})

    def with_number(self, seq: int) -> Self:
        """Return the frame with its number in the conversation."""
        return self.model_copy(update={"seq": seq})

    def encode(self) -> str:
        """Return the frame as JSON text."""
        return self.model_dump_json(exclude=_left_out(self))


def _left_out(part: Data) -> dict[str, Any]:
    """Find the optional fields without a value, at every level, which `encode` leaves out."""
    out: dict[str, Any] = {}
    for name in type(part).model_fields:
        value = getattr(part, name)
        if value is None and name in part.left_out:
            out[name] = True
        elif isinstance(value, Data) and (inner := _left_out(value)):
            out[name] = inner
        elif isinstance(value, tuple):
            rows = {i: rest for i, row in enumerate(value) if (rest := _row(row))}
            if rows:
                out[name] = rows
    return out


def _row(value: object) -> dict[str, Any]:
    return _left_out(value) if isinstance(value, Data) else {}
