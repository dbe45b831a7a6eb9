"""How often, or how long, a fault is tried."""

from __future__ import annotations

import pytest


def sizes(name: str, *, sample: float, full: float) -> pytest.MarkDecorator:
    """`sample` in `make test`, `full` in `make chaos`, as the argument `name`."""
    return pytest.mark.parametrize(
        name,
        [
            pytest.param(sample, id="sample", marks=pytest.mark.slow),
            pytest.param(full, id="full", marks=[pytest.mark.chaos, pytest.mark.timeout(1800)]),
        ],
    )


long = pytest.mark.chaos
"""Takes too long to be sampled."""
