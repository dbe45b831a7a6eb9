"""What the admin's own templates need beyond Django's tags."""

from __future__ import annotations

from decimal import Decimal

from django import template

from chat.admin.overview import Overview, overview

register = template.Library()


@register.simple_tag(name="overview")
def of_now() -> Overview:
    """What is running, what waits, what failed, how much was used."""
    return overview()


@register.filter
def grouped(number: int) -> str:
    """`12,345`; nothing for 0."""
    return f"{number:,}" if number else ""


@register.filter
def dollars(cost: Decimal | None) -> str:
    """Nothing where the price is not known."""
    return "" if cost is None else f"${cost:,.4f}"
