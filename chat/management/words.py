"""Numbers and times, as commands print them."""

from __future__ import annotations

from datetime import datetime

from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import date_format


def number(of: int, what: str) -> str:
    """`1 message`, `2,000 messages`."""
    return f"{of:,} {what}{'' if of == 1 else 's'}"


def megabytes(size: int) -> str:
    return filesizeformat(size).replace("\xa0", " ")


def day(at: datetime) -> str:
    return date_format(timezone.localtime(at), "j M Y")


def moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "j M Y, H:i")
