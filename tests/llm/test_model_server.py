"""The scripted model server itself, as far as the clients' tests do not cover it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request

import pytest

from tests.support.model_server import ModelServer, Pause, Silence


def post(base_url: str, text: str, timeout: float = 10) -> bytes:
    body = {"model": "m", "messages": [{"role": "user", "content": text}]}
    headers = {"Content-Type": "application/json"}
    asked = urllib.request.Request(  # noqa: S310  # our own loopback address
        f"{base_url}/chat/completions", json.dumps(body).encode(), headers
    )
    with urllib.request.urlopen(asked, timeout=timeout) as response:  # noqa: S310  # as above
        read: bytes = response.read()
    return read


def test_it_echoes_without_a_script() -> None:
    with ModelServer() as server:
        answer = post(server.base_url, "hi")
    assert b'"content": "You said: hi"' in answer
    assert answer.endswith(b"data: [DONE]\n\n")
    assert server.requests[0].sent == 3


def test_it_stops_while_replies_are_held() -> None:
    with ModelServer() as server:
        server.script("m", Silence())
        with pytest.raises(OSError, match="timed out"):
            post(server.base_url, "hi", timeout=0.2)


def test_it_reports_a_client_that_stays() -> None:
    with ModelServer() as server:
        server.script("m", "a", Pause(0.01))
        post(server.base_url, "hi")
        assert not server.request().is_closed
        with pytest.raises(TimeoutError):
            server.request(2, timeout=0.01)


def test_it_runs_as_a_program() -> None:
    command = [sys.executable, "-m", "tests.support.model_server", "--pace", "0", "--words", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        try:
            answer = post(program.stdout.readline().strip(), "hi")
        finally:
            program.terminate()
    assert answer.count(b'"content"') == 3
