"""LiteLLM and other heavy packages are imported on first use, and without network access."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.model_server import ModelServer
from tests.support.processes import environment


def test_litellm_makes_no_other_connections(server: ModelServer) -> None:
    program = """
import asyncio, sys
where = set()
def hook(event, arguments):
    if event == "socket.connect":
        where.add(arguments[1][0])
    elif event == "socket.getaddrinfo":
        where.add(arguments[0])
sys.addaudithook(hook)
from chat.llm.base import Request, UserMessage
from chat.llm.failures.errors import Names
from chat.llm.litellm.client import LiteLLMClient
async def main():
    client = LiteLLMClient("anthropic", "k", api_base=sys.argv[1], names=Names())
    assert [event async for event in client.stream(Request("m", (UserMessage("hi"),)))]
    await client.aclose()
asyncio.run(main())
sys.exit(", ".join(map(str, where - {"127.0.0.1", b"127.0.0.1"})) or 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, server.root],
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_heavy_is_loaded_at_startup(tmp_path: Path) -> None:
    program = """
import asyncio, sys
import talos_site.asgi
from chat.llm.catalogue.models import get_catalogue
async def main():
    catalogue = get_catalogue()
    assert (await catalogue.resolve("claude-sonnet-4-20250514")).model_id.startswith("claude")
    assert len(await catalogue.models()) > 10
    await catalogue.aclose()
asyncio.run(main())
heavy = {"litellm", "openai", "aiohttp", "httpx", "tiktoken", "pydantic_settings"}
sys.exit(", ".join(heavy & set(sys.modules)) or 0)
"""
    variables = environment(
        DJANGO_SETTINGS_MODULE="talos_site.settings",
        TALOS_DATA_DIR=str(tmp_path),
        ANTHROPIC_API_KEY="k",
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=variables, check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
