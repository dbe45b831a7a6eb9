"""A tool call as the page shows it: its state in words, its arguments laid out to be read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from chat.models import ToolCall
from chat.protocol import ToolCallView
from chat.turns import toolbox

_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Characters that reorder visible text: a person must approve exactly what runs."""
GIST = 120
"""Code points of a card's summary."""
STATES = {
    "pending": "needs your approval",
    "approved": "approved",
    "running": "running…",
    "finished": "done",
    "failed": "failed",
    "denied": "denied",
    "unknown": "may or may not have run",
}


@dataclass(frozen=True)
class Card:
    """A call for `call/card.html`; the script fills it in for a call that has no row yet."""

    call: ToolCallView

    @property
    def state(self) -> str:
        return STATES[self.call.status]

    @property
    def is_pending(self) -> bool:
        return self.call.status == ToolCall.Status.PENDING

    @property
    def used(self) -> dict[str, Any]:
        """A person's arguments, else the model's."""
        edited = self.call.edited_arguments
        return self.call.arguments if edited is None else edited

    @property
    def rows(self) -> Iterable[tuple[str, str]]:
        """Yield each argument with its name: a text as it is, anything else as JSON."""
        for name, value in self.used.items():
            yield plainly(name), plainly(value if isinstance(value, str) else as_json(value))

    @property
    def gist(self) -> str:
        """The beginning of the first argument, usually the most telling one."""
        (_, text) = next(iter(self.rows), ("", ""))
        return text.strip().partition("\n")[0][:GIST]

    @property
    def is_edited(self) -> bool:
        return self.call.edited_arguments is not None

    @property
    def asked_for(self) -> str:
        """The model's own arguments."""
        return as_json(self.call.arguments)

    @property
    def took(self) -> str:
        """How long it ran; empty if it did not run or is not over."""
        seconds = self.call.seconds
        if seconds is None:
            return ""
        return "< 0.1 s" if seconds < 0.1 else f"{seconds:.1f} s"

    @property
    def may_remember(self) -> bool:
        return self.call.name not in asked_each_time()


def plainly(text: str) -> str:
    return _TURNS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def tool_names() -> tuple[str, ...]:
    """Return the names of the tools on offer."""
    return toolbox.registry().names


def asked_each_time() -> list[str]:
    """Return the tools whose approval is never remembered."""
    return sorted(tool.name for tool in toolbox.registry() if not tool.may_remember)
