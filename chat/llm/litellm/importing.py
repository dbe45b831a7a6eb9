"""Imports LiteLLM on first use, in a thread, quietly and without network access.

The import takes seconds and 170 MB, and holds the GIL in stretches. The longest are the garbage
collector's, which scans a million new objects again and again. So collection is suspended, and the
objects are frozen afterwards (`benchmarks/litellm_import.py` measures both).
"""

from __future__ import annotations

import importlib
import logging
import os
import threading
from typing import Any

from chat.llm.loading import without_garbage_collection

LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "httpx", "httpcore", "openai")
_LOCAL_LISTS = (  # use the package's copies instead of fetching each from the network
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS",
    "LITELLM_LOCAL_AUTOROUTER_PRESETS",
    "LITELLM_LOCAL_BLOG_POSTS",
    "LITELLM_LOCAL_MODEL_COST_MAP",
    "LITELLM_LOCAL_POLICY_TEMPLATES",
)
_NEVER = 10**9

_loading = threading.Lock()
_loaded: list[Any] = []


def load() -> Any:
    """Return the module, ready for use. Blocks: call it in a thread."""
    with _loading:
        if not _loaded:
            _loaded.append(_import())
        return _loaded[0]


def _import() -> Any:
    for name in _LOCAL_LISTS:
        os.environ[name] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"  # its other mode reads `.env` files
    # Anthropic always needs a limit; this one is for models missing from the price list.
    os.environ.setdefault("DEFAULT_ANTHROPIC_CHAT_MAX_TOKENS", "8192")
    with without_garbage_collection():
        import litellm

        _silence(litellm)
        _rehearse(litellm)
    litellm.drop_params = True  # leave out options that a model does not know
    litellm.modify_params = True  # add what a provider requires, such as a dummy tool
    _keep_equal_calls()
    # By default, an answer that repeats itself a hundred times is an internal error.
    setattr(litellm, "REPEATED_STREAMING_CHUNK_LIMIT", _NEVER)  # noqa: B010  # not in its types
    return litellm


def _rehearse(litellm: Any) -> None:
    """Make a request that is never sent, so that LiteLLM does its deferred imports now."""
    from litellm.llms.custom_httpx.http_handler import HTTPHandler

    for name in ("anyio._backends._asyncio", "httpcore", "chat.llm.litellm.wire"):
        importlib.import_module(name)

    class Nowhere(HTTPHandler):
        def __init__(self) -> None:
            pass

        def post(self, *_: object, **__: object) -> Any:
            raise ConnectionError

    # Its classes are built on first use, with warnings that it silences only during its import.
    from litellm.types.utils import Delta, ModelResponseStream, StreamingChoices, Usage

    ModelResponseStream(choices=[StreamingChoices(delta=Delta(content="a"))], usage=Usage())
    messages = [{"role": "user", "content": "hello"}]
    for model in ("anthropic/none", "gemini/none"):
        try:
            litellm.completion(
                model=model, messages=messages, stream=True, api_key="none", client=Nowhere()
            )
        except Exception as error:  # broad: which one does not matter
            logging.getLogger(__name__).debug("Rehearsed: %s", type(error).__name__)


def _keep_equal_calls() -> None:
    """Keep the second of two equal calls, which LiteLLM drops for Gemini, but not its result."""
    from litellm.llms.vertex_ai.gemini import transformation

    transformation.check_if_part_exists_in_parts = lambda *_, **__: False


def _silence(litellm: Any) -> None:
    litellm.telemetry = False
    litellm.turn_off_message_logging = True
    litellm.suppress_debug_info = True  # it prints advice that contains the error
    litellm.disable_streaming_logging = True
    for name in LOGGERS:  # they log addresses, and at DEBUG prompts and keys
        level = logging.CRITICAL if name.startswith("LiteLLM") else logging.WARNING
        logging.getLogger(name).setLevel(level)
