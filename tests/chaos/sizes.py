"""The number of attempts, or the time, for each fault."""

from __future__ import annotations

import pytest


def sizes(name: str, *, sample: float, full: float) -> pytest.MarkDecorator:
    """Pass `sample` in `make test` and `full` in `make chaos` as the argument `name`."""
    return pytest.mark.parametrize(
        name,
        [
            pytest.param(sample, id="sample", marks=pytest.mark.slow),
            pytest.param(full, id="full", marks=[pytest.mark.chaos, pytest.mark.timeout(1800)]),
        ],
    )


long = pytest.mark.chaos
"""Marks tests that are too slow for a sample."""
