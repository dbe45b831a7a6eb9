"""The cost of Talos, measured against a bare relay: `python -m benchmarks` or `make bench`."""

from __future__ import annotations
