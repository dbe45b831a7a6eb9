"""Tool calls as clients see them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from django.db.models import Count
from django.db.models.functions import Substr

from chat.display.limits import CallShare, Limits, cut_text, share_of_calls
from chat.models import ToolCall
from chat.protocol import ToolCallView, arguments_object
from chat.protocol.sizes import SHOWN


def read_calls(
    ids: Collection[UUID], limits: Limits | None
) -> tuple[dict[UUID, list[ToolCall]], dict[UUID, int]]:
    """Read calls by message, or the first and last ones of too many, and count them.

    With `limits`, results are read only as far as they may be shown."""
    of_them = ToolCall.objects.filter(message__in=ids)
    counts = dict(of_them.order_by().values_list("message").annotate(Count("pk")))
    if limits is not None:
        of_them = of_them.defer("result").annotate(shown=Substr("result", 1, SHOWN))
    found: dict[int, ToolCall] = {}
    for pk, count in counts.items():
        if limits is None or count <= limits.calls:
            continue
        of_it = of_them.filter(message=pk)
        some = (
            of_it.order_by("pk")[: limits.calls // 2],
            of_it.order_by("-pk")[: limits.calls // 2],
            of_it.filter(status__in=ToolCall.OPEN).order_by("pk")[: limits.calls],
        )
        found |= {call.pk: call for part in some for call in part}
    few = [pk for pk, count in counts.items() if limits is None or count <= limits.calls]
    found |= {call.pk: call for call in of_them.filter(message__in=few)}
    by_message: defaultdict[UUID, list[ToolCall]] = defaultdict(list)
    for key in sorted(found):
        if limits is not None:
            found[key].result = found[key].shown  # type: ignore[attr-defined]  # annotated above
        by_message[found[key].message_id].append(found[key])
    return by_message, counts


def call_view(call: ToolCall, most: CallShare, limits: Limits | None) -> ToolCallView:
    """Make the view of a call, its texts cut. A person who has to decide gets all of its arguments."""
    is_open = call.status in ToolCall.OPEN
    is_whole = is_open and not (limits and limits.cuts_open)
    result = "" if is_open else call.result
    shown = cut_text(result, most.result)
    arguments, edited = (
        text if is_whole else cut_text(text, most.arguments)
        for text in (call.arguments, call.edited_arguments)
    )
    whole = (result, call.arguments, call.edited_arguments)
    return ToolCallView(
        call_id=call.call_id,
        name=call.name,
        arguments=arguments_object(arguments),
        status=call.status,
        content=None if is_open else shown,
        truncated=True if (shown, arguments, edited) != whole else None,
        is_error=call.is_error,
        offset=call.offset,
        edited_arguments=arguments_object(edited) if edited else None,
        seconds=_seconds(call),
    )


def call_views(calls: Collection[ToolCall], limits: Limits) -> tuple[ToolCallView, ...]:
    """Make the views of some calls of one message."""
    most = share_of_calls(calls, limits)
    return tuple(call_view(call, most, limits) for call in calls)


def _seconds(call: ToolCall) -> float | None:
    if call.started_at is None or call.ended_at is None:
        return None
    return max(0.0, round((call.ended_at - call.started_at).total_seconds(), 3))
