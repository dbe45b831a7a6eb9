"""The providers that Talos knows by name, beside the configured server.

A table and nothing else: whose key is which variable, who speaks OpenAI's protocol (and is then
asked by `OpenAIClient`, which costs a tenth of LiteLLM), and which models are worth naming. All other
providers of LiteLLM can be used as `provider/name` once `PROVIDER_API_KEY` is set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from chat.llm.catalogue import prices
from chat.llm.demands import Demands
from chat.llm.failures.failures import Names

UNREADABLE = "cannot be decrypted"
"""In place of a key that is stored and lost: its provider is configured, and nobody may ask it. No
key has a space in it."""


@dataclass(frozen=True, slots=True)
class Provider:
    id: str
    """LiteLLM's name of it, and the beginning of its models' ids."""
    keys: tuple[str, ...]
    """The variables that may hold its key; the first is the one to name."""
    preferred: tuple[str, ...] = ()
    """Its models to begin with, best first."""
    begins: tuple[str, ...] = ()
    """How its models' names begin where they are known without the provider."""
    openai_url: str | None = None
    """Where it speaks OpenAI's protocol."""
    lists: bool = True
    """What can be asked for is LiteLLM's list. Elsewhere the names are the customer's own."""
    demands: Demands = field(default_factory=Demands)
    """Where they are not what they are of any server. What is refused otherwise is learned."""

    @property
    def base(self) -> str:
        """The variable that moves it to another address."""
        return self.keys[0].removesuffix("_API_KEY") + "_API_BASE"

    @property
    def names(self) -> Names:
        return Names(self.keys[0], self.base)

    def key(self, variables: Mapping[str, str]) -> str | None:
        return next((variables[name] for name in self.keys if variables.get(name)), None)

    @property
    def takes_key(self) -> bool:
        """The key is one text. Otherwise LiteLLM signs in with what the environment says."""
        return self.keys[0].endswith("_API_KEY")


KNOWN = (
    Provider(
        "anthropic",
        ("ANTHROPIC_API_KEY",),
        ("claude-sonnet-5-5", "claude-sonnet-5", "claude-sonnet-4-6", "claude-opus-5-5"),
        ("claude",),
    ),
    Provider(
        "gemini",
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        ("gemini/gemini-flash-latest", "gemini/gemini-pro-latest", "gemini/gemini-2.5-flash"),
        ("gemini-",),
    ),
    Provider(
        "mistral",
        ("MISTRAL_API_KEY",),
        ("mistral/mistral-medium-latest", "mistral/mistral-large-latest"),
        openai_url="https://api.mistral.ai/v1",
        # it refuses every field that is not in its schema, and counts tokens unasked
        demands=Demands(
            stream_options=False, takes_back=False, call_ids="nine", answers_results=True
        ),
    ),
    Provider(
        "groq",
        ("GROQ_API_KEY",),
        ("groq/openai/gpt-oss-120b",),
        openai_url="https://api.groq.com/openai/v1",
        # it refuses back what it sends
        demands=Demands(takes_back=False),
    ),
    Provider(
        "deepseek",
        ("DEEPSEEK_API_KEY",),
        ("deepseek/deepseek-v4-pro", "deepseek/deepseek-flash", "deepseek/deepseek-chat"),
        openai_url="https://api.deepseek.com/v1",
        demands=Demands(wants_reasoning=True),
    ),
    Provider(
        "xai",
        ("XAI_API_KEY",),
        ("xai/grok-4.5-latest", "xai/grok-4.3-latest"),
        openai_url="https://api.x.ai/v1",
    ),
    Provider(
        "openrouter",
        ("OPENROUTER_API_KEY", "OR_API_KEY"),
        ("openrouter/openrouter/auto",),
        openai_url="https://openrouter.ai/api/v1",
    ),
    Provider(
        "cohere_chat",
        ("COHERE_API_KEY", "CO_API_KEY"),
        ("command-a-03-2025",),
        ("command-",),
        openai_url="https://api.cohere.ai/compatibility/v1",
    ),
    Provider(
        "perplexity",
        ("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
        ("perplexity/sonar",),
        openai_url="https://api.perplexity.ai",
        demands=Demands(takes_back=False, answers_results=True),
    ),
    Provider("cerebras", ("CEREBRAS_API_KEY",), openai_url="https://api.cerebras.ai/v1"),
    Provider(
        "together_ai",
        ("TOGETHERAI_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHER_API_KEY"),
        openai_url="https://api.together.ai/v1",
    ),
    Provider(
        "fireworks_ai",
        ("FIREWORKS_AI_API_KEY", "FIREWORKS_API_KEY"),
        openai_url="https://api.fireworks.ai/inference/v1",
    ),
    Provider(
        "moonshot",
        ("MOONSHOT_API_KEY",),
        openai_url="https://api.moonshot.ai/v1",
        demands=Demands(wants_reasoning=True),
    ),
    Provider("deepinfra", ("DEEPINFRA_API_KEY",), openai_url="https://api.deepinfra.com/v1/openai"),
    Provider(
        "nvidia_nim",
        ("NVIDIA_NIM_API_KEY",),
        openai_url="https://integrate.api.nvidia.com/v1",
    ),
    Provider("azure", ("AZURE_API_KEY",), lists=False),
    Provider(
        "bedrock", ("AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID", "AWS_PROFILE"), lists=False
    ),
    Provider("vertex_ai", ("GOOGLE_APPLICATION_CREDENTIALS", "VERTEXAI_PROJECT"), lists=False),
)
_BY_ID = {provider.id: provider for provider in KNOWN}
ELSEWHERE = frozenset({"openai", "ollama", "ollama_chat", "lm_studio"})
"""LiteLLM's names of whom other clients serve: OpenAI is the configured server, and the servers of
this machine are looked for."""
SHOWN_WITHOUT_KEY = KNOWN[:7]
"""The menu says of these what to set, with one model each."""


def named(provider_id: str) -> Provider:
    """One of LiteLLM's providers, known here or not."""
    found = _BY_ID.get("cohere_chat" if provider_id == "cohere" else provider_id)
    name = provider_id.upper().replace("-", "_")
    return found or Provider(provider_id, (f"{name}_API_KEY",))


def demands_of(base_url: str) -> Demands:
    """Of a server that is one of these at its own address, else those of any server."""
    host = urlsplit(base_url).hostname
    at_host = (p for p in KNOWN if p.openai_url and urlsplit(p.openai_url).hostname == host)
    return next((provider.demands for provider in at_host), Demands())


def has_key(variables: Mapping[str, str]) -> bool:
    """The key of any provider is set."""
    others = map(named, prices.providers() - ELSEWHERE - _BY_ID.keys())
    return any(provider.key(variables) for provider in (*KNOWN, *others))


def is_provider(name: str) -> bool:
    """Known here, or to LiteLLM."""
    if name in ELSEWHERE:
        return False
    return name in _BY_ID or name == "cohere" or name in prices.providers()


def of_bare_name(name: str) -> Provider | None:
    """Whose models have such names, or whose this one is by LiteLLM's list."""
    for provider in KNOWN:
        if provider.begins and name.startswith(provider.begins):
            return provider
    listed = prices.known().get(name)
    return _BY_ID.get(listed.provider) if listed else None
