"""Connecting models: test, save and remove a provider with its address and key.

A dialog of the page, or a page of its own without JavaScript. Keys are never shown again.
"""

from __future__ import annotations

import asyncio
from typing import Any

from asgiref.sync import async_to_sync
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_htmx.http import reswap, retarget

from chat import services
from chat.access.owner import may_connect
from chat.display.sidebar import sidebar_for
from chat.errors import ModelError, NotAllowed, TalosError
from chat.llm.catalogue import connectable, trial
from chat.llm.catalogue.connectable import CONNECTABLE, Connectable
from chat.llm.catalogue.models import get_catalogue
from chat.services import Connected
from chat.views.connection_form import ConnectionForm
from chat.views.request import HtmxRequest, current_conversation

SHOWN = 8
"""Models that a test lists."""


@sensitive_post_parameters("key", "address")
@never_cache
@require_http_methods(["GET", "POST"])
def connect(request: HtmxRequest) -> HttpResponse:
    """Show the connected providers, and the form for one of them."""
    if not may_connect(request.user):
        raise Http404
    provider = _provider(request)
    if request.method == "GET":
        return _page(request, provider, _form(provider))
    action = request.POST.get("action")
    if action == "remove":
        services.disconnect(request.user, provider=provider.provider)
        return _page(request, provider, _form(provider), {"said": f"{provider.name} was removed."})
    form = _form(provider, request.POST)
    if not form.is_valid():
        return _page(request, provider, form)
    try:
        return (
            _test(request, provider, form) if action == "test" else _save(request, provider, form)
        )
    except NotAllowed as error:
        form.add_error("key" if "key" in form.fields else None, error.message)
        return _page(request, provider, form)


def _provider(request: HtmxRequest) -> Connectable:
    asked = (request.GET if request.method == "GET" else request.POST).get("provider")
    provider = connectable.BY_ID.get(asked or CONNECTABLE[0].id)
    if provider is None:
        raise Http404
    return provider


def _form(provider: Connectable, data: Any = None) -> ConnectionForm:
    stored = next((one for one in services.list_connected() if one.provider == provider), None)
    return ConnectionForm(data, provider=provider, stored=stored)


def _test(request: HtmxRequest, provider: Connectable, form: ConnectionForm) -> HttpResponse:
    """Show the provider's answer. Over HTMX the form stays as it is, with the key in it."""
    try:
        models = services.models_of(request.user, provider=provider, **form.credentials)
    except ModelError as error:
        result: dict[str, Any] = {"problem": error}
    else:
        result = {"tried": True, "models": models[:SHOWN], "more": len(models[SHOWN:])}
    if request.htmx:
        return render(request, "chat/dialogs/trial.html", {"provider": provider, **result})
    return _page(request, provider, form, result)


def _save(request: HtmxRequest, provider: Connectable, form: ConnectionForm) -> HttpResponse:
    services.connect(request.user, provider=provider, **form.credentials)
    said = f"{provider.name} is connected. Choose its models from the menu."
    try:
        model = async_to_sync(_default_model)()
    except TalosError as error:
        said, model = f"{provider.name} is saved. {error.message}", ""
    return _page(request, provider, _form(provider), {"said": said, "default": model})


def _page(
    request: HtmxRequest,
    provider: Connectable,
    form: ConnectionForm,
    more: dict[str, Any] | None = None,
) -> HttpResponse:
    connected = services.list_connected()
    context = {
        "providers": CONNECTABLE,
        "provider": provider,
        "form": form,
        "stored": form.stored,
        "connected": connected,
        "replaced": _replaced(provider, connected),
        "sidebar": sidebar_for(request.user, None),
        **(more or {}),
    }
    if not request.htmx:
        return render(request, "chat/pages/connect.html", context)
    if request.method == "GET":
        return render(request, "chat/dialogs/connect.html", context)
    if "said" in context and not _has_own_model(request):
        context["model"] = context.get("default") or async_to_sync(get_catalogue().default)()
    answer = render(request, "chat/dialogs/connections.html", context)
    return retarget(reswap(answer, "outerHTML"), "#connections")


def _replaced(provider: Connectable, connected: list[Connected]) -> Connectable | None:
    """The connection that this one would replace: OpenAI and compatible servers share one."""
    same = (one.provider for one in connected if one.provider.provider == provider.provider)
    return next((one for one in same if one != provider), None)


def _has_own_model(request: HtmxRequest) -> bool:
    """Whether the conversation on the requesting page has a model of its own."""
    found = current_conversation(request)
    return found is not None and bool(found.model)


async def _default_model() -> str:
    """Return the default model once its server has listed its models; empty if that takes too long."""
    try:
        async with asyncio.timeout(trial.SECONDS):
            return (await get_catalogue().resolve(None)).id
    except TimeoutError:
        return ""
