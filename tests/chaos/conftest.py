"""All randomness here follows from one seed: see `tests/conftest.py`."""

from __future__ import annotations

import os
import random

import pytest

SEED = int(os.environ["TALOS_CHAOS_SEED"])


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """This test's random numbers, independent of the other tests that run."""
    return random.Random(f"{SEED} {request.node.name}")
