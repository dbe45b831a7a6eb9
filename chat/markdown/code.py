"""Highlights code: puts a class on each word that its language knows."""

from __future__ import annotations

import functools
from collections.abc import Callable

from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class, get_all_lexers

MAX_HIGHLIGHTED = 50_000
"""Most characters of one code block."""

Highlight = Callable[[str, str], str]
"""A function that turns code and the name of its language into HTML."""


def lexer_of(language: str, code: str) -> Lexer | None:
    """Find a lexer; None: the code is shown as plain text. The first use compiles a language's rules."""
    name = _names().get(language.lower())
    if name is None or len(code) > MAX_HIGHLIGHTED:
        return None
    found = find_lexer_class(name)
    return None if found is None else found(stripnl=False, ensurenl=False)


def highlight_code(code: str, lexer: Lexer) -> str:
    return highlight(code, lexer, HtmlFormatter(nowrap=True))


@functools.cache
def _names() -> dict[str, str]:
    """Return the languages by their names in a fence. Pygments would search all installed packages for
    an unknown one."""
    return {
        alias.lower(): name
        for name, aliases, *_ in get_all_lexers(plugins=False)
        for alias in aliases
    }
