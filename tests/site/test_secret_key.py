"""The secret key is generated once, readable by its owner only, and the same for all processes."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from django.core.exceptions import ImproperlyConfigured

from talos_site import secret


def test_the_key_is_generated_once(tmp_path: Path) -> None:
    key = secret.read_or_create(tmp_path)
    assert len(key) >= 50
    assert secret.read_or_create(tmp_path) == key


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    secret.read_or_create(tmp_path)
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_processes_that_start_together_get_the_same_key(tmp_path: Path) -> None:
    together = Barrier(8)

    def ask(_: int) -> str:
        together.wait(60)
        return secret.read_or_create(tmp_path)

    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(ask, range(8)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("short", encoding="ascii")
    with pytest.raises(ImproperlyConfigured, match="remove it"):
        secret.read_or_create(tmp_path)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        secret.check("x" * (secret.LEAST - 1))
