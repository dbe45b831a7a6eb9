"""Refuses bad requests before a view sees them, and serves the error pages.

Text in an address or a form is checked here once for all views, including the admin's: PostgreSQL
does not store a NUL, and an archive with one cannot be read.
"""

from __future__ import annotations

import codecs
import logging
from typing import Any

from django.core.exceptions import BadRequest
from django.db import DataError
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render

from chat.access.middleware import Middleware
from chat.protocol import is_storable

log = logging.getLogger(__name__)

ADMIN, API = "/admin/", "/api/"
_WORDS = {
    400: "This request cannot be understood.",
    403: "This is not allowed.",
    404: "Not found.",
    500: "Something went wrong on the server. See its log.",
}
"""For programs; people get the page of that status."""


class Refusals(Middleware):
    """Answers 400 for text that cannot be stored, and for a number or time that no column holds."""

    def __call__(self, request: HttpRequest) -> Any:
        # before the form is read: some of Python's encodings are not for text
        if not _is_utf8(request.content_params or {}):
            raise BadRequest("A form must be in UTF-8.")
        return super().__call__(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, options: object
    ) -> None:
        """Check the fields after Django's own check of forms, which has read them already."""
        if not all(_is_storable(fields) for fields in (request.GET, request.POST)):
            raise BadRequest("Text has a NUL or a lone surrogate.")

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer 400 for a value in the address (`?owner=99999999999999999999`) or in the admin."""
        is_asked = request.method in ("GET", "HEAD") or request.path.startswith(ADMIN)
        if not is_asked or not isinstance(error, OverflowError | DataError):
            return None
        log.warning("%s %s: %s", request.method, request.path, error)
        return bad_request(request)


def _is_utf8(parameters: dict[str, str]) -> bool:
    """Whether a Content-Type names no other encoding."""
    try:
        return codecs.lookup(parameters.get("charset", "utf-8")).name == "utf-8"
    except LookupError:
        return False


def _is_storable(fields: QueryDict) -> bool:
    return all(map(is_storable, fields)) and all(
        is_storable(value) for _, values in fields.lists() for value in values
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error_page(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error_page(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error_page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _error_page(request, 500)


def _error_page(request: HttpRequest, status: int) -> HttpResponse:
    if request.path.startswith(API):
        return JsonResponse({"error": _WORDS[status]}, status=status)
    # other errors may have happened before the user was known
    context_of = request if status == 404 else None
    return render(context_of, f"{status}.html", status=status)
