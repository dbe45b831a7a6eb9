"""What is refused before a view sees it, and the pages that say what went wrong.

Text that enters through an address or a form is checked here, once and for all views, the admin's
too: PostgreSQL does not store a NUL, and no archive that has one is read.
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
    404: "There is nothing here.",
    500: "Something went wrong on the server. Its log says what.",
}
"""For programs; people get the page of that number."""


class Refusals(Middleware):
    """400 for text that cannot be stored, and for a number or a time that no column holds."""

    def __call__(self, request: HttpRequest) -> Any:
        # before anybody reads the form: Python has "encodings" in which there is no text
        if not _is_utf8(request.content_params or {}):
            raise BadRequest("A form is in UTF-8.")
        return super().__call__(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, options: object
    ) -> None:
        """After Django's own check of forms, which has read this one already."""
        if not all(_is_storable(fields) for fields in (request.GET, request.POST)):
            raise BadRequest("Text has a NUL or a lone surrogate.")

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Such a value was in the address, `?owner=99999999999999999999`, or chosen in the admin."""
        is_asked = request.method in ("GET", "HEAD") or request.path.startswith(ADMIN)
        if not is_asked or not isinstance(error, OverflowError | DataError):
            return None
        log.warning("%s %s: %s", request.method, request.path, error)
        return bad_request(request)


def _is_utf8(parameters: dict[str, str]) -> bool:
    """Of a Content-Type that says nothing else."""
    try:
        return codecs.lookup(parameters.get("charset", "utf-8")).name == "utf-8"
    except LookupError:
        return False


def _is_storable(fields: QueryDict) -> bool:
    return all(map(is_storable, fields)) and all(
        is_storable(value) for _, values in fields.lists() for value in values
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _said(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _said(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _said(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _said(request, 500)


def _said(request: HttpRequest, status: int) -> HttpResponse:
    if request.path.startswith(API):
        return JsonResponse({"error": _WORDS[status]}, status=status)
    # what went wrong may have done so before anybody knew who asks, and with what
    asking = request if status == 404 else None
    return render(asking, f"{status}.html", status=status)
