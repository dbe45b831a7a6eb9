"""Recognizes refusals of messages that exceed the model's context, and the numbers in them.

Each server has its own wording.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from chat.llm.failures.details import Complaint

_CODES = frozenset(
    {
        "context_length_exceeded",
        "exceed_context_size_error",
        "request_too_large",
        "context_overflow",
    }
)
_SAYS = re.compile(
    r"maximum context length|maximum prompt length|too large for model with"
    r"|context (?:length|window|size|limit)[^.]{0,60}(?:exceed|overflow)"
    r"|exceed[^.]{0,60}(?:context (?:length|window|size|limit)|token limit)"
    r"|(?:longer|greater|larger|more) than (?:the )?(?:\S+ ){0,2}(?:context|model) (?:length|window|size)"
    r"|(?:prompt|input|inputs|conversation|messages?|history|request) (?:is |are |was )?too (?:long|large)"
    r"|(?:token count|number of (?:input )?tokens)[^.]{0,80}(?:exceed|greater)"
    r"|tokens?\b[^.]{0,40}exceeds? the (?:maximum )?(?:limit|number)"
    r"|tokens \+ `max_new_tokens` must be|too many (?:input )?tokens"
    r"|must have less than \d{3,9} tokens|reached (?:the )?context length|supported sequence length"
    r"|超长|超(?:过|出).{0,12}(?:长度|上下文)|messages\[\d+\]\S{0,20}content\W{1,4}string too long"
    r"|prompt exceeds max length|range of input length|context the overflows"
    r"|reduce (?:the|your) (?:length of (?:the|your) )?(?:messages|input|prompt|message size)"
)
_RATE = re.compile(r"request too large[^.]{0,40}\bfor\b")
"""A single request above a minute's tokens: waiting does not help, a shorter request does."""
_STATUSES = frozenset({400, 413, 422, 500, None})

_NO_TOKENS = r"(?! ?(?:[kmg]i?b|(?:kilo|mega)?bytes?|char(?:acter)?s?)\b)"
_NUMBER = rf"(?<![\w.-])(?!2013\))(\d{{3,9}})(?![\w-]|\.\d){_NO_TOKENS}"
# (2013) is MiniMax's code for this error.
_WINDOW = (
    re.compile(rf"> {_NUMBER}"),
    re.compile(rf"{_NUMBER}(?: tokens?)? maximum context"),
    re.compile(r"\[1, (\d{3,9})\]"),
    re.compile(rf"(?:less than|supports up to|max size:|length is(?: just)?) {_NUMBER}"),
    re.compile(
        r"(?:context (?:length|window|size)|(?:prompt|model) length|tokens allowed|cannot exceed"
        rf"|must be <=|\blimit)(?! by)[^\d.]{{0,30}}{_NUMBER}"
    ),
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


@dataclass(frozen=True, slots=True)
class Overflow:
    """The numbers of tokens that the server named."""

    window: int | None
    asked: int | None


def of(complaint: Complaint) -> Overflow | None:
    """Return the overflow that a complaint describes; None if it is about something else."""
    words = complaint.words
    if not _is_overflow(complaint, words):
        return None
    text = _THOUSANDS.sub("", words)
    found = (match for pattern in _WINDOW if (match := pattern.search(text)))
    if complaint.status == 413 or "request_too_large" in complaint.codes:  # may count bytes
        found = (match for match in found if _is_of_tokens(match))
    window = complaint.window or next((int(match[1]) for match in found), None)
    larger = (int(n) for n in re.findall(_NUMBER, text)) if window else iter(())
    asked = complaint.asked or next((n for n in larger if window and n > window), None)
    return Overflow(window, asked)


def _is_of_tokens(number: re.Match[str]) -> bool:
    beside = number.string[max(0, number.start() - 60) : number.end() + 20]
    return "token" in beside or "context" in beside


def _is_overflow(complaint: Complaint, words: str) -> bool:
    if complaint.status == 413 or not _CODES.isdisjoint(complaint.codes):
        return True
    if complaint.status == 429:
        return bool(_RATE.search(words))
    return complaint.status in _STATUSES and bool(_SAYS.search(words))
