"""Fixtures for tests of the renderer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chat.markdown.pool import Pool


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool()
    yield pool
    pool.close()
