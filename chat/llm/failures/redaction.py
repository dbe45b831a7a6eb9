"""Words of others made fit to show and to log: plain text, without keys and addresses of ours.

Everything here is linear in the text, which may be a hostile server's.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from chat.llm.text import clean

LONGEST = 2_000
"""Code points of a server's words that are kept."""
_LOOKED_AT = 4 * LONGEST  # more than is kept, so that no secret is cut in two before it is seen
_SHORTEST = 4  # characters: what is shorter is no secret, and part of every other word
_NO_WORD = 16  # what is as long is no word, and no part of one
_GAP = "…"

# Controls, and what turns the direction of a text.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_KEY = re.compile(
    r"\b(?:(?:sk|pk|rk|xai|pplx|nvapi|csk|fw|tgp)[-_][\w.*-]{8,}|(?:gsk|hf|r8)_[\w*-]{8,}"
    r"|AIza[\w*-]{10,}|ya29\.[\w*.-]{8,}|AKIA[0-9A-Z]{12,}|eyJ[\w.-]{20,})"
)
_BEARER = re.compile(r"\b(Bearer\s+)[\w.~+/=*-]{12,}", re.IGNORECASE)
_PARAMETER = re.compile(
    r"([?&](?:api[-_]?key|key|token|access_token|signature|sig)=)[^\s&\"'<>]+", re.IGNORECASE
)
_USERINFO = re.compile(r"(?<=://)[^/\s@]+@")
_TAG = re.compile(r"<[^>]*>?")
_HIDDEN_ELEMENT = re.compile(r"<(?:script|style)\b", re.IGNORECASE)
_ITS_END = re.compile(r"</(?:script|style)[^<>]*>", re.IGNORECASE)
_TITLE = re.compile(r"<title[^<>]*>([^<]+)", re.IGNORECASE)


def plain(text: str) -> str:
    """One line of printable text, without what looks like a key.

    It is longer than what is kept: `Secrets.out_of` shortens it, once the rest is taken out.
    """
    text = " ".join(_UNPRINTABLE.sub(" ", clean(text[: 4 * _LOOKED_AT])).split())
    if len(text) > _LOOKED_AT:
        text = text[:_LOOKED_AT]
        text = text.rpartition(" ")[0] or text
    text = _BEARER.sub(rf"\1{_GAP}", _PARAMETER.sub(rf"\1{_GAP}", text))
    return _USERINFO.sub(f"{_GAP}@", _KEY.sub(_GAP, text))


def of_page(html: str) -> str:
    """A web page's title, else its text."""
    if (found := _TITLE.search(html)) and (title := plain(found[1])):
        return title
    first, *rest = _HIDDEN_ELEMENT.split(html)
    shown = [first]
    for part in rest:
        end = _ITS_END.search(part)
        shown.append(part[end.end() :] if end else "")
    return plain(_TAG.sub(" ", " ".join(shown)))


class Secrets:
    """One client's own key and address."""

    def __init__(self, base_url: str | None, *keys: str | None) -> None:
        values = {*filter(None, keys), *_parts(base_url or "")}
        longest_first = sorted(values, key=len, reverse=True)
        # Whole words only, where it may be one: a plain word must not tear others apart.
        alternatives = (
            re.escape(v) if len(v) >= _NO_WORD else rf"(?<!\w){re.escape(v)}(?!\w)"
            for v in longest_first
            if len(v) >= _SHORTEST
        )
        pattern = "|".join(alternatives) or r"(?!)"
        self._pattern = re.compile(pattern, re.IGNORECASE)

    def out_of(self, text: str) -> str:
        """A text without them, of at most `LONGEST` code points."""
        text = self._pattern.sub(_GAP, text)
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + _GAP


def _parts(url: str) -> set[str]:
    try:
        address = urlsplit(url)
        user, password, host = address.username, address.password, address.hostname or ""
    except ValueError:
        return {url}
    given = {url, url.rstrip("/"), address.netloc, address.netloc.rpartition("@")[2]}
    for name in (user, password):
        given |= {name, unquote(name)} if name else set()
    # A host without a dot is a word ("ollama"): alone it tells nothing.
    return given | ({host} if "." in host or ":" in host else set())
