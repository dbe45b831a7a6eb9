"""Choosing a model: for a chat, and for the chats that this browser starts next.

An empty chat has no row to keep a model in, so its page sends the choice with the first message.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from urllib.parse import quote, unquote
from uuid import UUID

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_htmx.http import reswap, retarget, trigger_client_event

from chat import services
from chat.display.sidebar import sidebar_for
from chat.errors import TalosError
from chat.llm.catalogue import connectable
from chat.llm.catalogue.models import Model, get_catalogue
from chat.models import Conversation
from chat.views.appearance import YEAR
from chat.views.forms import ModelForm
from chat.views.request import HtmxRequest, meant_conversation

MODEL_COOKIE = "talos_model"
FILTERED_FROM = 9
"""Menus with this many models have a filter field."""
SHOWN = 200
"""Models that a menu shows at once; the filter finds the others."""
_PROVIDERS = {**connectable.NAMES, "openai": "OpenAI or compatible", "talos": "Built in"}


@never_cache
@require_http_methods(["GET", "POST"])
def model(request: HtmxRequest, conversation_id: UUID | None = None) -> HttpResponse:
    """Show the menu of models; set the chosen one for the conversation and for new ones."""
    found = meant_conversation(request, conversation_id)
    if request.method == "GET":
        return _render_menu(request, found)
    form = ModelForm(request.POST)
    if not form.is_valid():
        complaint = " ".join(map(str, form.errors["model"]))
        return retarget(reswap(_render_menu(request, found, complaint), "innerHTML"), "#dialog")
    chosen = form.cleaned_data["model"]
    if found is not None:
        services.configure(request.user, found.pk, model=chosen)
    answer = _chosen(request, found, chosen)
    answer.set_cookie(MODEL_COOKIE, quote(chosen), max_age=YEAR, samesite="Lax", httponly=True)
    return answer


def _chosen(request: HtmxRequest, found: Conversation | None, model: str) -> HttpResponse:
    if not request.htmx:
        return redirect(found or "chat:new_chat")
    answer = render(request, "chat/dialogs/model_name.html", {"model": model})
    if found is None:
        trigger_client_event(answer, "model-kept", {"model": model})
    return trigger_client_event(answer, "dialog-done")


def remembered(request: HtmxRequest) -> str:
    """The model that this browser chose last; empty if it is no longer offered.

    A server that is briefly away does not change the choice.
    """
    chosen = unquote(request.COOKIES.get(MODEL_COOKIE, ""))
    try:
        return async_to_sync(get_catalogue().resolve)(chosen).id if chosen else ""
    except TalosError:
        return ""


def _render_menu(
    request: HtmxRequest, found: Conversation | None, complaint: str = ""
) -> HttpResponse:
    rows, default = async_to_sync(menu)()
    current = (found and found.model) or request.GET.get("chosen") or default
    sought = request.GET.get("filter", "")
    matching = [row for row in rows if _matches(row, sought)]
    shown = [row for at, row in enumerate(matching) if at < SHOWN or row.id == current]
    context = {
        "conversation": found,
        "groups": _groups(shown),
        "more": len(matching) - len(shown),
        "current": current,
        "chosen": request.GET.get("chosen", ""),
        "filter": sought,
        "is_long": len(rows) >= FILTERED_FROM,
        "is_cut": len(rows) > SHOWN,
        "complaint": complaint,
        "again": request.GET.get("again"),
        "sidebar": sidebar_for(request.user, found),
    }
    template = "chat/dialogs/models.html" if request.htmx else "chat/pages/models.html"
    return render(request, template, context)


def _matches(model: Model, sought: str) -> bool:
    """Whether a model contains every word. `model_picker.js` does the same for the shown ones."""
    text = f"{model.id} {model.name} {model.reason or ''}".lower()
    return all(word in text for word in sought.lower().split())


def _groups(models: Iterable[Model]) -> list[tuple[str, list[tuple[int, Model]]]]:
    """Group the menu by provider, in the catalogue's order; each row is numbered for its id."""
    groups: dict[str, list[tuple[int, Model]]] = {}
    numbers = count()
    for row in models:
        name = _PROVIDERS.get(row.provider, row.provider.capitalize())
        groups.setdefault(name, []).append((next(numbers), row))
    return list(groups.items())


async def menu() -> tuple[list[Model], str]:
    """Return the menu of models, and the id of the default one."""
    catalogue = get_catalogue()
    return await catalogue.models(), await catalogue.default()
