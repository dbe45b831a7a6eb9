"""docs/reference.md matches the code."""

from __future__ import annotations

from chat.management.commands.reference import FILE, reference


def test_the_page_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == reference(), "run: python manage.py reference"


def test_everything_says_what_it_is() -> None:
    for line in reference().splitlines():
        if line.startswith(("| `/", "| `c/")):
            assert line.split("|")[2].strip(), line
