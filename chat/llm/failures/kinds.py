"""Classifies a server's complaint by its codes, its words and its status.

Pure. The sentence for each kind is in `errors.py`.
"""

from __future__ import annotations

import re
from enum import Enum

from chat.llm.failures.details import Complaint


class Kind(Enum):
    REFUSED = "the request was not accepted"
    KEY = "the key was refused"
    FORBIDDEN = "no access with this key"
    CREDIT = "no credit or quota left"
    RATE = "too many requests"
    FILTERED = "withheld by a content filter"
    OVERLOADED = "the server is overloaded"
    NO_MODEL = "no such model"
    NO_ADDRESS = "nothing at this address"
    MOVED = "the server redirects to another address"
    LOADING = "the model is still loading"
    MEMORY = "the server ran out of memory"
    BAD_CALL = "the server rejected the model's tool call"
    SLOW = "the server timed out"
    BROKEN = "an internal server error"
    UNKNOWN = "no reason given"


_CODES = {
    "insufficient_quota": Kind.CREDIT,
    "quota_exceeded": Kind.CREDIT,
    "insufficient_balance": Kind.CREDIT,
    "insufficient_credits": Kind.CREDIT,
    "billing_error": Kind.CREDIT,
    "billing_not_active": Kind.CREDIT,
    "billing_hard_limit_reached": Kind.CREDIT,
    "payment_required": Kind.CREDIT,
    "rate_limit_exceeded": Kind.RATE,
    "rate_limit_error": Kind.RATE,
    "rate_limit_reached": Kind.RATE,
    "rate_limited": Kind.RATE,
    "too_many_requests": Kind.RATE,
    "throttlingexception": Kind.RATE,
    "overloaded_error": Kind.OVERLOADED,
    "overloaded": Kind.OVERLOADED,
    "engine_overloaded_error": Kind.OVERLOADED,
    "invalid_api_key": Kind.KEY,
    "authentication_error": Kind.KEY,
    "unauthenticated": Kind.KEY,
    "model_not_found": Kind.NO_MODEL,
    "deploymentnotfound": Kind.NO_MODEL,
    "content_filter": Kind.FILTERED,
    "content_policy_violation": Kind.FILTERED,
    "data_inspection_failed": Kind.FILTERED,
    "datainspectionfailed": Kind.FILTERED,
    "tool_use_failed": Kind.BAD_CALL,
}
"""Codes that decide, whatever the status."""

_STATUS_OF = {
    "invalid_request_error": 400,
    "invalid_argument": 400,
    "failed_precondition": 400,
    "permission_error": 403,
    "permission_denied": 403,
    "not_found_error": 404,
    "not_found": 404,
    "timeout_error": 408,
    "deadline_exceeded": 408,
    "resource_exhausted": 429,
    "server_error": 500,
    "api_error": 500,
    "internal": 500,
    "internal_error": 500,
    "internal_server_error": 500,
    "unavailable": 503,
    "service_unavailable": 503,
}
"""Codes that stand for a status, used if there is no number."""

_KINDS = {
    401: Kind.KEY,
    402: Kind.CREDIT,
    403: Kind.FORBIDDEN,
    408: Kind.SLOW,
    429: Kind.RATE,
    504: Kind.SLOW,
}
_OVERLOADED = frozenset({503, 529, *range(520, 525)})

