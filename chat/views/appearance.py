"""The appearance of the page: the theme, the sidebar, the list of shortcuts.

Each browser keeps its choices in cookies. The server renders them into the page, so that nothing
flashes and no script has to run first.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from chat.display.sidebar import sidebar_for
from chat.views.request import HtmxRequest, current_conversation, page_path

THEMES = ("system", "light", "dark")
THEME_COOKIE = "talos_theme"
SIDEBAR_COOKIE = "talos_sidebar"
"""Set by the page's script: `hidden`, or absent."""
YEAR = 365 * 24 * 60 * 60
"""Seconds."""


def appearance(request: HtmxRequest) -> dict[str, object]:
    """Context for every template: this browser's choices, and whether its page is the history."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    return {
        "is_history_page": page_path(request).partition("?")[0] == reverse("chat:chats"),
        "theme": chosen if chosen in THEMES else "system",
        "is_sidebar_hidden": request.COOKIES.get(SIDEBAR_COOKIE) == "hidden",
    }


@require_POST
def theme(request: HtmxRequest) -> HttpResponse:
    """Keep the chosen theme in this browser."""
    chosen = request.POST.get("theme", "")
    if chosen not in THEMES:
        chosen = "system"
    answer = HttpResponse() if request.htmx else redirect("chat:prefer")
    answer.set_cookie(THEME_COOKIE, chosen, max_age=YEAR, samesite="Lax", httponly=True)
    return trigger_client_event(answer, "theme-chosen", {"theme": chosen})


@never_cache
@require_GET
def shortcuts(request: HtmxRequest) -> HttpResponse:
    """List the keyboard shortcuts."""
    context = {"sidebar": sidebar_for(request.user, current_conversation(request))}
    template = "chat/dialogs/shortcuts.html" if request.htmx else "chat/pages/shortcuts.html"
    return render(request, template, context)
