"""A provider's own words: read from any format, as plain text, without secrets."""

from __future__ import annotations

import json
import socket
import ssl
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.llm.failures import details, hints
from chat.llm.failures.redaction import LONGEST, Secrets, plain

SAID = "Not on Sundays"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": SAID, "type": "invalid_request_error", "code": None}},
        {"type": "error", "error": {"type": "invalid_request_error", "message": SAID}},
        {"error": {"code": 400, "message": SAID, "status": "INVALID_ARGUMENT"}},
        [{"error": {"code": 400, "message": SAID, "status": "INVALID_ARGUMENT"}}],
        {"detail": SAID},
        {"error": SAID},
        {"message": SAID},
        {"object": "error", "message": SAID, "type": "BadRequestError", "code": 400},
        {"errors": [{"message": SAID}]},
        {"error": {"message": json.dumps({"error": {"message": SAID}})}},
    ],
)
def test_every_format_is_read(body: object) -> None:
    assert details.read(400, json.dumps(body).encode()).details == f"400: {SAID}"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "503: no message"),
        (b"{}", "503: no message"),
        (b"Not on\r\n\tSundays\x07\x1b", f"503: {SAID}"),
        (b'data: {"error": {"message": "Not on Sundays"}}\n\n', f"503: {SAID}"),
        (b"<html><head><title>Not on Sundays</title></head><body>x", f"503: {SAID}"),
        (b"<p>Not <b>on</b></p><script>evil()</script><style>p{}</style>Sundays", f"503: {SAID}"),
        (b"\xff\xfe", "503: \ufffd\ufffd"),
    ],
)
def test_anything_but_json_is_plain_text(body: bytes, told: str) -> None:
    assert details.read(503, body).details == told


def test_fastapis_places_are_named() -> None:
    entry = {"type": "extra_forbidden", "loc": ["body", "tools", 0], "msg": "Not permitted"}
    body = json.dumps({"message": {"detail": [entry, entry]}}).encode()
    told = "422: body.tools.0: Not permitted; body.tools.0: Not permitted"
    assert details.read(422, body).details == told


def test_a_gateways_provider_and_its_words_are_read() -> None:
    raw = json.dumps({"error": {"message": SAID}})
    metadata = {"raw": raw, "provider_name": "Azure"}
    error = {"message": "Provider returned error", "code": 502, "metadata": metadata}
    told = details.read(502, json.dumps({"error": error}).encode()).details
    assert told == f"502: Provider returned error (Azure: {SAID})"


@pytest.mark.parametrize("name", ["code", "type", "status"])
def test_codes_are_plain_text_too(name: str) -> None:
    told = details.of_error({name: "a\x00b\ud800\nINFO forged sk-abcdefgh12345678\u202e"}).details
    assert told == "a\ufffdb\ufffd info forged …"
    assert details.of_error({name: "a" * 101}).details == "no message"


def test_it_is_bounded() -> None:
    complaint = details.read(400, b"a" * 100_000)
    assert len(Secrets(None).redact(complaint.details)) == LONGEST
    assert len(complaint.words) < 2 * LONGEST


@pytest.mark.parametrize(
    "text",
    [
        *("x" * (LONGEST - n) + " topsecret at the end" for n in (3, 8, 12)),
        "topsecret " * LONGEST,
        "<title>" + "x" * 495 + " topsecret</title>",
    ],
)
def test_no_secret_is_cut_in_two(text: str) -> None:
    told = Secrets(None, "topsecret").redact(details.read(400, text.encode()).details)
    assert "top" not in told
    assert len(told) <= LONGEST


@pytest.mark.parametrize(
    "secret",
    [
        "sk-abcdefgh12345678",
        "sk-proj-********************wxyz",
        "AIzaSyA1234567890abcdef",
        "gsk_abcdefgh12345678",
        "xai-abcdefgh12345678",
        "hf_abcdefgh12345678",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
    ],
)
def test_anything_like_a_key_is_redacted(secret: str) -> None:
    told = plain(f"Incorrect API key: {secret}, see the docs")
    assert secret not in told
    assert told.endswith("see the docs")


