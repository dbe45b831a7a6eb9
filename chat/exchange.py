"""Conversations as files, on the page: download one, export all, bring some in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Self, cast
from uuid import UUID

from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from chat import pages
from chat.database import UNAVAILABLE, words
from chat.models import Audit
from chat.pages import HtmxRequest
from chat.services.history import Import, Report
from chat.transfer import writing
from chat.transfer.encoders import Encoder, JsonDocument, JsonLines
from chat.transfer.markdown import Markdown
from chat.transfer.names import slug
from chat.transfer.selection import Ids, Selection

_ENCODERS: tuple[type[Encoder], ...] = (Markdown, JsonDocument, JsonLines)
MAX_UPLOAD = 128 * 1024 * 1024
REPORTED = 100
"""Conversations of a file that a report names."""
_REST = "What was imported by then stays. Choose the file again to bring in the rest."


@never_cache
@require_GET
def download(
    request: HtmxRequest, conversation_id: UUID, suffix: str
) -> HttpResponse | StreamingHttpResponse:
    """A conversation as a file: `.md` to read, `.json` or `.jsonl` to keep."""
    found = pages.find(request.user, conversation_id)
    encoder = next((encoder() for encoder in _ENCODERS if encoder.suffix == suffix), None)
    if encoder is None or found.leaf_id is None:
        raise Http404
    ids = Ids(Selection(ids=(found.pk,), owner=request.user))
    return attachment(ids, encoder, slug(found.title) or "chat")


@never_cache
@require_GET
def export(request: HtmxRequest) -> StreamingHttpResponse:
    """All conversations of the owner, as one archive."""
    day = timezone.localdate().isoformat()
    return attachment(Ids(Selection(owner=request.user)), JsonLines(), f"talos-{day}")


@never_cache
@require_http_methods(["GET", "POST"])
def bring_in(request: HtmxRequest) -> HttpResponse:
    """Ask for a file of conversations, and bring them in; then a report that names what was not."""
    context: dict[str, Any] = {"sidebar": pages.sidebar(request.user, None)}
    if request.method == "POST":
        file = request.FILES.get("file")
        if not isinstance(file, UploadedFile) or not file.name:
            context["complaint"] = "Choose a file first."
        elif (file.size or 0) > MAX_UPLOAD:
            context["complaint"] = (
                f"This file is larger than {filesizeformat(MAX_UPLOAD)}. "
                "On the server, manage.py import_history takes files of any size."
            )
        else:
            context |= _imported(request, file)
    return render(request, "chat/import.html", context)


def _imported(request: HtmxRequest, file: UploadedFile[Any]) -> dict[str, Any]:
    owner = request.user
    run = Import(
        owner,
        lambda name: owner if name == owner.username else None,
        source=Audit.Source.PAGE,
        by=owner,
        renew="renew" in request.POST,
    )
    named: list[Report] = []
    more = 0
    name = file.name or "file"
    complaint = ""
    try:
        for report in run.file(cast("BinaryIO", file.file), name):
            if report.note and len(named) < REPORTED:
                named.append(report)
            elif report.note:
                more += 1
        run.finish(name)
    except UNAVAILABLE as error:
        complaint = f"{words(error)} {_REST}"
    return {
        "summary": run.summary(),
        "has_faults": run.has_faults or complaint,
        "reports": named,
        "more": more,
        "complaint": complaint,
    }


def attachment(ids: Ids, encoder: Encoder, name: str) -> StreamingHttpResponse:
    """A file to save, sent while it is written: nobody knows how long it will be."""
    headers = {
        "Content-Type": f"{encoder.media_type}; charset=utf-8",
        "Content-Disposition": content_disposition_header(True, f"{name}.{encoder.suffix}") or "",
    }
    return StreamingHttpResponse(_Chunks(writing.together(ids, encoder)), headers=headers)


class _Chunks:
    """A file piece by piece, each written in the request's own thread when the last one was sent."""

    def __init__(self, chunks: Iterator[tuple[int, bytes]]) -> None:
        self._next = sync_to_async(lambda: next(chunks, None))
        self.close: Callable[[], None] = getattr(chunks, "close", lambda: None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while chunk := await self._next():
            if chunk[1]:
                return chunk[1]
        raise StopAsyncIteration
