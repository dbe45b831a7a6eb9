"""The interpretation of a server's complaint: its kind, its sentence, its numbers."""

from __future__ import annotations

import json

import pytest

from chat.errors import ContextFull, ModelError, ModelLoading
from chat.llm.failures import details, errors

REFUSED, LIMITING = "did not accept", "limiting requests"
CREDIT, OVERLOADED = "credit", "overloaded"


def error_of(status: int, body: object) -> ModelError:
    said = body if isinstance(body, bytes) else json.dumps(body).encode()
    return errors.of(details.read(status, said))


def openai(message: str, **more: object) -> dict[str, object]:
    return {"error": {"message": message, **more}}


QUOTA = "You exceeded your current quota, please check your plan and billing details."


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (400, openai("No."), REFUSED),
        (418, b"", REFUSED),
        (404, openai("No endpoints found matching your data policy"), REFUSED),
        (401, openai("Unauthorized"), "refused the API key"),
        (400, openai("API key not valid. Please pass a valid API key."), "refused the API key"),
        (403, openai("Forbidden"), "does not allow"),
        (402, b"", CREDIT),
        (429, openai(QUOTA, code="insufficient_quota"), CREDIT),
        (400, openai("Your credit balance is too low to access the API"), CREDIT),
        (429, openai("Insufficient Balance"), CREDIT),
        (429, openai("Slow down"), LIMITING),
        (429, [{"error": {"message": f"{QUOTA} Please retry in 7.5s.", "code": 429}}], LIMITING),
        (429, openai("Limit 9, Used 9. Visit https://example.com/billing"), LIMITING),
        (400, openai("Content Exists Risk"), "withheld"),
        (400, openai("The response was filtered", code="content_filter"), "filter"),
        (403, openai("Your chosen model requires moderation and your input was flagged"), "filter"),
        (503, b"", OVERLOADED),
        (524, b"<html><title>A timeout occurred</title></html>", OVERLOADED),
        (529, {"type": "error", "error": {"type": "overloaded_error", "message": "x"}}, OVERLOADED),
        (
            404,
            openai("The model `m` does not exist", code="model_not_found"),
            "not know this model",
        ),
        (404, {"error": 'model "m" not found, try pulling it first'}, "not know this model"),
        (400, openai("Model Not Exist"), "not know this model"),
        (400, openai("a/b is not a valid model ID"), "not know this model"),
        (404, openai("models/m is not found for API version v1beta"), "not know this model"),
        (404, {"error": {"type": "not_found_error", "message": "model: m"}}, "not know this model"),
        (404, {"detail": "Not Found"}, "nothing at this address"),
        (404, b"", "nothing at this address"),
        (404, b"<html><title>404 Not Found</title></html>", "nothing at this address"),
        (405, {"detail": "Method Not Allowed"}, "nothing at this address"),
        (500, {"error": "model requires more system memory (8 GiB) than is available"}, "memory"),
        (500, openai("CUDA error: out of memory"), "memory"),
        (
            400,
            openai("Failed to call a function", code="tool_use_failed"),
            "rejected the model's tool call",
        ),
        (504, b"", "took too long"),
        (500, {"error": "error loading model: unable to load model"}, "internal error"),
        (500, b"", "internal error"),
    ],
)
def test_each_kind_has_its_sentence(status: int, body: object, sentence: str) -> None:
    assert sentence in error_of(status, body).message


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ({"code": "rate_limit_exceeded", "type": "tokens"}, LIMITING),
        ({"code": 429}, LIMITING),
        ({"code": "429"}, LIMITING),
        ({"status": "RESOURCE_EXHAUSTED"}, LIMITING),
        ({"code": "insufficient_quota"}, CREDIT),
        ({"type": "overloaded_error"}, OVERLOADED),
        ({"status": "UNAVAILABLE"}, OVERLOADED),
        ({"code": "invalid_api_key"}, "refused the API key"),
        ({"code": "model_not_found"}, "not know this model"),
        ({"code": "context_length_exceeded"}, "too long"),
        ({"code": "server_error"}, "internal error"),
        ({"code": "tool_use_failed", "status_code": 400}, "Try again"),
        ({"type": "invalid_request_error"}, REFUSED),
        ({"code": "1302"}, "while it was answering"),
        ("no object", "while it was answering"),
        (None, "while it was answering"),
    ],
)
def test_codes_in_a_stream_are_words_or_numbers(error: object, sentence: str) -> None:
    assert sentence in errors.in_stream(error).message


def test_an_error_in_a_stream_has_details() -> None:
    error = errors.in_stream({"code": 502, "message": "Provider disconnected"})
    assert error.details == "502: Provider disconnected"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, openai("Loading model", code=503, type="unavailable_error")),
        (503, {"error": "Model m is currently loading", "estimated_time": 20.0}),
        (500, openai("The model is still loading")),
    ],
)
def test_a_loading_model_is_distinguished(status: int, body: object) -> None:
    assert isinstance(error_of(status, body), ModelLoading)


