"""Template tags and filters of the admin."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.timesince import TIME_STRINGS, timesince

from chat.admin.overview import Overview, overview

_LENGTHS = {**TIME_STRINGS, "minute": "%(num)d min"}

register = template.Library()


@register.simple_tag(name="overview")
def current_overview() -> Overview:
    """The numbers of the start page."""
    return overview()


@register.filter
def grouped(number: int) -> str:
    """Format `12,345`; empty for 0."""
    return f"{number:,}" if number else ""


@register.filter
def dollars(cost: Decimal | None) -> str:
    """Format a price; empty if unknown."""
    return "" if cost is None else f"${cost:,.4f}"


@register.filter
def ago(moment: datetime) -> str:
    """Format `9 min ago`, `3 days ago`, or `just now` within a minute."""
    if timezone.now() - moment < timedelta(minutes=1):
        return "just now"
    return f"{timesince(moment, depth=1, time_strings=_LENGTHS)} ago"
