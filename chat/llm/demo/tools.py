"""Recognizes questions for which the demo model calls a tool: the time, a sum, or a note.

Only requests count: "I had a good time" and "born on 2001-05-03" are talk.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from chat.llm.demo import texts

_MAX_READ = 200  # characters of a question: bounds the cost of the patterns below

# --- a note ---------------------------------------------------------------------------------------

_NOTE = re.compile(
    r"(?:\b(?:write|make|save|take|add|create|leave)\s+(?:me\s+|down\s+)?"
    r"(?:an?|another|this|the|my)\s+(?:\w+\s+)??note\b(?:\s+(?:that\s+says|saying|that)\b)?"
    r"|\A\W*(?:please\s+)?(?:"
    r"(?:new\s+)?note(?:\s+to\s+self)?\s*:"
    r"|remember(?:\s+this|\s+that)?\s*:"
    r"|(?:write|note|jot)\s+(?:this\s+)?down\b))"
    r"[\s:,;.!?-]*(.*)",
    re.I | re.S,
)
_ABOUT_NOTES = re.compile(
    r"\A\W*(?:(?:how|why|when|where|who|should|did|do)\b|i (?!want|need|would))", re.I
)

# --- a sum ----------------------------------------------------------------------------------------

_NUMBER = r"\d+(?:\.\d+)?"
_SUM = re.compile(
    rf"(?<![\w.])[-(\s]*{_NUMBER}[)\s]*(?:(?:\*\*|//|[-+*/%])[-(\s]*{_NUMBER}[)\s]*)+(?![\w(])"
)
_BETWEEN = {
    "plus": "+",
    "minus": "-",
    "times": "*",
    "multiplied by": "*",
    "divided by": "/",
    "to the power of": "**",
    " x ": " * ",
    "\N{MULTIPLICATION SIGN}": "*",
    "\N{DIVISION SIGN}": "/",
    "^": "**",
}
_BEFORE = {
    "add|(?:sum|total) of": " + ",
    "multiply|product of": " * ",
    "divide": " / ",
    "difference (?:of|between)": " - ",
}
_LIST = rf"-?{_NUMBER}(?:(?:,|,? and|,? to|,? by|,? with) -?{_NUMBER})+"
_FROM = re.compile(rf"\bsubtract (-?{_NUMBER}) from (-?{_NUMBER})", re.I)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_DATE = re.compile(r"\d+(?:[-/]\d+)+")  # also a telephone number, or 24/7
_ASKS = re.compile(r"\b(?:what|how much|calculate|compute|work out|solve)\b|=", re.I)

# --- the time -------------------------------------------------------------------------------------

_CLOCK = "(?:date|time)"
_APOSTROPHE = "['\N{RIGHT SINGLE QUOTATION MARK}]?"
_AND_NO_MORE = r"(?=\W*\Z|[?.!,;]| (?:and|now|today|in|right|here|please)\b)"
_TIME = re.compile(
    r"\btime (?:is it|it is)\b|\bwhat (?:day|date) (?:is (?:it|today)|it is)\b"
    rf"|\btoday{_APOSTROPHE}s date\b"
    rf"|\b(?:current|local|exact) {_CLOCK}\b{_AND_NO_MORE}"
    rf"|\b(?:what(?:{_APOSTROPHE}s| is)|(?:tell|give|show) me|do you have) the {_CLOCK}\b{_AND_NO_MORE}"
    rf"|\A\W*(?:the )?{_CLOCK}(?: now| today| please| in [\w/ ]+)?\W*\Z",
    re.I,
)
_ZONE = re.compile(
    rf"\b{_CLOCK}\b.{{0,20}}? in (?!the\b|my\b|a\b)([^\W\d][\w/+-]*(?: [^\W\d]\w*){{0,2}}?)"
    r"(?: (?:right )?now| today| please| at the moment)?\W*\Z",
    re.I,
)


@dataclass(frozen=True, slots=True)
class RequestedTool:
    name: str
    arguments: dict[str, str]
    lead: str
    """The text before the call."""


def requested_tool(asked: str) -> RequestedTool | None:
    """Return the tool that a question asks for."""
    if (match := _NOTE.search(asked)) and not _ABOUT_NOTES.match(asked):
        content = match[1].strip() or "A note from the Talos demo."
        arguments = {"path": "note.md", "content": f"{content}\n"}
        return RequestedTool("write_file", arguments, texts.LEAD_NOTE)
    begin = asked[:_MAX_READ]
    if expression := _expression(begin):
        return RequestedTool("calculate", {"expression": expression}, texts.LEAD_SUM)
    if _TIME.search(begin):
        zone = _ZONE.search(begin)
        return RequestedTool("current_time", {"timezone": zone[1]} if zone else {}, texts.LEAD_TIME)
    return None


def _expression(asked: str) -> str | None:
    match = _SUM.search(_as_formula(asked))
    if match is None:
        return None
    found = match[0].strip()
    if found.count("(") != found.count(")"):  # a parenthesis that belongs to the sentence
        found = found.strip("() ")
    is_all = asked.strip(" ?.!") == found
    if _DATE.fullmatch(found) and not (is_all or _ASKS.search(asked)):
        return None
    return found if found.count("(") == found.count(")") else None


def _as_formula(asked: str) -> str:
    asked = _FROM.sub(r"\2 - \1", _THOUSANDS.sub("", asked))
    for words, operator in _BEFORE.items():
        asked = re.sub(rf"\b(?:{words}) ({_LIST})", _join_with(operator), asked, flags=re.I)
    for word, operator in _BETWEEN.items():
        asked = re.sub(re.escape(word), operator, asked, flags=re.I)
    return asked


def _join_with(operator: str) -> Callable[[re.Match[str]], str]:
    """Return a function that rewrites `3, 4 and 5` with the operator between the numbers."""
    return lambda match: operator.join(re.findall(rf"-?{_NUMBER}", match[1]))
