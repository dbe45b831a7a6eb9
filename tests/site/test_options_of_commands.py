"""An invalid option is explained in a sentence, never with a traceback."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db

NO_UTF8 = "\udcff"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("approvals", "--conversation", "abc"), "not a conversation's id"),
        (("approvals", "approve", "x", "--conversation", ""), "not a conversation's id"),
        (("approvals", "approve", NO_UTF8), "No pending call"),
        (("export_history", "--user", NO_UTF8), "no user"),
        (("export_history", "--since", "0001-01-01T00:00+14:00"), "is not a date"),
        (("export_history", "--output", NO_UTF8), "is not a path"),
        (("export_history", "--output", "x" * 300), "is not a path"),
        (("import_history", "--user", NO_UTF8, "/dev/null"), "no user"),
        (("prune_history", "--older-than", "1d", "--user", NO_UTF8), "no user"),
        (("serve", "--port", "99999"), "not a port"),
        (("serve", "--port=-1"), "not a port"),
    ],
)
def test_a_wrong_option_is_explained(arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command(*arguments)
