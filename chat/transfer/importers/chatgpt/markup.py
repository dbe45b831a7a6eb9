"""Words of the export put into Markdown: whatever they hold, they stay words."""

from __future__ import annotations

import re
from urllib.parse import quote

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_MARKUP = re.compile(r"[\\`*\[\]<>|~]|(?<!\w)_|_(?!\w)|&(?=[#\w])")
_URL = re.compile(r"(?i)https?://[^\s/?#]+")
_ENDING = re.compile(r"[\s\0-\x1f\x7f()<>\\\"`|*]")
"""What could end a link's address, or be taken for Markdown in it."""
_MAX_URL = 4000
_LANGUAGE = re.compile(r"[A-Za-z0-9+#.-]{1,30}")
_NO_LANGUAGE = {"unknown", "text", "plaintext"}


def storable(text: str) -> str:
    """Without what no database stores: NUL, and halves of characters."""
    if text.isascii():
        return text.replace("\0", "\ufffd")
    return _UNSTORABLE.sub("\ufffd", text)


def line(text: str, limit: int = 200) -> str:
    """As one line, of characters that can be shown."""
    text = " ".join(storable(text[: 4 * limit]).split())[:limit]
    return "".join(one if one.isprintable() else "\ufffd" for one in text)


def escaped(text: str) -> str:
    """As words in a line of Markdown."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(storable(text).split()))


def is_url(text: str) -> bool:
    """Whether it is an address that may be a link."""
    return len(text) <= _MAX_URL and _URL.match(text.strip()) is not None


def link(title: str, url: str) -> str:
    """A link; only the title, where the address is none that may be one."""
    if not is_url(url):
        return escaped(title)
    address = _ENDING.sub(lambda found: quote(found[0], safe=""), storable(url.strip()))
    return f"[{escaped(title) or escaped(host(url))}]({address})"


def host(url: str) -> str:
    return url.strip().split("/", 3)[2]


def not_brought_in(kind: str, words: str) -> str:
    """What stands for images of the web that an answer shows."""
    return f"*({': '.join(filter(None, [kind, words]))}: not brought in)*"


def fenced(text: str, language: str = "") -> str:
    """A code block that nothing in it can end."""
    fence = "`" * max(max(map(len, re.findall("`+", text)), default=0) + 1, 3)
    is_known = _LANGUAGE.fullmatch(language) and language.lower() not in _NO_LANGUAGE
    return f"{fence}{language if is_known else ''}\n{text}\n{fence}"
