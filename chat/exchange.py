"""Conversations as files, on the page: download one, export all."""

from __future__ import annotations

import asyncio
from tempfile import TemporaryFile
from typing import IO, Self
from uuid import UUID

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from chat import pages
from chat.pages import HtmxRequest
from chat.transfer import writing
from chat.transfer.encoders import Encoder, JsonDocument, JsonLines
from chat.transfer.markdown import Markdown
from chat.transfer.names import slug
from chat.transfer.selection import Ids, Selection

_ENCODERS: tuple[type[Encoder], ...] = (Markdown, JsonDocument, JsonLines)
CHUNK_BYTES = 64 * 1024


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


def attachment(ids: Ids, encoder: Encoder, name: str) -> StreamingHttpResponse:
    """A file to save. It is whole before its first byte is sent, and says how long it is."""
    file = TemporaryFile()  # noqa: SIM115  # closed with the response
    for _, chunk in writing.together(ids, encoder):
        file.write(chunk)
    headers = {
        "Content-Length": str(file.tell()),
        "Content-Type": f"{encoder.media_type}; charset=utf-8",
        "Content-Disposition": content_disposition_header(True, f"{name}.{encoder.suffix}") or "",
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
