"""Makes a server's words safe to show and log: plain text without our keys and addresses.

Everything here is linear in the text, which may come from a hostile server.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from chat.llm.text import storable

LONGEST = 2_000
"""Code points to keep of a server's words."""
_MAX_READ = 4 * LONGEST  # more than is kept, so that no secret is cut in two before it is found
_SHORTEST = 4  # characters: anything shorter is no secret, and part of many words
_LONGER_THAN_WORDS = 16  # characters: anything as long is neither a word nor part of one
_GAP = "…"

# Control characters, and marks that change the direction of text.
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
_HIDDEN_END = re.compile(r"</(?:script|style)[^<>]*>", re.IGNORECASE)
_TITLE = re.compile(r"<title[^<>]*>([^<]+)", re.IGNORECASE)


def plain(text: str) -> str:
    """Return one line of printable text, without anything that looks like a key.

    It may be longer than `LONGEST`: `Secrets.redact` shortens it after removing known secrets.
    """
    text = " ".join(_UNPRINTABLE.sub(" ", storable(text[: 4 * _MAX_READ])).split())
    if len(text) > _MAX_READ:
        text = text[:_MAX_READ]
        text = text.rpartition(" ")[0] or text
    text = _BEARER.sub(rf"\1{_GAP}", _PARAMETER.sub(rf"\1{_GAP}", text))
    return _USERINFO.sub(f"{_GAP}@", _KEY.sub(_GAP, text))


def text_of_page(html: str) -> str:
    """Return a web page's title, or its text if it has none."""
    if (found := _TITLE.search(html)) and (title := plain(found[1])):
        return title
    first, *rest = _HIDDEN_ELEMENT.split(html)
    shown = [first]
    for part in rest:
        end = _HIDDEN_END.search(part)
        shown.append(part[end.end() :] if end else "")
    return plain(_TAG.sub(" ", " ".join(shown)))


class Secrets:
    """One client's own key and address."""

    def __init__(self, base_url: str | None, *keys: str | None) -> None:
        values = {*filter(None, keys), *_parts(base_url or "")}
        longest_first = sorted(values, key=len, reverse=True)
        # Match a secret that may be a word only as a whole word, not inside others.
        alternatives = (
            re.escape(v) if len(v) >= _LONGER_THAN_WORDS else rf"(?<!\w){re.escape(v)}(?!\w)"
            for v in longest_first
            if len(v) >= _SHORTEST
        )
        pattern = "|".join(alternatives) or r"(?!)"
        self._pattern = re.compile(pattern, re.IGNORECASE)

    def redact(self, text: str) -> str:
        """Return the text without the secrets, at most `LONGEST` code points long."""
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
    # A host without a dot is a word ("ollama"), which alone reveals nothing.
    return given | ({host} if "." in host or ":" in host else set())
