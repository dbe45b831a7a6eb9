"""The providers that Talos knows by name, besides the configured server.

A table: which variable holds each key, which providers speak OpenAI's protocol (they are asked
through `OpenAIClient`, at a tenth of LiteLLM's cost), and which models to name first. Any other
LiteLLM provider works as `provider/name` once `PROVIDER_API_KEY` is set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from chat.llm.catalogue import prices
from chat.llm.demands import Demands
from chat.llm.failures.errors import Names

UNREADABLE = "cannot be decrypted"
"""Stands for a stored key that is lost: its provider is configured but cannot be asked. A real key
never contains a space."""


@dataclass(frozen=True, slots=True)
class Provider:
    id: str
    """LiteLLM's name for it, and the prefix of its models' ids."""
    keys: tuple[str, ...]
    """The variables that may hold its key; messages name the first."""
    preferred: tuple[str, ...] = ()
    """Models to list first, best first."""
    begins: tuple[str, ...] = ()
    """Prefixes that identify its models by name alone."""
    openai_url: str | None = None
    """Its endpoint for OpenAI's protocol, if it has one."""
    lists: bool = True
    """Whether LiteLLM's list names its models; otherwise, customers choose the names."""
    demands: Demands = field(default_factory=Demands)
    """Known differences from the defaults; others are learned from refusals."""

    @property
    def base(self) -> str:
        """The variable that overrides its address."""
        return self.keys[0].removesuffix("_API_KEY") + "_API_BASE"

    @property
    def names(self) -> Names:
        return Names(self.keys[0], self.base)

    def key(self, variables: Mapping[str, str]) -> str | None:
        return next((variables[name] for name in self.keys if variables.get(name)), None)

    @property
    def takes_key(self) -> bool:
        """Whether the key is a single string. If not, LiteLLM signs in from the environment."""
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
        # it refuses every field outside its schema, and reports usage unasked
        demands=Demands(
            stream_options=False, takes_back=False, call_ids="nine", answers_results=True
        ),
    ),
    Provider(
        "groq",
        ("GROQ_API_KEY",),
        ("groq/openai/gpt-oss-120b",),
        openai_url="https://api.groq.com/openai/v1",
        # it refuses the opaque parts that it sends
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
"""LiteLLM's names for providers that other clients serve: OpenAI is the configured server, and
local servers are detected."""
SHOWN_WITHOUT_KEY = KNOWN[:7]
"""Shown in the menu without a key, with one model each and a hint which key to set."""


def named(provider_id: str) -> Provider:
    """Return one of LiteLLM's providers, whether in this table or not."""
    found = _BY_ID.get("cohere_chat" if provider_id == "cohere" else provider_id)
    name = provider_id.upper().replace("-", "_")
    return found or Provider(provider_id, (f"{name}_API_KEY",))


def demands_of(base_url: str) -> Demands:
    """Return the demands of the provider at this address; the defaults for any other server."""
    host = urlsplit(base_url).hostname
    at_host = (p for p in KNOWN if p.openai_url and urlsplit(p.openai_url).hostname == host)
    return next((provider.demands for provider in at_host), Demands())


def has_key(variables: Mapping[str, str]) -> bool:
    """Whether any provider's key is set."""
    others = map(named, prices.providers() - ELSEWHERE - _BY_ID.keys())
    return any(provider.key(variables) for provider in (*KNOWN, *others))


def is_provider(name: str) -> bool:
    """Whether the name is a provider in this table or in LiteLLM's list."""
    if name in ELSEWHERE:
        return False
    return name in _BY_ID or name == "cohere" or name in prices.providers()


def of_bare_name(name: str) -> Provider | None:
    """Return the provider that the model's name implies by its prefix or in LiteLLM's list."""
    for provider in KNOWN:
        if provider.begins and name.startswith(provider.begins):
            return provider
    listed = prices.known().get(name)
    return _BY_ID.get(listed.provider) if listed else None
