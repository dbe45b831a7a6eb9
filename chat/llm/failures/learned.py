"""Learns servers' demands from the wording of their refusals.

The request is sent again with the demand applied. The demand is kept for an hour, and only if that
request was accepted: a wrong guess costs one request, and a fixed server is noticed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from chat.llm.demands import Demands
from chat.llm.failures import kinds, overflow
from chat.llm.failures.details import Complaint
from chat.llm.failures.kinds import Kind

KEPT_FOR = 3600.0
"""Seconds."""
STATUSES = frozenset({400, 404, 405, 415, 422, 500, 501})
_ABOUT_THE_REQUEST = frozenset(
    {Kind.REFUSED, Kind.BROKEN, Kind.NO_ADDRESS, Kind.NO_MODEL, Kind.UNKNOWN}
)

_NO = (
    r"(?:(?:\bnot|n't)\b(?: \w+){0,2}? (?:support|enabl|allow|permit|accept|recogni|implement|availabl"
    r"|configur|expect|valid)\w*|unsupported|disabled|unavailable|unexpected|unknown|unrecognized"
    r"|invalid|forbidden|cannot|can't|extra (?:inputs|fields)|additional propert\w+|require[sd]?\b)"
)
_TOOLS = r"(?:\btools?\b(?!_call)(?! (?:call )?id)|\btool[_ -](?:choice|use|calls?|calling)\b|\bfunction[_ ]?call(?:ing|s)?\b|\bfunctions\b)"
_UNRELATED_TO_SUPPORT = (
    r"^(?!.*(?:pars\w+ (?:the )?tool[_ ]calls?|temporar|unexpected (?:eof|end)|invalid character"
    r"|\brole\W{1,4}tool\b)).*?"
)
"""Temporary failures and errors about earlier messages, which say nothing about tool support."""
_LIMIT = r"max_(?:completion_|output_)?tokens|max_new_tokens|maxoutputtokens"
_RANGE = (
    r"(?:too (?:large|high|small|low)|at (?:most|least)|(?:less|greater|more) than|<=|>=|\brange\b"
    r"|\bbetween\b|exceeds?\b|maximum value|minimum value|out of bounds)"
)
"""Wordings that refuse a value, not the field."""
_OPAQUE = (
    r"(?:\breasoning(?:_content|_details)?\b|\bextra_content\b|\bthinking\b|\bthought_?signature\b)"
)
_SYSTEM = (
    r"(?:\b(?:system|developer) (?:roles?|messages?|prompts?|instructions?)\b"
    r"|\broles?\W{1,4}(?:system|developer)\b|['\"`](?:system|developer)['\"`])"
)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A wording, and the change to a server's demands that it teaches."""

    wording: re.Pattern[str]
    field: str
    value: Any
    lasts: bool = True
    """Otherwise, only this request's value was refused."""

    def apply(self, demands: Demands) -> Demands:
        """Return the demands with this lesson applied."""
        return replace(demands, **{self.field: self.value})


def _lesson(wording: str, field: str, value: Any, *, lasts: bool = True) -> Lesson:
    return Lesson(re.compile(wording, re.DOTALL), field, value, lasts)


_TOO_MUCH = _lesson(
    rf"(?:{_LIMIT})\W{{0,4}}(?:is )?too large|\bin the completion\b",
    "answer_limit",
    "",
    lasts=False,
)
"""The answer limit, not the conversation, exceeds the context."""


