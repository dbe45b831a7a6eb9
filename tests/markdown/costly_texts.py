"""Texts that take third-party code far longer than their length suggests, by kind."""

from __future__ import annotations

from collections.abc import Iterator

FENCE = "Before *it*.\n\n```easytrieve\n" + "\t" * 2000 + "\n```\n\nAfter *it*.\n"
"""Cubic in Pygments."""

COSTLY: dict[str, str] = {
    "a fence": FENCE,
    "a fence, longer than is highlighted well": f"```easytrieve\n{chr(9) * 50_000}\n```\n",
    "many fences": FENCE * 40,
    "colons": ":" * 100_000,
    "definitions": "[a]:\n" * 40_000,
    "brackets": "[" * 100_000,
    "task lists": "- [ ] " * 30_000,
    "tasks": "- [ ]\n" * 30_000,
    "addresses": "xmpp:" * 40_000,
    "images": "![a](b)" * 25_000,
    "emphasis": "*a **b " * 25_000,
    "quotations": "> " * 50_000 + "\n",
    "a table": "|" + "a|" * 500 + "\n|" + "-|" * 500 + "\n" + "|" * 90_000,
}


def in_all_languages(length: int) -> Iterator[tuple[str, str]]:
    """Yield the name of each language that Pygments knows, and code of that many characters."""
    from pygments.lexers import get_all_lexers

    units = ("\t", " ", "(", "{", "<", '"', "\\", "a", "/*", "0.", "\n")
    for number, (_, aliases, *_rest) in enumerate(get_all_lexers(plugins=False)):
        if aliases:
            unit = units[number % len(units)]
            yield aliases[0], (unit * length)[:length]
