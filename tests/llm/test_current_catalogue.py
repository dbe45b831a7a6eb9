"""The process's catalogue, and its replacement."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from chat.llm.catalogue import models as module
from chat.llm.catalogue.models import Catalogue, get_catalogue, replace

pytestmark = pytest.mark.anyio


async def test_the_process_builds_its_catalogue_from_the_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = SimpleNamespace(
        OPENAI_BASE_URL=None,
        OPENAI_API_KEY=None,
        TALOS_DEFAULT_MODEL="demo",
        PROVIDER_VARIABLES={},
        TALOS_LOCAL_MODELS=False,
        TALOS_SILENCE_SECONDS=300,
        TALOS_FIRST_TOKEN_SECONDS=900,
    )
    monkeypatch.setattr("django.conf.settings", found)
    monkeypatch.setattr(module, "_catalogue", None)
    assert get_catalogue() is get_catalogue()
    assert await get_catalogue().default() == "demo"


async def test_a_replaced_catalogue_is_closed_once_nothing_holds_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Closing(Catalogue):
        is_closed = False

        async def aclose(self) -> None:
            self.is_closed = True

    first, second, third = Closing(), Closing(), Closing()
    monkeypatch.setattr(module, "_catalogue", first)
    async with get_catalogue().hold(), get_catalogue().hold():
        await replace(second)
        assert get_catalogue() is second
        assert not first.is_closed, "its streams go on"
    assert first.is_closed
    await replace(third)
    assert second.is_closed
    await replace(third)
    assert not third.is_closed
