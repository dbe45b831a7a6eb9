"""What servers say of their models."""

from __future__ import annotations

import json

import pytest

from chat.llm.listed import listed


@pytest.mark.parametrize("window", [0, -1, 2**31, 2**32, 2**64 - 1, 1e400, 4096.5, True, "4096"])
def test_a_window_that_is_none_is_left_out(window: object) -> None:
    body = json.dumps({"data": [{"id": "m", "context_window": window}]}).replace("Infinity", "1e99")
    assert [model.context_window for model in listed(body.encode())] == [None]


def test_a_window_that_is_none_hides_no_other() -> None:
    entry = {"id": "m", "max_model_len": 2**64 - 1, "context_length": 8192}
    assert listed(json.dumps([entry]).encode())[0].context_window == 8192