def test_keys_in_addresses_and_headers_are_redacted() -> None:
    told = plain(
        "GET https://me:pw@host/x?a=1&api_key=abc&key=def Authorization: Bearer abcdefghijkl"
    )
    assert not {"me:pw", "abc", "def", "abcdefghijkl"} & set(told.replace("&", " ").split())
    assert "pw" not in told
    assert "a=1" in told


def test_a_clients_own_key_and_address_are_redacted() -> None:
    secrets = Secrets("https://me:p%40ss@model.internal:8443/v1", "topsecret")
    told = secrets.redact(
        "topsecret is not known at https://me:p%40ss@model.internal:8443/v1/chat, model.internal, "
        "me, p@ss, model.internal:8443"
    )
    assert all(word not in told for word in ("topsecret", "internal", "p@ss", "p%40ss", "8443"))
    assert "is not known" in told


def test_a_key_that_is_a_word_is_not_redacted_inside_other_words() -> None:
    assert Secrets("http://ollama:11434/v1", "none").redact("nonetheless ollama") == (
        "nonetheless ollama"
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "secret.host"), "Connection refused"),
        (socket.gaierror(-2, "secret.host"), "Name or service not known"),
        (TimeoutError("secret.host"), "Connecting timed out"),
        (OSError("Multiple exceptions: [Errno 111] secret.host"), "Connection refused"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), "SSLError"),
        (ValueError("secret.host"), "ValueError"),
    ],
)
def test_a_broken_connection_is_explained_in_the_systems_words(
    error: Exception, words: str
) -> None:
    assert details.reason(error) == words


@pytest.mark.parametrize(
    ("headers", "message", "seconds"),
    [
        ({"Retry-After": "7"}, "", 7),
        ({"retry-after-ms": "1500", "retry-after": "9"}, "", 1.5),
        ({"Retry-After": "Mon, 01 Jan 2001 00:00:00 GMT"}, "", 0),
        ({"Retry-After": "never"}, "", 0),
        ({"Retry-After": "nan"}, "", 0),
        ({}, "Please try again in 7.66s.", 7.66),
        ({}, "Please try again in 1m30s.", 90),
        ({}, "Please retry after 20 seconds", 20),
        ({}, "try again in 250ms", 0.25),
        ({}, "try again later", 0),
        ({"x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-remaining-tokens": "0"}, "", 360),
        ({"x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-remaining-tokens": "9"}, "", 0),
    ],
)
def test_requested_waits(headers: dict[str, str], message: str, seconds: float) -> None:
    assert hints.requested_wait(headers, message) == pytest.approx(seconds)


def test_a_reset_may_be_a_point_in_time() -> None:
    headers = {"X-RateLimit-Reset": str((time.time() + 20) * 1000)}
    assert hints.requested_wait(headers, "") == pytest.approx(20, abs=1)


def test_geminis_delay() -> None:
    error = {"code": 429, "message": "x", "details": [{"@type": "RetryInfo", "retryDelay": "37s"}]}
    assert details.read(429, json.dumps([{"error": error}]).encode()).wait == 37


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "message", "detail", "metadata", "raw", "code", "loc", "msg"]
            ),
            inner,
            max_size=4,
        )
    ),
)


@given(JSON)
def test_any_json_is_read(body: object) -> None:
    complaint = details.read(400, json.dumps(body).encode())
    assert complaint.details
    assert complaint.details.isprintable() or "\ufffd" in complaint.details or complaint.message
    details.of_error(body)


@pytest.mark.parametrize(
    "body",
    [
        b"<script" * 9_000,
        b"<title>" * 9_000,
        b"<title" * 10_900,
        b"<script></script" * 4_000,
        b"<script>" + b"</script" * 8_000,
        b"[" * 64_000,
        b'{"error":' * 7_000,
        b"eyJ-" * 16_000,
        b"://a" * 16_000,
        b"model " * 10_000,
        b"tools not " * 6_000,
        b"try again in 1m" * 4_000,
        b"context length " * 4_000,
    ],
)
def test_hostile_words_cost_little(body: bytes) -> None:
    from chat.llm.demands import Demands
    from chat.llm.failures import errors, learned

    began = time.process_time()
    complaint = details.read(400, body)
    errors.of(complaint)
    learned.lesson_of(complaint, Demands(), lambda _: False)
    assert time.process_time() - began < 0.5
