"""What a model is for, as far as its name tells."""

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
"""Whole parts of names, with a space between two of them."""
_PARTS = re.compile(r"[^\W\d_]+|\d+")
_NOT = re.compile(rf" ({'|'.join(_NOT_FOR_CHAT)}) ")


@functools.lru_cache(maxsize=4096)
def is_for_chat(model_id: str) -> bool:
    """No part of the name says otherwise: `mistral-ocr-latest` has such a part, `democrat` not.

    Parts end at anything but a letter, and at a border of letters and digits: `dall-e-3`,
    `qwen3_embedding`, `tts1`. It is a guess, good enough for the order of a menu.
    """
    return not _NOT.search(f" {' '.join(_PARTS.findall(model_id.lower()))} ")
