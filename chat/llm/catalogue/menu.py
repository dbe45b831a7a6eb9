"""The rows of the model menu, by source. Values only; nothing here makes a request."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from chat.llm.catalogue import prices, providers, routing
from chat.llm.catalogue.prices import KnownModel
from chat.llm.catalogue.providers import Provider
from chat.llm.catalogue.purpose import is_for_chat
from chat.llm.failures import errors
from chat.llm.openai.client import ListedModel

_Named = TypeVar("_Named", ListedModel, KnownModel)
_OPENAI = "gpt-5.5"  # represents OpenAI's models while there is no key


@dataclass(frozen=True)
class Model:
    """A row of the model menu."""

    id: str
    name: str
    provider: str
    available: bool = True
    reason: str | None = None
    """Why it is not available."""
    context_window: int | None = None
    supports_tools: bool | None = None
    """None if unknown; the same holds for `supports_reasoning`."""
    supports_reasoning: bool | None = None


def chat_first(models: Iterable[_Named]) -> list[_Named]:
    """Sort models that do not look like chat models to the end."""
    return sorted(models, key=lambda model: not is_for_chat(model.id))


def of_server(models: Iterable[ListedModel], problem: str | None) -> Iterator[Model]:
    """Yield rows for the configured server's models."""
    for model in chat_first(models):
        known = prices.known().get(model.id)
        window = model.context_window or (known.context_window if known else None)
        abilities = (known.supports_tools, known.supports_reasoning) if known else (None, None)
        yield Model(model.id, model.name, "openai", not problem, problem, window, *abilities)


def of_local(provider: str, models: Iterable[ListedModel], problem: str | None) -> Iterator[Model]:
    """Yield rows for the models of a server on this machine, under its provider's name."""
    for model in chat_first(models):
        model_id, window = f"{provider}/{model.id}", model.context_window
        yield Model(model_id, model.name, provider, not problem, problem, context_window=window)


def of_providers(variables: Mapping[str, str]) -> Iterator[Model]:
    """Yield rows for LiteLLM's models of each provider with a key, best models first."""
    known = {provider.id for provider in providers.KNOWN}
    others = sorted(prices.providers() - known - providers.ELSEWHERE)
    for provider in (*providers.KNOWN, *map(providers.named, others)):
        if provider.lists and (key := provider.key(variables)):
            problem = errors.unreadable_key().message if key == providers.UNREADABLE else None
            yield from (_row(model, problem) for model in _models_of(provider))


def without_key(variables: Mapping[str, str], *, has_server: bool) -> Iterator[Model]:
    """Yield one unavailable model per well-known provider without a key, with a hint."""
    if not has_server:
        yield Model(
            _OPENAI, _OPENAI, "openai", available=False, reason=_connect_hint("OPENAI_API_KEY")
        )
    for provider in providers.SHOWN_WITHOUT_KEY:
        if not provider.key(variables):
            name, reason = provider.preferred[0], _connect_hint(provider.keys[0])
            yield Model(name, name, provider.id, available=False, reason=reason)


def _connect_hint(key: str) -> str:
    return f"Connect it under Settings, or set {key}"


@functools.cache
def _models_of(provider: Provider) -> list[KnownModel]:
    known = prices.known()
    listed = {
        name: replace(model, id=name)
        for model in known.values()
        if model.provider == provider.id
        and f"{provider.id}/{model.id}" not in known  # listed twice
        and not model.retired
        and (name := _id_for(provider, model.id))
    }
    listed = {model.id: model for model in chat_first(listed.values())}
    for name in reversed(provider.preferred):
        best = listed.pop(name, None) or KnownModel(name, provider.id)
        listed = {name: best, **listed}
    return list(listed.values())


def _id_for(provider: Provider, name: str) -> str | None:
    """Return the id that leads to this provider: the bare name unless it leads elsewhere."""
    for model_id in (name, f"{provider.id}/{name}"):
        if (found := routing.route(model_id)) and found.provider == provider:
            return model_id
    return None


def _row(model: KnownModel, problem: str | None) -> Model:
    return Model(
        model.id,
        model.id,
        model.provider,
        not problem,
        problem,
        context_window=model.context_window,
        supports_tools=model.supports_tools,
        supports_reasoning=model.supports_reasoning,
    )
