"""How an answer ends: the finish reasons of all providers, and errors within a stream."""

from __future__ import annotations

from typing import Any, Literal

Reason = Literal["stop", "length", "context", "tool_calls", "content_filter"]

_WORDS: dict[Reason, str] = {  # any other word is "stop"
    "length": "length max_tokens max_output_tokens max_completion_tokens max_new_tokens max_length",
    "context": "context model_length model_context_window_exceeded context_window_exceeded "
    "context_length_exceeded context_length",
    "tool_calls": "tool_calls tool_call tool_use function_call function_calls",
    "content_filter": "content_filter content_filtered safety recitation prohibited_content "
    "blocklist spii image_safety refusal sensitive guardrail_intervened error_toxic model_armor language",
}
_REASONS: dict[str, Reason] = {
    word: reason for reason, words in _WORDS.items() for word in words.split()
}
_INTERRUPTIONS = frozenset(
    {
        "error",
        "abort",
        "aborted",
        "cancelled",
        "network_error",
        "server_error",
        "timeout",
        "insufficient_system_resource",
        "malformed_function_call",
        "malformed_response",
        "unexpected_tool_call",
        "too_many_tool_calls",
        "missing_thought_signature",
        "pause_turn",  # Anthropic's; Gemini's:
        "other",
        "finish_reason_unspecified",
    }
)


def reason_of(word: str) -> Reason | None:
    """Return the meaning of a finish reason; None if the server broke off instead."""
    word = _normalize(word)
    return None if word in _INTERRUPTIONS else _REASONS.get(word, "stop")


def interruption(word: str) -> str:
    """Return an interrupting word for display. Only words known here reach it."""
    return _normalize(word).replace("_", " ")


def _normalize(word: str) -> str:
    return word.strip().lower().replace("-", "_").replace(" ", "_").rpartition(".")[2]


def error_in(chunk: dict[str, Any]) -> object:
    """Return the error in a chunk without choices: OpenAI's, vLLM's, FastAPI's or MiniMax's."""
    if error := chunk.get("error"):
        return chunk if error is True else error
    if detail := chunk.get("detail"):
        return {"message": detail} if isinstance(detail, str) else chunk
    status = chunk.get("base_resp")
    if isinstance(status, dict) and status.get("status_code"):
        return {"message": status.get("status_msg"), "code": status["status_code"]}
    is_error = "error" in (chunk.get("object"), chunk.get("type"))
    has_code = any(chunk.get(name) for name in ("code", "status", "status_code"))
    return chunk if is_error or (has_code and isinstance(chunk.get("message"), str)) else None
