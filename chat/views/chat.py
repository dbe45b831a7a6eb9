"""The page of a chat, and the messages that HTMX and the live transcript fetch again.

The live transcript itself comes over the socket.
"""

from __future__ import annotations

from uuid import UUID

from asgiref.sync import async_to_sync
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET

from chat import services, slash
from chat.access.owner import may_connect
from chat.display import long_messages, transcript
from chat.display.shown import BLANK
from chat.display.sidebar import sidebar_for
from chat.llm.catalogue.models import DEMO, get_catalogue
from chat.models import Conversation, Message, Suggestion
from chat.views import models
from chat.views.request import HtmxRequest, find_or_404


@never_cache
@gzip_page
@require_GET
def new_chat(request: HtmxRequest) -> HttpResponse:
    """Show an empty conversation, which is stored with its first message."""
    menu, default = async_to_sync(models.menu)()
    chosen = models.remembered(request)
    context = {
        "sidebar": sidebar_for(request.user, None),
        "blank": BLANK,
        "commands": slash.commands,
        "model": chosen or default,
        "chosen": chosen,
        "suggestions": Suggestion.objects.filter(is_shown=True),
        "is_first_run": [row.id for row in menu if row.available] == [DEMO] == [default]
        and may_connect(request.user)
        and not services.list_connected(),
    }
    return render(request, "chat/pages/chat.html", context)


@never_cache
@gzip_page
@require_GET
def conversation(request: HtmxRequest, conversation_id: UUID) -> HttpResponse:
    """Show a conversation, or with `?before=` or `?at=` an earlier stretch of it.

    HTMX gets only the messages.
    """
    found = find_or_404(request.user, conversation_id)
    earlier = _earlier(found, request)
    if found.unread and not earlier:
        services.mark_read(request.user, found.pk)
    stretch = earlier or transcript.latest(found)
    context = {"conversation": found, "stretch": stretch, "is_earlier": earlier is not None}
    if request.htmx:
        return render(request, "chat/message/messages.html", context)
    context["sidebar"] = sidebar_for(request.user, found)
    context["blank"] = BLANK
    context["commands"] = slash.commands
    context["model"] = found.model or async_to_sync(get_catalogue().default)()
    return render(request, "chat/pages/chat.html", context)


@never_cache
@require_GET
def message(request: HtmxRequest, conversation_id: UUID, message_id: UUID) -> HttpResponse:
    """Render one message for the live transcript: a finished answer replaces the streamed text."""
    found = find_or_404(request.user, conversation_id)
    shown = transcript.one(found, message_id)
    if shown is None:
        raise Http404
    return render(request, "chat/message/message.html", {"message": shown, "conversation": found})


@never_cache
@require_GET
def source(request: HtmxRequest, conversation_id: UUID, message_id: UUID) -> HttpResponse:
    """Return a message as it was written, for the clipboard, or one of its calls (`?call=`), or only
    the arguments of that call (`&part=arguments`)."""
    found = find_or_404(request.user, conversation_id)
    if call_id := request.GET.get("call"):
        written = long_messages.source_of_call(
            found, message_id, call_id, request.GET.get("part", "")
        )
    else:
        written = long_messages.source(found, message_id)
    if written is None:
        raise Http404
    return HttpResponse(written, content_type="text/plain; charset=utf-8")


@never_cache
@gzip_page
@require_GET
def more(request: HtmxRequest, conversation_id: UUID, message_id: UUID, what: str) -> HttpResponse:
    """Render more of a long message: its text or its calls, `?from=` a position in them."""
    found = find_or_404(request.user, conversation_id)
    begin = request.GET.get("from", "")
    if what not in ("text", "calls") or not begin.isdecimal() or len(begin) > 9:
        raise Http404
    read = long_messages.more_text if what == "text" else long_messages.more_calls
    piece = read(found, message_id, int(begin))
    if piece is None:
        raise Http404
    context = {"more": piece, "conversation": found, "message_id": message_id, "what": what}
    if request.htmx:
        return render(request, "chat/message/more.html", context)
    return render(
        request, "chat/pages/more.html", context | {"sidebar": sidebar_for(request.user, found)}
    )


def _earlier(found: Conversation, request: HtmxRequest) -> transcript.Stretch | None:
    """The stretch that the URL asks for, or None for the latest."""
    try:
        if before := request.GET.get("before"):
            return transcript.before(found, UUID(before))
        if at := request.GET.get("at"):
            return transcript.around(found, UUID(at))
    except (ValueError, Message.DoesNotExist):
        raise Http404 from None
    return None
