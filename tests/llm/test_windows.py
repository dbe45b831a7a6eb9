"""Context windows are learned, and forgotten again."""

from __future__ import annotations

import time

import pytest

from chat.llm.catalogue import windows
from chat.llm.failures.learned import KEPT_FOR


def test_a_learned_window_holds_for_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_learned", {})
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    windows.learn("ant/m", 100)
    now += KEPT_FOR - 1
    assert windows.known("ant/m", 8192) == 100
    assert windows.known("ant/other", 8192) == 8192
    now += 2
    assert windows.known("ant/m", 8192) == 8192
