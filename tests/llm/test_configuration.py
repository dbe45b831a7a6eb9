"""Connections from the browser add to the environment and never override it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chat.llm.catalogue.configuration import Configuration, Connection
from chat.llm.failures.errors import Names

KEY = "sk-entered"
SETTINGS = Names("the key under Settings", "the address under Settings")


@pytest.mark.parametrize(
    ("connection", "sources"),
    [
        (Connection("openai", "", KEY), Configuration(None, KEY)),
        (Connection("openai", "http://ant/v1", ""), Configuration("http://ant/v1")),
        (Connection("anthropic", "", KEY), Configuration(variables={"ANTHROPIC_API_KEY": KEY})),
        (
            Connection("groq", "http://gateway", KEY),
            Configuration(variables={"GROQ_API_KEY": KEY, "GROQ_API_BASE": "http://gateway"}),
        ),
        (
            Connection("ollama", "http://ant"),
            Configuration(variables={"OLLAMA_API_BASE": "http://ant"}),
        ),
    ],
)
def test_a_connection_equals_its_variables(connection: Connection, sources: Configuration) -> None:
    joined = Configuration().with_connections([connection])
    assert replace(joined, names={}) == sources
    assert joined.names == {connection.provider: SETTINGS}


@pytest.mark.parametrize(
    ("environment", "provider", "variable"),
    [
        (Configuration(key="k"), "openai", "OPENAI_API_KEY"),
        (Configuration(url="http://ant"), "openai", "OPENAI_BASE_URL"),
        (Configuration(variables={"GOOGLE_API_KEY": "k"}), "gemini", "GOOGLE_API_KEY"),
        (Configuration(variables={"OLLAMA_API_BASE": "http://ant"}), "ollama", "OLLAMA_API_BASE"),
    ],
)
def test_the_environment_takes_precedence(
    environment: Configuration, provider: str, variable: str
) -> None:
    assert environment.set_by(provider) == variable
    assert environment.with_connections([Connection(provider, "http://other", KEY)]) == environment


def test_an_address_from_the_environment_stays_when_a_key_is_entered() -> None:
    environment = Configuration(variables={"GROQ_API_BASE": "http://gateway"})
    assert environment.set_by("groq") is None
    joined = environment.with_connections([Connection("groq", "http://other", KEY)])
    assert joined.variables == {"GROQ_API_KEY": KEY, "GROQ_API_BASE": "http://gateway"}
    assert joined.names == {"groq": Names(SETTINGS.key, "GROQ_API_BASE")}


def test_keys_are_in_no_representation() -> None:
    connection = Connection("groq", "", KEY)
    sources = Configuration("http://ant", KEY).with_connections([connection])
    assert (
        KEY not in f"{connection!r} {sources!r} {Configuration().with_connections([connection])!r}"
    )
