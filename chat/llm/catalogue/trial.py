"""Asking a provider which models it has, before it is connected: does the address answer, is the
key right?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress

from chat.errors import ModelError
from chat.llm.catalogue.connectable import COMPATIBLE, Connectable
from chat.llm.failures.failures import Names
from chat.llm.openai.client import ListedModel, OpenAIClient
from chat.llm.openai.models import shown

SECONDS = 10
"""Nobody waits longer for a trial."""
_NAMES = Names("the key", "the address")
_GEMINI_URL = "https://generativelanguage.googleapis.com/v1beta/openai"


async def models_of(provider: Connectable, address: str, key: str) -> list[str]:
    """The names of its models. Raises `ModelError` with what is wrong; no text of it has the key."""
    until = time.monotonic() + SECONDS
    url, headers = _url(provider, address), _headers(provider, key)
    try:
        found = await _listed(url, key, headers, SECONDS)
        problem = None
    except ModelError as error:
        found, problem = [], error
    if not found and provider is COMPATIBLE and not url.endswith("/v1"):
        with suppress(ModelError):  # as it is asked once it is connected
            found = await _listed(f"{url}/v1", key, headers, until - time.monotonic())
            problem = None
    if problem is not None:
        raise problem
    return [shown(model.id).removeprefix("models/") for model in found]  # as Google calls them


async def _listed(
    url: str, key: str, headers: Mapping[str, str], limit: float
) -> list[ListedModel]:
    client = OpenAIClient(
        url, key or None, names=_NAMES, headers=headers, connect_limit=SECONDS / 2
    )
    try:
        return await client.list_models(limit=limit, may_be_missing=False)
    finally:
        await client.aclose()


def _url(provider: Connectable, address: str) -> str:
    address = address or provider.address
    if provider.id == "gemini":
        return _GEMINI_URL
    if provider.id in ("anthropic", "ollama", "lm_studio"):  # whose addresses have no version
        return f"{address.rstrip('/').removesuffix('/v1')}/v1"
    return address


def _headers(provider: Connectable, key: str) -> dict[str, str]:
    """Anthropic's list is not part of what it offers in OpenAI's format."""
    is_anthropic = provider.id == "anthropic"
    return {"x-api-key": key, "anthropic-version": "2023-06-01"} if is_anthropic else {}
