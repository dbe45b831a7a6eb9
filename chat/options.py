"""What answers, and how: the model picker and the settings.

Forms in the page's dialog, and pages of their own without JavaScript. A chat that is still empty
has no row to keep a model in: its page sends the choice with the first message. The browser
remembers the last choice, with which its next chats begin.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any
from urllib.parse import quote, unquote
from uuid import UUID

from asgiref.sync import async_to_sync
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_htmx.http import reswap, retarget, trigger_client_event

from chat import pages, services, usage
from chat.access import may_connect
from chat.errors import TalosError
from chat.forms import ConversationForm, ModelForm, PromptForm
from chat.llm import connectable
from chat.llm.catalogue import Model, get_catalogue
from chat.look import YEAR
from chat.models import Conversation, Preference
from chat.models.records import offers_tools
from chat.pages import HtmxRequest

MODEL_COOKIE = "talos_model"
FILTERED_FROM = 9
"""A menu of so many models has a field to filter them."""
SHOWN = 200
"""Models that a menu shows at once: of more, those that are looked for."""
_PROVIDERS = {**connectable.NAMES, "openai": "OpenAI or compatible", "talos": "Built in"}


@never_cache
@require_http_methods(["GET", "POST"])
def model(request: HtmxRequest, conversation_id: UUID | None = None) -> HttpResponse:
    """The menu of models; then the chosen one is the conversation's, and that of new ones."""
    found = pages.meant(request, conversation_id)
    if request.method == "GET":
        return _menu(request, found)
    form = ModelForm(request.POST)
    if not form.is_valid():
        complaint = " ".join(map(str, form.errors["model"]))
        return retarget(reswap(_menu(request, found, complaint), "innerHTML"), "#dialog")
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
    """The model that this browser chose last, if it is still offered; else empty.

    A server that is away for a moment changes nothing of the choice.
    """
    chosen = unquote(request.COOKIES.get(MODEL_COOKIE, ""))
    try:
        return async_to_sync(get_catalogue().resolve)(chosen).id if chosen else ""
    except TalosError:
        return ""


def _menu(request: HtmxRequest, found: Conversation | None, complaint: str = "") -> HttpResponse:
    models, default = async_to_sync(_offer)()
    current = (found and found.model) or request.GET.get("chosen") or default
    sought = request.GET.get("filter", "")
    matching = [row for row in models if _matches(row, sought)]
    shown = [row for at, row in enumerate(matching) if at < SHOWN or row.id == current]
    context = {
        "conversation": found,
        "groups": _groups(shown),
        "more": len(matching) - len(shown),
        "current": current,
        "chosen": request.GET.get("chosen", ""),
        "filter": sought,
        "is_long": len(models) >= FILTERED_FROM,
        "is_cut": len(models) > SHOWN,
        "complaint": complaint,
        "again": request.GET.get("again"),
        "sidebar": pages.sidebar(request.user, found),
    }
    template = "chat/dialogs/models.html" if request.htmx else "chat/pages/models.html"
    return render(request, template, context)


def _matches(model: Model, sought: str) -> bool:
    """Every word is in it. `model_picker.js` does the same with what is shown."""
    text = f"{model.id} {model.name} {model.reason or ''}".lower()
    return all(word in text for word in sought.lower().split())


def _groups(models: Iterable[Model]) -> list[tuple[str, list[tuple[int, Model]]]]:
    """The menu by provider, in the catalogue's order; each row with a number for its id."""
    groups: dict[str, list[tuple[int, Model]]] = {}
    numbers = count()
    for row in models:
        name = _PROVIDERS.get(row.provider, row.provider.capitalize())
        groups.setdefault(name, []).append((next(numbers), row))
    return list(groups.items())


async def _offer() -> tuple[list[Model], str]:
    catalogue = get_catalogue()
    return await catalogue.models(), await catalogue.default()


@never_cache
@require_http_methods(["GET", "POST"])
def configure(request: HtmxRequest, conversation_id: UUID) -> HttpResponse:
    """What this conversation asks of its model."""
    found = pages.find(request.user, conversation_id)
    if request.method == "GET":
        return _settings(request, found)
    form = ConversationForm(request.POST)
    if not form.is_valid():
        return _settings(request, found, asked=form)
    said = form.cleaned_data
    found = services.configure(
        request.user,
        found.pk,
        instructions=said["instructions"],
        temperature=said["temperature"],
        max_output_tokens=said["max_output_tokens"],
    )
    return _settings(request, found, is_saved=True)


@never_cache
@require_http_methods(["GET", "POST"])
def prefer(request: HtmxRequest) -> HttpResponse:
    """The owner's system prompt, for all conversations."""
    if request.method == "GET":
        return _settings(request, pages.current(request))
    form = PromptForm(request.POST)
    if not form.is_valid():
        return _settings(request, None, preferred=form)
    prompt = "" if "back" in request.POST else form.cleaned_data["system_prompt"]
    services.prefer(request.user, system_prompt=prompt)
    return _settings(request, None, is_saved=True)


def _settings(
    request: HtmxRequest,
    found: Conversation | None,
    *,
    asked: Form | None = None,
    preferred: Form | None = None,
    is_saved: bool = False,
) -> HttpResponse:
    """Both forms, or over HTMX the fields of the one that was sent."""
    preference = Preference.objects.filter(owner=request.user).first()
    own_prompt = preference.system_prompt if preference else ""
    context = {
        "conversation": found,
        "asked": asked or (found and ConversationForm(initial=_initial(found))),
        "preferred": preferred or PromptForm(initial={"system_prompt": own_prompt}),
        "own_prompt": own_prompt,
        "may_connect": may_connect(request.user),
        "connected": services.connected(),
        "totals": usage.of_conversation(found) if found else (),
        "gauge": usage.context_now(found) if found else None,
        **(_tools(found) if found else {}),
        "said": _said(request, is_saved),
        "sidebar": pages.sidebar(request.user, found),
    }
    return render(request, _template(request, found), context)


def _tools(found: Conversation) -> dict[str, Any]:
    """The model that the next message goes to, and whether it may call tools anywhere."""
    model = found.model or async_to_sync(get_catalogue().default)()
    return {"tools_model": model, "model_offers_tools": offers_tools(found.owner_id, model)}


def _initial(found: Conversation) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ConversationForm.base_fields}


def _said(request: HtmxRequest, is_saved: bool) -> str:
    if request.method == "GET":
        return ""
    return (
        "Saved. Applies from your next message."
        if is_saved
        else "Not saved. Check the highlighted field."
    )


def _template(request: HtmxRequest, found: Conversation | None) -> str:
    if not request.htmx:
        return "chat/pages/settings.html"
    if request.method == "GET":
        return "chat/dialogs/settings.html"
    return "chat/dialogs/chat_settings.html" if found else "chat/dialogs/general_settings.html"
