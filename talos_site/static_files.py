"""Static files, served by the product itself: hashed, compressed and cached for ever.

`Storage` writes them at `collectstatic`; `StaticFiles` serves what it wrote. No disk is searched
for a request: the list of files is made at start.
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
    """Hashes and compresses; before that the page's scripts and styles become one file each."""

    def post_process(
        self, paths: dict[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[Any]:
        for folder in map(Path, settings.STATICFILES_DIRS):
            for name, text in bundles.made(folder).items():
                target = Path(self.path(name))
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, "utf-8")
                paths[name] = (self, name)
        yield from super().post_process(paths, dry_run, **options)


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise's middleware, at home in an event loop.

    The original knows only synchronous handlers, which would push every asynchronous view behind
    it into a thread, and streams files with a synchronous iterator, which Django warns of.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        return self._later(request) if self._is_async else super().__call__(request)

    async def _later(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        found = self.find_file(path) if self.autorefresh else self.files.get(path)
        if found is None:
            response: HttpResponse = await self.get_response(request)
            return response
        # A few hundred kilobytes at most, out of the page cache: not worth a thread.
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
        """Without collected files (in tests) there is nothing to serve, and no warning to give."""
        if os.path.isdir(root):
            super().add_files(root, prefix)


def what_is_missing() -> str | None:
    """Why the pages' static files have to be collected; None: they need not."""
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if not manifest.is_file():
        return "The static files were not collected."
    collected = manifest.stat().st_mtime
    for folder in map(Path, settings.STATICFILES_DIRS):
        # Folders too: their time changes when a file comes or goes.
        if any(path.stat().st_mtime > collected for path in (folder, *folder.rglob("*"))):
            return "The static files changed since they were collected."
    return None
