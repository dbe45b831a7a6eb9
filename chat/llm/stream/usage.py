"""Reads the token counts of a request, in every server's spelling."""

from __future__ import annotations

from typing import Any

from chat.llm.base import Usage

MAX_TOKENS = 20_000_000  # per count: larger ones are bogus; a hundred rounds fit a column

_INPUT = ("prompt_tokens", "input_tokens", "prompt_eval_count")
_OUTPUT = ("completion_tokens", "output_tokens", "eval_count")
_CACHED = ("prompt_cache_hit_tokens", "cached_tokens")
_DETAILS = ("prompt_tokens_details", "input_tokens_details")


def counts_in(chunk: dict[str, Any]) -> object:
    """Return the counts of a chunk without choices; some servers put them into the chunk itself."""
    return chunk.get("usage") or chunk.get("x_groq") or ("eval_count" in chunk and chunk)


def usage_of(counts: object, before: Usage | None) -> Usage | None:
    """Return the counts so far. Servers that count in each chunk may end with zeros or nothing."""
    if not isinstance(counts, dict):
        return before
    if isinstance(inner := counts.get("usage"), dict):  # Groq's
        counts = inner
    read = Usage(_first(counts, _INPUT), _first(counts, _OUTPUT), _cached(counts))
    if "prompt_tokens" not in counts and "cache_read_input_tokens" in counts:
        read = _anthropic(counts, read)
    if before is None:
        return read if read.input_tokens or read.output_tokens else None
    if read.input_tokens == 0:
        read = Usage(before.input_tokens, read.output_tokens, before.cached_tokens)
    if read.output_tokens == 0:
        read = Usage(read.input_tokens, before.output_tokens, read.cached_tokens)
    return read


def _anthropic(counts: dict[str, Any], read: Usage) -> Usage:
    """Add cached tokens: Anthropic's `input_tokens` counts only those outside the cache."""
    cached = _count(counts["cache_read_input_tokens"])
    written = _count(counts.get("cache_creation_input_tokens"))
    return Usage(_count(read.input_tokens + cached + written), read.output_tokens, cached)


def _cached(counts: dict[str, Any]) -> int:
    for name in _DETAILS:
        if isinstance(details := counts.get(name), dict):
            return _count(details.get("cached_tokens"))
    return _first(counts, _CACHED)


def _first(counts: dict[str, Any], names: tuple[str, ...]) -> int:
    return next((count for name in names if (count := _count(counts.get(name)))), 0)


def _count(value: object) -> int:
    if isinstance(value, str | float):
        try:
            value = int(float(value))
        except (ValueError, OverflowError):
            return 0
    return value if isinstance(value, int) and 0 <= value <= MAX_TOKENS else 0
