"""Servers' lists of models."""

from __future__ import annotations

import json

import pytest

from chat.llm.openai.models import MAX_ID, ListedModel, parse_models
from chat.models import MAX_MODEL


@pytest.mark.parametrize("window", [0, -1, 2**31, 2**32, 2**64 - 1, 1e400, 4096.5, True, "4096"])
def test_an_invalid_window_is_left_out(window: object) -> None:
    body = json.dumps({"data": [{"id": "m", "context_window": window}]}).replace("Infinity", "1e99")
    assert [model.context_window for model in parse_models(body.encode())] == [None]


def test_an_invalid_window_does_not_hide_another() -> None:
    entry = {"id": "m", "max_model_len": 2**64 - 1, "context_length": 8192}
    assert parse_models(json.dumps([entry]).encode())[0].context_window == 8192


def test_a_model_with_an_overlong_id_is_skipped() -> None:
    entries = ["m" * 5000, {"id": "m" * (MAX_ID + 1), "name": "M"}, "m" * MAX_ID]
    assert [model.id for model in parse_models(json.dumps(entries).encode())] == ["m" * MAX_ID]


def test_an_overlong_name_is_ignored() -> None:
    entries = [{"id": "m", "name": "M" * 5000}, {"id": "n", "display_name": "N" * 5000}]
    assert [model.name for model in parse_models(json.dumps(entries).encode())] == ["m", "n"]


@pytest.mark.parametrize("mark", [*"\u061c\u200e\u200f\u202a\u202e\u2066\u2069\n\x1b\x85"])
def test_no_name_changes_the_direction_of_the_page(mark: str) -> None:
    entries = [mark, f"a{mark}b", {"id": "c", "name": f"{mark}C{mark}"}, {"id": "d", "name": mark}]
    assert parse_models(json.dumps(entries).encode()) == [
        ListedModel(f"a{mark}b", "ab", None),  # the id stays as it is
        ListedModel("c", "C", None),
        ListedModel("d", "d", None),
    ]


def test_an_id_that_a_server_lists_fits_its_column() -> None:
    assert MAX_ID == MAX_MODEL
