"""The longest stall of the event loop while LiteLLM is imported beside it.

`python -m benchmarks.litellm_import` prints the seconds of the import and of the longest stall
when Talos imports it; with `plain`, when garbage collection stays on.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

from chat.llm.litellm import importing

TICK = 0.001  # seconds between two readings of the clock


async def longest_stall(*, plainly: bool) -> tuple[float, float]:
    """Return the seconds of the whole import, and of the longest time in which nothing else ran."""
    done = asyncio.Event()
    ticking = asyncio.create_task(_tick(done))
    await asyncio.sleep(0.1)
    began = time.perf_counter()
    await asyncio.to_thread(_import_plainly if plainly else importing.load)
    took = time.perf_counter() - began
    done.set()
    return took, await ticking - TICK


async def _tick(done: asyncio.Event) -> float:
    longest, last = 0.0, time.perf_counter()
    while not done.is_set():
        await asyncio.sleep(TICK)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return longest


def _import_plainly() -> None:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    import litellm  # noqa: F401


def main() -> None:
    print(*asyncio.run(longest_stall(plainly="plain" in sys.argv)))


if __name__ == "__main__":
    main()
