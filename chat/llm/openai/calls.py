"""Makes earlier tool calls acceptable to every server: their ids, names and arguments."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Literal

import orjson

MAX_ID, MAX_NAME = 40, 64
"""Characters that OpenAI accepts."""
_VALID_IDS = {
    "long": re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_ID}}}"),
    "nine": re.compile("[A-Za-z0-9]{9}"),
}
_INVALID_IN_NAMES = re.compile("[^A-Za-z0-9_-]")


class CallIds:
    """The call ids in one request: unique, and the same whenever the history is sent again."""

    def __init__(self, style: Literal["long", "nine"]) -> None:
        self._style = style
        self._used: set[str] = set()
        self._of_round: dict[str, str] = {}

    def begin_round(self) -> None:
        """Start a new round: results refer to its calls, and stored ids may repeat."""
        self._of_round = {}

    def of_call(self, stored: str, own: str | None) -> str:
        """Return the call's `own` id if it may go back and is unused, else a valid one."""
        sent = own if own and own not in self._used else self._valid_id(stored)
        self._used.add(sent)
        self._of_round[stored] = sent
        return sent

    def of_result(self, stored: str) -> str:
        return self._of_round[stored]

    def _valid_id(self, stored: str) -> str:
        sent = stored if _VALID_IDS[self._style].fullmatch(stored) else self._derive(stored)
        while sent in self._used:
            sent = self._derive(f"{sent} {len(self._used)}")
        return sent

    def _derive(self, stored: str) -> str:
        digest = sha256(stored.encode()).hexdigest()
        return digest[:9] if self._style == "nine" else f"call_{digest[:24]}"


def valid_name(name: str) -> str:
    """Return a valid form of a tool's name, which the model may have made up."""
    return _INVALID_IN_NAMES.sub("_", name)[:MAX_NAME] or "tool"


def arguments_object(text: str) -> str:
    """Return a JSON object: the model's own text, or that text under `_raw`.

    Servers that fill in a template also parse the arguments of earlier calls.
    """
    try:
        arguments = orjson.loads(text or "null")
    except orjson.JSONDecodeError:
        arguments = text
    if isinstance(arguments, dict):
        return text
    is_nothing = arguments is None or not text.strip()
    return "{}" if is_nothing else orjson.dumps({"_raw": text}).decode()
