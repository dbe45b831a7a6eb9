"""Token counts are read from all the places and spellings that servers use."""

from __future__ import annotations

from typing import Any

import pytest

from chat.llm.base import Usage
from chat.llm.stream.chunks import Answer


@pytest.mark.parametrize(
    ("counts", "meant"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 2}, Usage(9, 2)),
        ({"input_tokens": 9, "output_tokens": 2}, Usage(9, 2)),
        ({"prompt_eval_count": 9, "eval_count": 2}, Usage(9, 2)),
        ({"prompt_tokens": "9", "completion_tokens": 2.0}, Usage(9, 2)),
        ({"prompt_tokens": float("inf"), "completion_tokens": 2}, Usage(0, 2)),
        ({"prompt_tokens": 10**12, "completion_tokens": 2}, Usage(0, 2)),
        ({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4}}, Usage(9, 0, 4)),
        ({"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4}}, Usage(9, 0, 4)),
        ({"prompt_tokens": 9, "prompt_cache_hit_tokens": 4}, Usage(9, 0, 4)),
        ({"prompt_tokens": 9, "cached_tokens": 4}, Usage(9, 0, 4)),
        (
            {"input_tokens": 3, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 5},
            Usage(12, 0, 4),
        ),
        ({"usage": {"prompt_tokens": 9}}, Usage(9, 0)),
    ],
)
def test_counts_have_many_spellings(counts: dict[str, object], meant: Usage) -> None:
    assert usage({"choices": [], "usage": counts}) == meant


def usage(*chunks: dict[str, Any]) -> Usage | None:
    read = Answer()
    end = {"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}
    events = [*read.read([*chunks, end]), *read.end()]
    return next((event for event in events if isinstance(event, Usage)), None)


def test_counts_are_in_many_places() -> None:
    counts = {"prompt_tokens": 9, "completion_tokens": 2}
    choice: dict[str, Any] = {"delta": {}, "finish_reason": None}
    assert usage({"choices": [choice], "x_groq": {"id": "r", "usage": counts}}) == Usage(9, 2)
    assert usage({"choices": [{**choice, "usage": counts}]}) == Usage(9, 2)
    assert usage({"x_groq": {"usage": counts}}) == Usage(9, 2)
    assert usage({"done": True, "prompt_eval_count": 9, "eval_count": 2}) == Usage(9, 2)
    assert usage({"choices": [choice], "x_groq": {"id": "r"}}) is None


@pytest.mark.parametrize("nothing", [None, {}, {"prompt_tokens": 0, "completion_tokens": 0}, []])
def test_the_last_nonempty_count_applies(nothing: object) -> None:
    chunks = [{"usage": {"prompt_tokens": 9, "completion_tokens": n}} for n in (1, 2)]
    assert usage(*chunks, {"usage": nothing}) == Usage(9, 2)
