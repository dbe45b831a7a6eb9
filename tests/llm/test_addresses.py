"""Model servers' addresses are normalized if unambiguous, else refused with a hint."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.llm.catalogue.addresses import EXAMPLE, normalize


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("https://api.example.com/v1", "https://api.example.com/v1"),
        ("http://gateway.example.com/openai/v1", "http://gateway.example.com/openai/v1"),
        ("https://api.example.com/v1/", "https://api.example.com/v1"),
        ("https://api.example.com//", "https://api.example.com"),
        ("  'https://api.example.com/v1' ", "https://api.example.com/v1"),
        ("“https://api.example.com/v1”", "https://api.example.com/v1"),
        ("<https://api.example.com/v1>", "https://api.example.com/v1"),
        ("HTTPS://api.example.com/v1", "https://api.example.com/v1"),
        ("https://api.example.com/v1/chat/completions", "https://api.example.com/v1"),
        ("https://api.example.com/v1/chat/completions/", "https://api.example.com/v1"),
        ("https://api.example.com/v1/completions", "https://api.example.com/v1"),
        ("https://api.example.com/v1/models", "https://api.example.com/v1"),
        ("127.0.0.1:1234", "http://127.0.0.1:1234"),
        ("localhost:8080/v1", "http://localhost:8080/v1"),
        ("[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("//localhost:8080/v1", "http://localhost:8080/v1"),
        ("192.168.1.20:11434", "http://192.168.1.20:11434"),
        ("10.0.0.2/v1", "http://10.0.0.2/v1"),
        ("172.16.0.1:80", "http://172.16.0.1:80"),
        ("host.docker.internal:11434", "http://host.docker.internal:11434"),
        ("ollama:11434", "http://ollama:11434"),
        ("gpu.local:8000", "http://gpu.local:8000"),
        ("api.example.com/v1", "https://api.example.com/v1"),
        ("8.8.8.8:443/v1", "https://8.8.8.8:443/v1"),
        ("172.32.0.1", "https://172.32.0.1"),
        ("me:secret@localhost:8080/v1", "http://me:secret@localhost:8080/v1"),
        ("https://bücher.example/v1", "https://bücher.example/v1"),
        ("https://my_gateway.example/v1", "https://my_gateway.example/v1"),
    ],
)
def test_addresses_are_normalized(given: str, address: str) -> None:
    assert normalize(given) == address
    assert normalize(address) == address


@pytest.mark.parametrize(
    "given",
    [
        "",
        "http://",
        "http:///v1",
        "http://:8080",
        "my server",
        "ftp://127.0.0.1/v1",
        "file:///etc/passwd",
        "http://127.0.0.1:eighty",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://300.1.1.1",
        "http://[::1",
        "http://[nonsense]:80",
        "http://a..b/v1",
        "http://-/v1",
        "sk-proj-abc!",
        "http://me:hunter2@/v1",
        "http://me:hunter2@exa mple/v1",
        "http://exa\x00mple/v1",
        "https://api.example.com/v1/models?limit=5",
        "https://api.example.com/v1#x",
        "https://api.example.com/v1?key=hunter2",
        "api.example.com?",
    ],
)
def test_anything_else_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(ValueError, match="examples: ") as refused:
        normalize(given)
    assert EXAMPLE in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_another_scheme_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match=r"^it must begin with http:// or https://;"):
        normalize("ftp://127.0.0.1/v1")


@given(st.text())
def test_a_normalized_address_stays_as_it_is(given: str) -> None:
    try:
        address = normalize(given)
    except ValueError:
        return
    assert address.startswith(("http://", "https://"))
    assert normalize(address) == address
