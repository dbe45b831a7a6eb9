"""Conversations as files, on the page: download one, export all, bring some in."""

from __future__ import annotations

import asyncio
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO, Self, cast
from uuid import UUID

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
CHUNK_BYTES = 64 * 1024
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
    """A file to save. It is whole before its first byte is sent, and says how long it is."""
    file = TemporaryFile()  # noqa: SIM115  # closed with the response
    for _, chunk in writing.together(ids, encoder):
        file.write(chunk)
    return saved(file, f"{name}.{encoder.suffix}", encoder.media_type)


def saved(file: IO[bytes], name: str, media_type: str) -> StreamingHttpResponse:
    """What was written into a file, in pieces; it is closed with the response."""
    headers = {
        "Content-Length": str(file.tell()),
        "Content-Type": f"{media_type}; charset=utf-8",
        "Content-Disposition": content_disposition_header(True, name) or "",
    }
    file.seek(0)
    return StreamingHttpResponse(_Chunks(file), headers=headers)


class _Chunks:
    """A file in pieces, between which the server does its other work."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.close = file.close

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        await asyncio.sleep(0)
        if chunk := self._file.read(CHUNK_BYTES):
            return chunk
        raise StopAsyncIteration
