"""A real model server on a loopback socket, scripted by tests.

    with ModelServer() as models:
        models.script("m", "Hel", "lo", Call("calculate", '{"expression": "12*7"}'))
        models.script("m", "It is 84.")     # the next request for "m"
        ...                                 # talk to models.base_url
        assert models.requests[0].body["tools"]

It speaks OpenAI's, Anthropic's and Gemini's formats, each on its own route. Each `script` is one
reply, made of steps from `steps.py`. A model without a script echoes the question; requests for a
title are answered apart from the scripts (`title`). It runs in its own thread.
"""

from __future__ import annotations

from tests.support.model_server.server import ModelServer, Recorded
from tests.support.model_server.steps import (
    Call,
    Chunk,
    Cut,
    End,
    Finish,
    Flood,
    Gate,
    Headers,
    Letters,
    Pause,
    Raw,
    Silence,
    Status,
    Step,
    Think,
    Tokens,
)

__all__ = [
    "Call",
    "Chunk",
    "Cut",
    "End",
    "Finish",
    "Flood",
    "Gate",
    "Headers",
    "Letters",
    "ModelServer",
    "Pause",
    "Raw",
    "Recorded",
    "Silence",
    "Status",
    "Step",
    "Think",
    "Tokens",
]
