"""Tool calls in a history, such that every server takes them: their ids, names and arguments."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Literal

import orjson

MAX_ID, MAX_NAME = 40, 64
"""Characters that OpenAI takes."""
_FITTING_IDS = {
    "long": re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_ID}}}"),
    "nine": re.compile("[A-Za-z0-9]{9}"),
}
_NO_LETTER_OF_NAMES = re.compile("[^A-Za-z0-9_-]")


class CallIds:
    """The ids in one request: each is there once, and the same in every request like it."""

    def __init__(self, style: Literal["long", "nine"]) -> None:
        self._style = style
        self._used: set[str] = set()
        self._of_round: dict[str, str] = {}

    def begin_round(self) -> None:
        """Results belong to calls of the message before them: stored ids may come again."""
        self._of_round = {}

    def of_call(self, stored: str, own: str | None) -> str:
        """The call's `own` id, where it may go back and was not used yet; else one that fits."""
        sent = own if own and own not in self._used else self._fitting(stored)
        self._used.add(sent)
        self._of_round[stored] = sent
        return sent

    def of_result(self, stored: str) -> str:
        return self._of_round[stored]

    def _fitting(self, stored: str) -> str:
        sent = stored if _FITTING_IDS[self._style].fullmatch(stored) else self._made(stored)
        while sent in self._used:
            sent = self._made(f"{sent} {len(self._used)}")
        return sent

    def _made(self, stored: str) -> str:
        digest = sha256(stored.encode()).hexdigest()
        return digest[:9] if self._style == "nine" else f"call_{digest[:24]}"


def fitting_name(name: str) -> str:
    """The name of a tool that a model called, which may have made it up."""
    return _NO_LETTER_OF_NAMES.sub("_", name)[:MAX_NAME] or "tool"


def arguments_object(text: str) -> str:
    """JSON text of an object: as the model wrote it, or with what it wrote under `_raw`.

    Servers that fill in a template parse the arguments of earlier calls, too.
    """
    try:
        arguments = orjson.loads(text or "null")
    except orjson.JSONDecodeError:
        arguments = text
    if isinstance(arguments, dict):
        return text
    is_nothing = arguments is None or not text.strip()
    return "{}" if is_nothing else orjson.dumps({"_raw": text}).decode()
