"""A row of an answer that is not saved."""

from __future__ import annotations

from chat.models import ToolCall


def call(name: str, *, round: int, offset: int, result: str = "r") -> ToolCall:  # noqa: A002
    return ToolCall(
        call_id=name, name=name, round=round, offset=offset, arguments="{}", result=result
    )
