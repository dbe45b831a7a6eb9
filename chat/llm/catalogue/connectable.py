"""The providers that can be connected in the browser."""

from __future__ import annotations

from dataclasses import dataclass

from chat.llm.catalogue import providers
from chat.llm.catalogue.configuration import SERVER
from chat.llm.openai.client import OPENAI_URL


@dataclass(frozen=True, slots=True)
class Connectable:
    id: str
    """The form's id: OpenAI and servers that speak its protocol share a provider, not a form."""
    name: str
    address: str
    """The provider's default address, or an example if it has none."""
    provider: str = ""
    """The provider's id in `providers.py`."""
    takes_address: bool = True
    needs_address: bool = False
    takes_key: bool = True
    needs_key: bool = True


def _hosted(
    provider: str, name: str, address: str = "", *, takes_address: bool = True
) -> Connectable:
    address = address or providers.named(provider).openai_url or ""
    return Connectable(provider, name, address, provider, takes_address=takes_address)


def _local(provider: str, name: str, address: str) -> Connectable:
    return Connectable(provider, name, address, provider, takes_key=False, needs_key=False)


COMPATIBLE = Connectable(
    "compatible",
    "OpenAI-compatible server",
    "http://127.0.0.1:8080/v1",
    SERVER,
    needs_address=True,
    needs_key=False,
)
OPENAI = Connectable("openai", "OpenAI", OPENAI_URL, SERVER, takes_address=False)
CONNECTABLE = (
    OPENAI,
    _hosted("anthropic", "Anthropic", "https://api.anthropic.com"),
    _hosted("gemini", "Google Gemini", takes_address=False),
    _hosted("openrouter", "OpenRouter"),
    _hosted("mistral", "Mistral"),
    _hosted("groq", "Groq"),
    _hosted("deepseek", "DeepSeek"),
    _hosted("xai", "xAI"),
    _hosted("moonshot", "Moonshot"),
    _hosted("cerebras", "Cerebras"),
    _hosted("together_ai", "Together AI"),
    _hosted("fireworks_ai", "Fireworks AI"),
    _hosted("deepinfra", "DeepInfra"),
    _hosted("nvidia_nim", "NVIDIA NIM"),
    COMPATIBLE,
    _local("ollama", "Ollama", "http://127.0.0.1:11434"),
    _local("lm_studio", "LM Studio", "http://127.0.0.1:1234"),
)
BY_ID = {found.id: found for found in CONNECTABLE}
NAMES = {found.provider: found.name for found in CONNECTABLE if found is not COMPATIBLE}
"""Display names by provider."""


def of(provider: str, *, has_address: bool) -> Connectable:
    """Return the form in which a connection was made."""
    return COMPATIBLE if provider == SERVER and has_address else BY_ID[provider]
