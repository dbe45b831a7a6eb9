"""Tests a provider's address and key before it is connected, by listing its models."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress

from chat.errors import ModelError
from chat.llm.catalogue.connectable import COMPATIBLE, Connectable
from chat.llm.failures.errors import Names
from chat.llm.openai.client import ListedModel, OpenAIClient
from chat.llm.openai.models import printable

SECONDS = 10
"""The time limit of a trial."""
_NAMES = Names("the key", "the address")
_GEMINI_URL = "https://generativelanguage.googleapis.com/v1beta/openai"


async def models_of(provider: Connectable, address: str, key: str) -> list[str]:
    """Return the names of its models. Raises `ModelError`, whose text never contains the key."""
    until = time.monotonic() + SECONDS
    url, headers = _url(provider, address), _headers(provider, key)
    try:
        found = await _list_models(url, key, headers, SECONDS)
        problem = None
    except ModelError as error:
        found, problem = [], error
    if not found and provider is COMPATIBLE and not url.endswith("/v1"):
        with suppress(ModelError):  # a connected server is tried under /v1 as well
            found = await _list_models(f"{url}/v1", key, headers, until - time.monotonic())
            problem = None
    if problem is not None:
        raise problem
    return [printable(model.id).removeprefix("models/") for model in found]  # Google's prefix


async def _list_models(
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
    if provider.id in ("anthropic", "ollama", "lm_studio"):  # their addresses have no version
        return f"{address.rstrip('/').removesuffix('/v1')}/v1"
    return address


def _headers(provider: Connectable, key: str) -> dict[str, str]:
    """Return Anthropic's own headers: its list of models is not available in OpenAI's format."""
    is_anthropic = provider.id == "anthropic"
    return {"x-api-key": key, "anthropic-version": "2023-06-01"} if is_anthropic else {}