OVERFLOWS = [
    (
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 "
        "tokens. Please reduce the length of the messages.",
        8192,
        9000,
    ),
    (
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4000 "
        "in the messages, 1000 in the completion).",
        4096,
        5000,
    ),
    (
        "'max_tokens' is too large: 1000. This model's maximum context length is 4096 tokens and your "
        "request has 4000 input tokens (1000 > 4096 - 4000).",
        4096,
        None,
    ),
    (
        "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
        4096,
        5000,
    ),
    ("Your input exceeds the context window of this model.", None, None),
    ("the request exceeds the available context size. try increasing it", None, None),
    ("request (14000 tokens) exceeds the available context size (4096 tokens)", 4096, 14000),
    ("prompt is too long: 210000 tokens > 200000 maximum", 200_000, 210_000),
    ("input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000", 200_000, None),
    (
        "The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).",
        1_048_576,
        1_100_000,
    ),
    (
        "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum "
        "context length",
        32_768,
        40_000,
    ),
    ("Please reduce the length of the messages or completion.", None, None),
    ("prompt too long; exceeded max context length by 1000 tokens", None, None),
    ("Input is too long for requested model.", None, None),
    (
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 "
        "`inputs` tokens and 512 `max_new_tokens`",
        8193,
        9000,
    ),
    (
        "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
        131_072,
        140_000,
    ),
    (
        "The number of tokens to keep from the initial prompt is greater than the context length.",
        None,
        None,
    ),
    ("The total of 140,000 tokens exceeds the context length of 128,000", 128_000, 140_000),
    ("context window exceeds limit (2013)", None, None),
    (
        "Your request exceeded model token limit: 262144 (requested: 300000)",
        262_144,
        300_000,
    ),
]


@pytest.mark.parametrize(("message", "window", "asked"), OVERFLOWS)
def test_a_full_context_is_recognised_with_its_numbers(
    message: str, window: int | None, asked: int | None
) -> None:
    error = error_of(400, openai(message))
    assert isinstance(error, ContextFull)
    assert (error.window, error.asked) == (window, asked)
    assert "too long" in error.message


def test_the_numbers_may_be_in_fields() -> None:
    body = openai("x", type="exceed_context_size_error", n_prompt_tokens=14000, n_ctx=4096)
    error = error_of(400, body)
    assert isinstance(error, ContextFull)
    assert (error.window, error.asked) == (4096, 14000)


def test_a_request_larger_than_a_minutes_tokens_is_too_long_not_too_early() -> None:
    message = (
        "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 7000"
    )
    error = error_of(413, openai(message, code="rate_limit_exceeded"))
    assert isinstance(error, ContextFull)
    assert (error.window, error.asked) == (6000, 7000)


@pytest.mark.parametrize("status", [400, 413])
@pytest.mark.parametrize(
    "message",
    [
        "Request too large: limit 100 kb",
        "Request is too large: the limit is 1,048,576 bytes, got 2,000,000",
        "request too large (limit: 100.5 MB)",
        "Input is too long: limit 20000 characters",
    ],
)
def test_bytes_are_not_tokens(status: int, message: str) -> None:
    error = error_of(status, openai(message))
    assert isinstance(error, ContextFull)
    assert (error.window, error.asked) == (None, None)


def test_a_number_without_a_unit_is_no_window_if_bytes_are_counted() -> None:
    for body in (
        "Payload too large: limit 102400",
        openai("limit 102400", code="request_too_large"),
    ):
        error = error_of(413, body)
        assert isinstance(error, ContextFull)
        assert error.window is None


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (429, "Rate limit reached: Limit 10000, Used 9000, Requested 3000"),
        (400, "max_tokens is too large: 100000. This model supports at most 4096"),
        (400, "Invalid 'messages[2].tool_calls[0].id': string too long"),
    ],
)
def test_other_limits_are_not_a_full_context(status: int, message: str) -> None:
    assert not isinstance(error_of(status, openai(message)), ContextFull)


def test_the_sentence_says_how_long_to_wait() -> None:
    complaint = details.read(429, b"{}", {"Retry-After": "120"})
    assert "Wait 2 minutes" in errors.of(complaint).message


@pytest.mark.parametrize(
    ("message", "window"),
    [
        ("`inputs` must have less than 4096 tokens. Given: 5000", 4096),
        ("Reached context length of 4096 tokens with model gemma", 4096),
        ("Prompt 超长", None),
        (
            "prompt is 9000 tokens long, the maximum supported sequence length is just 8192",
            8192,
        ),
        ("Invalid 'messages[1].content': string too long. Expected at most 1048576", None),
        (
            "The input token count (1200000) exceeds the limit: it only supports up to 1048576",
            1048576,
        ),
    ],
)
def test_more_wordings_of_a_full_context(message: str, window: int | None) -> None:
    problem = errors.of(details.of_error({"code": 400, "message": message}))
    assert isinstance(problem, ContextFull), problem.message
    assert problem.window == window


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (429, "您的账户已欠费"),
        (403, "Your newly created team doesn't have any credits yet."),
        (400, "Access denied: Arrearage, please make sure your account is in good standing."),
    ],
)
def test_missing_credit_has_many_wordings(status: int, message: str) -> None:
    problem = errors.of(details.of_error({"code": status, "message": message}))
    assert "credit" in problem.message
