"""Code with a class on each word that its language knows."""

from __future__ import annotations

import functools
from collections.abc import Callable

from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class, get_all_lexers

MAX_HIGHLIGHTED = 50_000
"""Characters of one code block."""

Highlight = Callable[[str, str], str]
"""Makes HTML of code and the name of its language."""


def lexer_of(language: str, code: str) -> Lexer | None:
    """None: the code is shown as it is. The first time, a language's rules are compiled."""
    name = _names().get(language.lower())
    if name is None or len(code) > MAX_HIGHLIGHTED:
        return None
    found = find_lexer_class(name)
    return None if found is None else found(stripnl=False, ensurenl=False)


def lit(code: str, lexer: Lexer) -> str:
    return highlight(code, lexer, HtmlFormatter(nowrap=True))


@functools.cache
def _names() -> dict[str, str]:
    """The languages by what they are called in a fence. Pygments would look through everything that
    is installed for one that it does not know."""
    return {
        alias.lower(): name
        for name, aliases, *_ in get_all_lexers(plugins=False)
        for alias in aliases
    }
