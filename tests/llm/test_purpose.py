"""Recognizes chat models by whole parts of their names, never by letters within a part."""

from __future__ import annotations

import pytest

from chat.llm.catalogue.purpose import is_for_chat


@pytest.mark.parametrize(
    "name",
    [
        "democrat-7b",
        "procreate-13b",
        "vanguard-1b",
        "mitts",
        "imagery-chat",
        "embedded-systems-7b",
        "whisperer-7b",
        "audiophile-7b",
        "sorano-7b",
        "computer-science-7b",
        "deep-thought",
        "my-research-deep",
        "gpt-4o",
        "llama3.2:3b",
        "meta-llama/Llama-3-8B",
        "davincible",
        "glm-4.5-air",
        "",
    ],
)
def test_a_chat_model(name: str) -> None:
    assert is_for_chat(name)


@pytest.mark.parametrize(
    "name",
    [
        "mistral-ocr-latest",
        "deepseek-ocr:3b",
        "llama-guard3:8b",
        "meta-llama/Llama-Guard-4-12B",
        "text-embedding-3-large",
        "nomic-embed-text",
        "snowflake-arctic-embed2",
        "embeddinggemma:300m",
        "Qwen/Qwen3-Embedding-8B",
        "bge_rerank",
        "gpt-image-1",
        "dall-e-3",
        "gpt-4o-mini-tts",
        "tts1",
        "whisper-1",
        "gpt-4o-transcribe",
        "gpt-realtime",
        "gpt-4o-audio-preview",
        "omni-moderation-latest",
        "computer-use-preview",
        "o3-deep-research",
        "text-davinci-003",
        "sora-2",
        "VOXTRAL-mini",
    ],
)
def test_another_kind_of_model(name: str) -> None:
    assert not is_for_chat(name)
