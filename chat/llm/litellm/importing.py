"""The import of LiteLLM: on first use, in a thread, quiet, and without network.

It takes seconds and 170 MB, and holds Python's lock in stretches. The longest of these are not the
import's own: they are the garbage collector's, which looks at a million new objects again and
again. So it rests meanwhile, and what is there then is never looked at again
(`benchmarks/litellm_import.py` measures both).
"""

from __future__ import annotations

import importlib
import logging
import os
import threading
from typing import Any

from chat.llm.loading import without_garbage_collection

LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "httpx", "httpcore", "openai")
_LOCAL_LISTS = (  # these come with the package; otherwise each is fetched from the network
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
    """The module, ready for use. Blocks: call it in a thread."""
    with _loading:
        if not _loaded:
            _loaded.append(_imported())
        return _loaded[0]


def _imported() -> Any:
    for name in _LOCAL_LISTS:
        os.environ[name] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"  # in its other mode it reads `.env` files by itself
    # Anthropic is always told a limit; this is for models that the price list does not know.
    os.environ.setdefault("DEFAULT_ANTHROPIC_CHAT_MAX_TOKENS", "8192")
    with without_garbage_collection():
        import litellm

        _silence(litellm)
        _rehearse(litellm)
    litellm.drop_params = True  # an option that a model does not know is left out
    litellm.modify_params = True  # what a provider insists on is added: a dummy tool, for instance
    _keep_equal_calls()
    # By default an answer that repeats itself a hundred times is an internal error.
    setattr(litellm, "REPEATED_STREAMING_CHUNK_LIMIT", _NEVER)  # noqa: B010  # not in its types
    return litellm


def _rehearse(litellm: Any) -> None:
    """Let LiteLLM import what it imports at its first request: a request that is never sent."""
    from litellm.llms.custom_httpx.http_handler import HTTPHandler

    for name in ("anyio._backends._asyncio", "httpcore", "chat.llm.litellm.wire"):
        importlib.import_module(name)

    class Nowhere(HTTPHandler):
        def __init__(self) -> None:
            pass

        def post(self, *_: object, **__: object) -> Any:
            raise ConnectionError

    # Its classes are built when first used, with warnings that it silences now, at its import.
    from litellm.types.utils import Delta, ModelResponseStream, StreamingChoices, Usage

    ModelResponseStream(choices=[StreamingChoices(delta=Delta(content="a"))], usage=Usage())
    messages = [{"role": "user", "content": "hello"}]
    for model in ("anthropic/none", "gemini/none"):
        try:
            litellm.completion(
                model=model, messages=messages, stream=True, api_key="none", client=Nowhere()
            )
        except Exception as error:  # broad: which one is of no interest
            logging.getLogger(__name__).debug("Rehearsed: %s", type(error).__name__)


def _keep_equal_calls() -> None:
    """Otherwise the second of two equal calls is not sent to Gemini, but both results are."""
    from litellm.llms.vertex_ai.gemini import transformation

    transformation.check_if_part_exists_in_parts = lambda *_, **__: False


def _silence(litellm: Any) -> None:
    litellm.telemetry = False
    litellm.turn_off_message_logging = True
    litellm.suppress_debug_info = True  # it prints advice, with the error in it
    litellm.disable_streaming_logging = True
    for name in LOGGERS:  # they log addresses, and at DEBUG prompts and keys
        level = logging.CRITICAL if name.startswith("LiteLLM") else logging.WARNING
        logging.getLogger(name).setLevel(level)
