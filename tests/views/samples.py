"""Requests and rows for the tests of pages."""

from __future__ import annotations

HTMX = {"HX-Request": "true"}
