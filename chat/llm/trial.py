"""Asking a provider which models it has, before it is connected: does the address answer, is the
key right?"""

from __future__ import annotations

from chat.errors import ModelError
from chat.llm.connectable import Connectable
from chat.llm.failures import Names
from chat.llm.openai import OpenAIClient

SECONDS = 10
"""Nobody waits longer for a trial."""
_NAMES = Names("the key", "the address")
_GEMINI_URL = "https://generativelanguage.googleapis.com/v1beta/openai"
_HIDDEN = "•••"


async def models_of(provider: Connectable, address: str, key: str) -> list[str]:
    """The names of its models. Raises `ModelError` with what is wrong; no text of it has the key."""
    client = OpenAIClient(
        _url(provider, address),
        key or None,
        names=_NAMES,
        headers=_headers(provider, key),
        connect_limit=SECONDS / 2,
    )
    try:
        found = await client.list_models(limit=SECONDS)
    except ModelError as error:
        raise ModelError(_without(key, error.message), _without(key, error.details)) from None
    finally:
        await client.aclose()
    return [model.id.removeprefix("models/") for model in found]  # as Google calls them


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


def _without(key: str, text: str) -> str:
    return text.replace(key, _HIDDEN) if key else text
