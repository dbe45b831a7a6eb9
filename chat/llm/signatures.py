"""What Gemini wants to see again with each of its tool calls: a signature of its thoughts.

LiteLLM hangs it onto the call's id, which makes an id of kilobytes. Here it is taken off and put
back with the next request. Only this process remembers it; without it LiteLLM says so to Gemini,
which then goes on from the call alone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

_MARK = "__thought__"
_KEPT = 1000  # calls: far more than are under way at once


class Signatures:
    """Those of one provider."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, str] = OrderedDict()

    def take_off(self, calls: Iterable[dict[str, Any]]) -> None:
        """Make the ids of new calls short."""
        for call in calls:
            call_id, mark, signature = (call["id"] or "").partition(_MARK)
            if mark:
                call["id"] = call_id
                self._of[call_id] = signature
                if len(self._of) > _KEPT:
                    self._of.popitem(last=False)

    def put_back(self, messages: Iterable[dict[str, Any]]) -> None:
        """The ids of earlier calls and their results, as LiteLLM made them."""
        for message in messages:
            for call in message.get("tool_calls", ()):
                call["id"] = self._long(call["id"])
            if "tool_call_id" in message:
                message["tool_call_id"] = self._long(message["tool_call_id"])

    def _long(self, call_id: str) -> str:
        signature = self._of.get(call_id)
        return f"{call_id}{_MARK}{signature}" if signature else call_id