_WORDS = (
    (
        Kind.LOADING,
        {409, 425, 500, 503, None},
        # "error loading model" does not resolve itself
        r"^(?!.*\b(?:error|fail\w*|unable|cannot|could not)\b).*?(?:\bloading model\b|\bmodel\b[^.]{0,80}"
        r"\b(?:is|are) (?:still |currently )?(?:being loaded|loading|starting|warming up)"
        r"|(?:currently|still) loading|model not (?:yet )?(?:ready|loaded yet))",
    ),
    (
        Kind.MEMORY,
        {400, 500, 503, 507, None},
        r"out of memory|outofmemory|\bcuda\b|more system memory|(?:insufficient|not enough) (?:system |gpu )?"
        r"memory|failed to allocate|unable to allocate",
    ),
    (
        Kind.CREDIT,
        {400, 401, 403, 429, None},
        r"exceeded your current quota|insufficient (?:account )?(?:quota|balance|credits?|funds)"
        r"|balance is too low|credits? (?:balance )?(?:is |are )?(?:too low|used up|exhausted|depleted)"
        r"|(?:out of|not enough|requires? more|no|all available) credits?|spending limit|\bbilling\b"
        r"|payment required|have any credits|\barrear|欠费|余额不足",
    ),
    (
        Kind.KEY,
        {400, 403, None},
        r"api[ _]key (?:is )?(?:not valid|invalid|missing|expired)|(?:invalid|incorrect|missing) api[ _]key",
    ),
    (
        Kind.BAD_CALL,
        {400, 422, 500, None},
        r"tool call validation failed|failed to call a function|failed_generation"
        r"|pars\w+ (?:the )?tool[_ ]calls?\b(?! arguments)",
    ),
    (
        Kind.FILTERED,
        {400, 403, 422, 451, None},
        r"content[ _-]?(?:filter|policy|management policy|exists risk)|input was flagged|flagged (?:as|by|for)"
        r"|moderation|inappropriate content|safety (?:system|filter|reasons)|violat\w+ (?:our|the) (?:usage )?polic",
    ),
    (
        Kind.NO_MODEL,
        {400, 403, 404, 422, 500, 503, None},
        r"\b(?:models?|deployment)\b[^.]{0,160}?\b(?:not found|(?:does not|doesn't|not) exist|not available\b"
        r"|is not a valid|not a valid|is invalid|(?:has|have) been (?:deprecated|removed|decommissioned)"
        r"|no longer available)|(?:no such|unknown|invalid|unsupported|could not find|cannot find) (?:the )?model"
        r"|not a valid model|no models? (?:is |are )?loaded|no endpoints found for|no allowed providers"
        r"|^models?: \S+ *$|model is not (?:supported|loaded)|requested model\b[^.]{0,120}not supported",
    ),
    (
        Kind.OVERLOADED,
        {429, 500, 503, None},
        r"overloaded|(?:at|over|out of|no) (?:full )?capacity|server is busy|too busy",
    ),
    (
        Kind.NO_ADDRESS,
        {404, 405},
        r"^ *$|not (?:be )?found|no (?:matching )?route|(?:invalid|unknown|unrecognized|unexpected)"
        r"[^.]{0,20} (?:url|path|endpoint)|cannot (?:post|get) |method not allowed",
    ),
)
_PATTERNS = tuple((kind, statuses, re.compile(words)) for kind, statuses, words in _WORDS)


def of(complaint: Complaint) -> Kind:
    """Return the complaint's kind. A full context is not among them: see `overflow.py`."""
    by_code = next((_CODES[code] for code in complaint.codes if code in _CODES), None)
    if by_code is not None:
        return by_code
    words = complaint.words
    for kind, statuses, pattern in _PATTERNS:
        # Google also mentions billing when a minute's quota is used up, which passes.
        passes = kind is Kind.CREDIT and complaint.wait
        if complaint.status in statuses and not passes and pattern.search(words):
            return kind
    return _by_status(complaint)


def _by_status(complaint: Complaint) -> Kind:
    named = (_STATUS_OF[code] for code in complaint.codes if code in _STATUS_OF)
    status = complaint.status or next(named, None)
    if status is None:
        return Kind.UNKNOWN
    if status in _OVERLOADED:
        return Kind.OVERLOADED
    if status < 400:
        return Kind.MOVED
    return _KINDS.get(status) or (Kind.BROKEN if status >= 500 else Kind.REFUSED)
