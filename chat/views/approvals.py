"""Decisions about tools and their calls by plain forms, for pages without JavaScript."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from chat import services
from chat.errors import NotAllowed
from chat.models import ToolCall
from chat.views.request import HtmxRequest, find_or_404


@require_POST
def decide(request: HtmxRequest, conversation_id: UUID) -> HttpResponse:
    """Decide a pending call. Its id is a form field: it is the model's text, unfit for a URL."""
    found = find_or_404(request.user, conversation_id)
    try:
        services.decide(
            request.user,
            found.pk,
            request.POST.get("call_id", ""),
            approved=request.POST.get("approved") == "yes",
            by=request.user,
            where=ToolCall.DecidedFrom.PAGE,
            remember="remember" in request.POST,
        )
    except NotAllowed as error:
        messages.error(request, str(error))
    return redirect(found)


@require_POST
def forget_rule(request: HtmxRequest, conversation_id: UUID) -> HttpResponse:
    """Forget a remembered decision: the tool asks again."""
    found = find_or_404(request.user, conversation_id)
    try:
        services.forget_rule(request.user, found.pk, request.POST.get("tool", ""))
    except NotAllowed:
        pass  # already forgotten in another tab
    if request.htmx:
        return render(
            request, "chat/dialogs/rules.html", {"conversation": found, "is_changed": True}
        )
    return redirect("chat:configure", found.pk)


@require_POST
def offer_tools(request: HtmxRequest, conversation_id: UUID) -> HttpResponse:
    """Turn tools on or off for this conversation, and for its model in all conversations."""
    found = find_or_404(request.user, conversation_id)
    model = request.POST.get("model", "")
    try:
        if model:
            services.prefer_for_model(request.user, model, offers_tools="to_model" in request.POST)
        services.configure(request.user, found.pk, offers_tools="here" in request.POST)
    except NotAllowed as error:
        return HttpResponseBadRequest(str(error), content_type="text/plain; charset=utf-8")
    if request.htmx:
        return HttpResponse("Saved. Applies from your next message.")
    return redirect("chat:configure", found.pk)
