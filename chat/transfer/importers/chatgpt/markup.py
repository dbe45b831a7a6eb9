"""Putting words of the export into Markdown, whatever characters they contain."""

from __future__ import annotations

import re
from urllib.parse import quote

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_MARKUP = re.compile(r"[\\`*\[\]<>|~]|(?<!\w)_|_(?!\w)|&(?=[#\w])")
_URL = re.compile(r"(?i)https?://[^\s/?#]+")
_ENDING = re.compile(r"[\s\0-\x1f\x7f()<>\\\"`|*]")
"""Characters that could end a link's address or be read as Markdown in it."""
_MAX_URL = 4000
_LANGUAGE = re.compile(r"[A-Za-z0-9+#.-]{1,30}")
_NO_LANGUAGE = {"unknown", "text", "plaintext"}


def replace_unstorable(text: str) -> str:
    """Replace what no database stores: NUL, and halves of characters."""
    if text.isascii():
        return text.replace("\0", "\ufffd")
    return _UNSTORABLE.sub("\ufffd", text)


def line(text: str, limit: int = 200) -> str:
    """Return a text as one line of printable characters."""
    text = " ".join(replace_unstorable(text[: 4 * limit]).split())[:limit]
    return "".join(one if one.isprintable() else "\ufffd" for one in text)


def escape(text: str) -> str:
    """Escape a text for a line of Markdown."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(replace_unstorable(text).split()))


def is_url(text: str) -> bool:
    """Whether it is an address that may become a link."""
    return len(text) <= _MAX_URL and _URL.match(text.strip()) is not None


def link(title: str, url: str) -> str:
    """Return a link, or only the title if the address may not become one."""
    if not is_url(url):
        return escape(title)
    address = _ENDING.sub(lambda found: quote(found[0], safe=""), replace_unstorable(url.strip()))
    return f"[{escape(title) or escape(host(url))}]({address})"


def host(url: str) -> str:
    return url.strip().split("/", 3)[2]


def not_brought_in(kind: str, words: str) -> str:
    """Return the text in place of web images that an answer shows."""
    return f"*({': '.join(filter(None, [kind, words]))}: not brought in)*"


def fence_code(text: str, language: str = "") -> str:
    """Return a code block with a fence longer than any in the text."""
    fence = "`" * max(max(map(len, re.findall("`+", text)), default=0) + 1, 3)
    is_known = _LANGUAGE.fullmatch(language) and language.lower() not in _NO_LANGUAGE
    return f"{fence}{language if is_known else ''}\n{text}\n{fence}"
