"""Running `prune_history`, and the conversations that remain."""

from __future__ import annotations

import io
from collections.abc import Iterable

from django.core.management import call_command

from chat.models import Conversation

ALL_OLD = ("--older-than=90d",)


def prune(*arguments: str) -> str:
    out = io.StringIO()
    call_command("prune_history", *arguments, stdout=out)
    return out.getvalue()


def left() -> set[str]:
    return set(Conversation.objects.values_list("title", flat=True))


def titled(made: Iterable[Conversation], title: str) -> None:
    Conversation.objects.filter(pk__in=[c.pk for c in made]).update(title=title)
