"""Downloads: one conversation as a file, or all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO, Self
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from chat.transfer.archive import writing
from chat.transfer.archive.encoders import Encoder, JsonDocument, JsonLines
from chat.transfer.markdown import Markdown
from chat.transfer.names import slug
from chat.transfer.selection import Ids, Selection
from chat.views.request import HtmxRequest, find_or_404

PIECE_BYTES = 64 * 1024
_ENCODERS: tuple[type[Encoder], ...] = (Markdown, JsonDocument, JsonLines)


@never_cache
@require_GET
def download(
    request: HtmxRequest, conversation_id: UUID, suffix: str
) -> HttpResponse | StreamingHttpResponse:
    """Download a conversation as a file: Markdown (`.md`) or an archive (`.json`, `.jsonl`)."""
    found = find_or_404(request.user, conversation_id)
    encoder = next((encoder() for encoder in _ENCODERS if encoder.suffix == suffix), None)
    if encoder is None or found.leaf_id is None:
        raise Http404
    ids = Ids(Selection(ids=(found.pk,), owner=request.user))
    return streamed_download(ids, encoder, slug(found.title) or "chat")


@never_cache
@require_GET
def export(request: HtmxRequest) -> StreamingHttpResponse:
    """Download all conversations of the owner as one archive."""
    day = timezone.localdate().isoformat()
    return streamed_download(Ids(Selection(owner=request.user)), JsonLines(), f"talos-{day}")


def streamed_download(ids: Ids, encoder: Encoder, name: str) -> StreamingHttpResponse:
    """Stream an export while it is written; its length is unknown."""
    headers = {
        "Content-Type": f"{encoder.media_type}; charset=utf-8",
        "Content-Disposition": content_disposition_header(True, f"{name}.{encoder.suffix}") or "",
    }
    return StreamingHttpResponse(_Chunks(writing.together(ids, encoder)), headers=headers)


def file_download(file: IO[bytes], name: str, media_type: str) -> StreamingHttpResponse:
    """Stream a written file; it is closed with the response."""
    headers = {
        "Content-Length": str(file.tell()),
        "Content-Type": f"{media_type}; charset=utf-8",
        "Content-Disposition": content_disposition_header(True, name) or "",
    }
    chunks = _Chunks(_pieces(file))
    chunks.close = file.close  # also closes a response that is never read
    return StreamingHttpResponse(chunks, headers=headers)


def _pieces(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    file.seek(0)
    while piece := file.read(PIECE_BYTES):
        yield 0, piece


class _Chunks:
    """Chunks of a download; each is produced in a request thread once the last one was sent."""

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
