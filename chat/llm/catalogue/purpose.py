"""Guesses from a model's name whether it is for chat."""

from __future__ import annotations

import functools
import re

_NOT_FOR_CHAT = (
    "audio",
    "babbage",
    "computer use",
    "dall e",
    "dalle",
    "davinci",
    "deep research",
    "embed",
    "embedding",
    "embeddings",
    "embeddinggemma",
    "guard",
    "image",
    "imagen",
    "images",
    "lyria",
    "moderation",
    "moderations",
    "ocr",
    "realtime",
    "rerank",
    "reranker",
    "reranking",
    "robotics",
    "sora",
    "speech",
    "transcribe",
    "tts",
    "veo",
    "voxtral",
    "whisper",
)
"""Whole parts of names, separated by spaces."""
_PARTS = re.compile(r"[^\W\d_]+|\d+")
_NOT = re.compile(rf" ({'|'.join(_NOT_FOR_CHAT)}) ")


@functools.lru_cache(maxsize=4096)
def is_for_chat(model_id: str) -> bool:
    """Whether no part of the name says otherwise, as in `mistral-ocr-latest` but not in `democrat`.

    A part is a run of letters or of digits: `dall-e-3`, `qwen3_embedding`, `tts1`. This is a guess,
    good enough to sort a menu.
    """
    return not _NOT.search(f" {' '.join(_PARTS.findall(model_id.lower()))} ")
