"""Static files, served by Talos itself: hashed, compressed and cached forever.

`Storage` writes them at `collectstatic`; `StaticFiles` serves them from a list of files made at
start, so that no request searches the disk.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage

from talos_site import bundles


class Storage(CompressedManifestStaticFilesStorage):
    """Bundles the page's scripts and styles, then hashes and compresses all files."""

    def post_process(
        self, paths: dict[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[Any]:
        for folder in map(Path, settings.STATICFILES_DIRS):
            for name, text in bundles.bundle(folder).items():
                target = Path(self.path(name))
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, "utf-8")
                paths[name] = (self, name)
        yield from super().post_process(paths, dry_run, **options)


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise's middleware, adapted to an event loop.

    The original supports only synchronous handlers, which would push every asynchronous view behind
    it into a thread, and streams files with a synchronous iterator, which Django warns about.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        return self._respond(request) if self._is_async else super().__call__(request)

    async def _respond(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        found = self.find_file(path) if self.autorefresh else self.files.get(path)
        if found is None:
            response: HttpResponse = await self.get_response(request)
            return response
        # At most a few hundred kilobytes from the page cache: not worth a thread.
        return self.serve(found, request)

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        answer = static_file.get_response(request.method, request.META)
        content = b""
        if answer.file is not None:
            with answer.file as file:
                content = file.read()
        response = HttpResponse(content, status=int(answer.status))
        del response["Content-Type"]
        for name, value in answer.headers:
            response[name] = value
        return response

    def add_files(self, root: str | Path, prefix: str | None = None) -> None:
        """Serve nothing, without a warning, if files were not collected (in tests)."""
        if os.path.isdir(root):
            super().add_files(root, prefix)


def find_outdated() -> str | None:
    """Say why the static files must be collected; None if they are current."""
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if not manifest.is_file():
        return "The static files were not collected."
    collected = manifest.stat().st_mtime
    for folder in map(Path, settings.STATICFILES_DIRS):
        # Folders too: their time changes when a file is added or removed.
        if any(path.stat().st_mtime > collected for path in (folder, *folder.rglob("*"))):
            return "The static files have changed since they were collected."
    return None
