"""The settings of one chat, and those for all chats of a person.

Forms in the page's dialog, or pages of their own without JavaScript.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from chat import services
from chat.access.owner import may_connect
from chat.display import usage
from chat.display.sidebar import sidebar_for
from chat.llm.catalogue.models import get_catalogue
from chat.models import Conversation, Preference
from chat.models.records import offers_tools
from chat.views.forms import ConversationForm, PromptForm
from chat.views.request import HtmxRequest, current_conversation, find_or_404


@never_cache
@require_http_methods(["GET", "POST"])
def configure(request: HtmxRequest, conversation_id: UUID) -> HttpResponse:
    """Show and change the model settings of a conversation."""
    found = find_or_404(request.user, conversation_id)
    if request.method == "GET":
        return _settings(request, found)
    form = ConversationForm(request.POST)
    if not form.is_valid():
        return _settings(request, found, asked=form)
    entered = form.cleaned_data
    found = services.configure(
        request.user,
        found.pk,
        instructions=entered["instructions"],
        temperature=entered["temperature"],
        max_output_tokens=entered["max_output_tokens"],
    )
    return _settings(request, found, is_saved=True)


@never_cache
@require_http_methods(["GET", "POST"])
def prefer(request: HtmxRequest) -> HttpResponse:
    """Show and change the owner's system prompt for all conversations."""
    if request.method == "GET":
        return _settings(request, current_conversation(request))
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
    """Render both forms, or over HTMX the fields of the submitted one."""
    preference = Preference.objects.filter(owner=request.user).first()
    own_prompt = preference.system_prompt if preference else ""
    context = {
        "conversation": found,
        "asked": asked or (found and ConversationForm(initial=_initial(found))),
        "preferred": preferred or PromptForm(initial={"system_prompt": own_prompt}),
        "own_prompt": own_prompt,
        "may_connect": may_connect(request.user),
        "connected": services.list_connected(),
        "totals": usage.of_conversation(found) if found else (),
        "gauge": usage.context_now(found) if found else None,
        **(_tools(found) if found else {}),
        "said": _outcome(request, is_saved),
        "sidebar": sidebar_for(request.user, found),
    }
    return render(request, _template(request, found), context)


def _tools(found: Conversation) -> dict[str, Any]:
    """The model for the next message, and whether it may call tools at all."""
    model = found.model or async_to_sync(get_catalogue().default)()
    return {"tools_model": model, "model_offers_tools": offers_tools(found.owner_id, model)}


def _initial(found: Conversation) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ConversationForm.base_fields}


def _outcome(request: HtmxRequest, is_saved: bool) -> str:
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
