"""Lists of chats, and the actions on a whole chat: find, rename, pin, archive, delete.

Each is a page with links and forms; dialogs and menus fetch only a part of it over HTMX. The target
element of a request tells which part.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import escape
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect, retarget, trigger_client_event

from chat import services
from chat.display import chat_list
from chat.display.sidebar import sidebar_for
from chat.errors import NotAllowed
from chat.models import Conversation
from chat.views.request import HtmxRequest, current_conversation, find_or_404, meant_conversation

_PARTS = {
    "dialog": "chat/lists/chats.html",
    "results": "chat/lists/results.html",
    "more": "chat/lists/rows.html",
}


@never_cache
@require_GET
def sidebar(request: HtmxRequest) -> HttpResponse:
    """Render the sidebar after something in it changed."""
    return _sidebar(request, current_conversation(request))


@never_cache
@gzip_page
@require_GET
def history(request: HtmxRequest) -> HttpResponse:
    """List all conversations, latest first, or those that contain the words of `?q=`."""
    asked = chat_list.Asked(
        query=request.GET.get("q", ""),
        archived="archived" in request.GET,
        after=request.GET.get("after", ""),
    )
    try:
        found = chat_list.listing(request.user, asked)
    except chat_list.NoSuchPlace:
        raise Http404 from None
    context = {
        "listing": found,
        "asked": asked,
        "current": current_conversation(request),
        "sidebar": sidebar_for(request.user, None),
    }
    return render(request, _PARTS.get(request.htmx.target or "", "chat/pages/chats.html"), context)


@never_cache
@require_GET
def row(request: HtmxRequest, conversation_id: UUID) -> HttpResponse:
    """Render a conversation's row in the history, after its renaming was cancelled."""
    return _row(request, find_or_404(request.user, conversation_id))


@never_cache
@require_GET
def menu(request: HtmxRequest, conversation_id: UUID | None = None) -> HttpResponse:
    """Show the menu of a conversation."""
    found = meant_conversation(request, conversation_id)
    if found is None:
        raise Http404
    return _part_or_page(request, found, "menu", is_row=request.htmx.target == "row-actions")


@never_cache
@require_http_methods(["GET", "POST"])
def rename(request: HtmxRequest, conversation_id: UUID) -> HttpResponse:
    """Ask for a conversation's title, and set it."""
    found = find_or_404(request.user, conversation_id)
    is_row = request.htmx.target == f"chat-{found.pk}"
    if request.method == "GET":
        return _part_or_page(request, found, "rename", is_row=is_row)
    title = request.POST.get("title", "")
    try:
        services.entitle(request.user, found.pk, title)
    except NotAllowed as error:
        again = {"title": title, "complaint": error.message}
        answer = _part_or_page(request, found, "rename", is_row=is_row, **again)
        return answer if is_row else retarget(answer, "#question")
    found.refresh_from_db()
    if not request.htmx:
        return redirect(found)
    if is_row:
        return _row(request, found)
    return trigger_client_event(HttpResponse(escape(found)), "dialog-done")


@require_POST
def mark(request: HtmxRequest, conversation_id: UUID) -> HttpResponse:
    """Pin or unpin, archive or unarchive a conversation."""
    found = find_or_404(request.user, conversation_id)
    if "pinned" in request.POST:
        services.pin(request.user, found.pk, pinned=request.POST["pinned"] == "yes")
    if "archived" in request.POST:
        services.archive(request.user, found.pk, archived=request.POST["archived"] == "yes")
    found.refresh_from_db()
    if not request.htmx:
        return redirect(found)
    is_row = request.htmx.target == f"chat-{found.pk}"
    answer = (
        _row(request, found)
        if is_row
        else render(request, "chat/lists/tags.html", {"conversation": found})
    )
    return trigger_client_event(answer, "sidebar-changed")


@never_cache
@require_http_methods(["GET", "POST"])
def delete(request: HtmxRequest, conversation_id: UUID) -> HttpResponse:
    """Ask for confirmation, naming the conversation, then delete or archive it."""
    found = find_or_404(request.user, conversation_id)
    if request.method == "POST":
        return (_archive if "archive" in request.POST else _delete)(request, found)
    return _part_or_page(request, found, "delete")


def _archive(request: HtmxRequest, found: Conversation) -> HttpResponse:
    """Archive the conversation instead of deleting it."""
    services.archive(request.user, found.pk, archived=True)
    if not request.htmx:
        return redirect(found)
    hidden = {"id": str(found.pk)}
    answer = _sidebar(request, current_conversation(request))
    return trigger_client_event(answer, "chat-archived", hidden, after="swap")


def _delete(request: HtmxRequest, found: Conversation) -> HttpResponse:
    current = current_conversation(request)
    services.delete(request.user, found.pk)
    if not request.htmx:
        return redirect("chat:new_chat")
    if current is not None and current.pk == found.pk:
        return HttpResponseClientRedirect("/")
    gone = {"id": str(found.pk)}
    return trigger_client_event(_sidebar(request, current), "chat-deleted", gone, after="swap")


def _sidebar(request: HtmxRequest, current: Conversation | None) -> HttpResponse:
    """Render the sidebar from the database, also in response to a form: never patched."""
    context = {"sidebar": sidebar_for(request.user, current)}
    return render(request, "chat/lists/sidebar.html", context)


def _row(request: HtmxRequest, found: Conversation) -> HttpResponse:
    """Render a row, with the focus that the replaced element had."""
    context = {
        "row": chat_list.one(found),
        "current": current_conversation(request),
        "has_focus": True,
    }
    return render(request, "chat/lists/row.html", context)


def _part_or_page(
    request: HtmxRequest, found: Conversation, name: str, **context: Any
) -> HttpResponse:
    context |= {"conversation": found, "sidebar": sidebar_for(request.user, found)}
    folder = "dialogs" if request.htmx else "pages"
    return render(request, f"chat/{folder}/{name}.html", context)