LESSONS = (
    _lesson(r"length (?:of )?9\b|a-z, 0-9, with a length", "call_ids", "nine"),
    _lesson(r"unexpected role '?user'? after role '?tool", "answers_results", True),
    _lesson(
        r"must be passed back|reasoning_content\W{0,3} (?:is |field )?(?:missing|required|must)"
        r"|missing[^.]{0,20} reasoning_content",
        "wants_reasoning",
        True,
    ),
    _lesson(rf"{_OPAQUE}[^.]{{0,60}}?{_NO}|{_NO}[^.]{{0,60}}?{_OPAQUE}", "takes_back", False),
    _lesson(
        r"messages[.\[]\d+\S{0,80} *: *(?:extra (?:inputs|fields)|property)"
        rf"|{_NO} (?:parameter|field|property|argument)s?\W{{1,4}}messages\S{{1,60}}",
        "takes_back",
        False,
    ),
    _lesson(r"stream_options|include_usage", "stream_options", False),
    _lesson(
        rf"{_SYSTEM}[^.]{{0,40}}?{_NO}|{_NO}[^.]{{0,40}}?{_SYSTEM}|only [^.]{{0,40}}roles are supported"
        r"|roles (?:must|should) (?:be )?alternat|got system\b",
        "system_role",
        False,
    ),
    _lesson(r"roles (?:must|should) (?:be )?alternat", "answers_results", True),
    _lesson(rf"(?:{_LIMIT})[^.]{{0,80}}?{_RANGE}", "answer_limit", "", lasts=False),
    _lesson(_LIMIT, "answer_limit", "max_completion_tokens"),
    _lesson(_LIMIT, "answer_limit", ""),
    _lesson(rf"\btemperature\b[^.]{{0,40}}?{_RANGE}", "temperature", False, lasts=False),
    _lesson(r"\btemperature\b", "temperature", False),
    _lesson(  # earlier calls require tools, which are off: send the calls as text
        r"toolconfig field must|must (?:define|include|provide)[^.]{0,40}\btools\b|expects? the \W?tools",
        "tools",
        False,
        lasts=False,
    ),
    _lesson(
        rf"{_UNRELATED_TO_SUPPORT}(?:{_TOOLS}[^.]{{0,80}}?{_NO}|{_NO}[^.]{{0,60}}?{_TOOLS}|\bno\b[^.]{{0,60}} support {_TOOLS}"
        r"|\bbody\.(?:tools|tool_choice|functions)\b|\btools(?:\[|\.)\d|schema for function"
        r"|\btools not found|no tools grammar|can handle the requested parameters"
        r"|不支持.{0,6}(?:工具|函数|tool|function)|(?:工具|函数).{0,6}不支持)",
        "tools",
        False,
    ),
)
"""The first that changes the request applies, so specific wordings precede general ones."""


def lesson_of(
    complaint: Complaint, demands: Demands, alters: Callable[[Demands], bool]
) -> Lesson | None:
    """Return the lesson for another attempt. `alters`: whether demands change the request."""
    if complaint.status not in STATUSES:
        return None
    if not (is_full := overflow.of(complaint)) and kinds.of(complaint) not in _ABOUT_THE_REQUEST:
        return None
    words = complaint.words
    for lesson in (_TOO_MUCH,) if is_full else LESSONS:
        changed = lesson.apply(demands)
        if changed != demands and lesson.wording.search(words) and alters(changed):
            return lesson
    return None


_REMARKS = {
    "tools": "does not support tools, so it answered without them",
    "temperature": "does not support a temperature, so it answered without one",
    "answer_limit": "does not support an answer limit, so it answered without one",
}
_VALUE_REMARKS = {
    "temperature": "did not accept this temperature, so it answered without one",
    "answer_limit": "did not accept this answer limit, so it answered without one",
}


def remarks(before: Demands, after: Demands, lasting: Demands) -> list[str]:
    """Return remarks on an answer that came only after something was left out.

    `lasting`: the demands without those that refuse only this request's values.
    """
    return [
        f"This model's server {said}."
        for name, of_server in _REMARKS.items()
        if getattr(before, name) and not getattr(after, name)
        for said in [_VALUE_REMARKS.get(name) if getattr(lasting, name) else of_server]
        if said
    ]


class Learned:
    """One server's demands by model."""

    def __init__(self, demands: Demands, clock: Callable[[], float] = time.monotonic) -> None:
        self._demands = demands
        self._clock = clock
        self._kept: dict[str, tuple[Demands, float]] = {}

    def of(self, model: str) -> Demands:
        demands, until = self._kept.get(model, (self._demands, 0.0))
        return demands if self._clock() < until else self._demands

    def keep(self, model: str, demands: Demands) -> None:
        """Keep demands that led to an accepted request."""
        self._kept[model] = (demands, self._clock() + KEPT_FOR)
