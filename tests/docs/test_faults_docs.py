"""docs/faults.md names exactly the faults that are tested."""

from __future__ import annotations

import re

from django.conf import settings

FOLDER = settings.BASE_DIR / "tests" / "chaos"


def test_the_table_has_a_row_for_each_test() -> None:
    table = (settings.BASE_DIR / "docs" / "faults.md").read_text()
    listed = re.findall(r"`(test_\w+\.py)::(test_\w+)`", table)
    tried = [
        (file.name, name)
        for file in FOLDER.glob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.MULTILINE)
    ]
    assert sorted(listed) == sorted(tried)
