"""Importing conversations on the page: choose files, watch the progress, cancel."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any, BinaryIO, cast
from urllib.parse import urlencode
from uuid import UUID

from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chat.db.lanes import read
from chat.display.sidebar import sidebar_for
from chat.errors import NotAllowed
from chat.models import ImportJob
from chat.services.imports import jobs
from chat.transfer.importers import zips
from chat.views.request import HtmxRequest

MAX_UPLOAD = 128 * 1024 * 1024
AT_ONCE = 256 * 1024
"""Unpacked bytes of a file that is imported within its request, which takes less time than starting
a process."""
LATEST = 10
"""Imports that the page lists."""
POLL_SECONDS = 0.25
GLANCE = 1.5
"""Seconds that a browser waits before it gets the progress instead of the report."""
WAIT = 60
"""Seconds that a script waits before it is redirected to the same page. The server ends requests
after 120."""


@never_cache
@require_http_methods(["GET", "POST"])
def bring_in(request: HtmxRequest) -> HttpResponse:
    """Ask for files of conversations and import them; each import has its own page."""
    complaint = ""
    if request.method == "POST":
        made, complaint = _submit(request)
        if len(made) == 1 and not complaint:
            return redirect("chat:imported", made[0].pk)
        if made and not complaint:
            return redirect("chat:import")
    latest = list(ImportJob.objects.filter(owner=request.user).order_by("-created_at")[:LATEST])
    context = {
        "sidebar": sidebar_for(request.user, None),
        "complaint": complaint,
        "jobs": latest,
        "is_busy": any(not job.is_over for job in latest),
    }
    return render(request, "chat/pages/import.html", context)


def _submit(request: HtmxRequest) -> tuple[list[ImportJob], str]:
    """Submit the uploaded files. Returns their jobs, and why a file has none."""
    made: list[ImportJob] = []
    for file in request.FILES.getlist("file"):
        if complaint := _too_large(file):
            return made, complaint
        try:
            made.append(_job(request, file))
        except NotAllowed as error:
            return made, str(error)
        except OSError as error:
            return made, f"The server cannot keep {file.name}: {error.strerror}."
    return made, "" if made else "Choose a file first."


def _too_large(file: UploadedFile[Any]) -> str:
    if (file.size or 0) <= MAX_UPLOAD:
        return ""
    return (
        f"{file.name} is larger than {filesizeformat(MAX_UPLOAD)}. "
        "On the server, manage.py import_history takes files of any size."
    )


def _job(request: HtmxRequest, file: UploadedFile[Any]) -> ImportJob:
    """Submit a file; a small one is imported at once."""
    size, data = file.size or 0, cast("BinaryIO", file.file)
    job = jobs.submit(
        request.user,
        data,
        file.name or "file",
        size,
        renew="renew" in request.POST,
    )
    if size <= AT_ONCE and zips.readable_size(data) <= AT_ONCE:
        jobs.run(job.pk)
    return job


@never_cache
@require_GET
async def show_import(request: HtmxRequest, job_id: UUID) -> HttpResponseBase:
    """Show the progress or the result of an import. A script gets the response when it is over."""
    job = await read(_get_job, request, job_id)
    is_browser = "text/html" in request.headers.get("Accept", "")
    until = monotonic() + (0 if request.htmx else GLANCE if is_browser else WAIT)
    while not job.is_over and monotonic() < until:
        await asyncio.sleep(POLL_SECONDS)
        job = await read(_get_job, request, job_id)
    if not (job.is_over or is_browser or request.htmx):
        return redirect(f"{request.path}?{urlencode({'waited': _seconds_waited(request) + WAIT})}")
    page: HttpResponse = await sync_to_async(_page)(request, job)
    return page


def _seconds_waited(request: HttpRequest) -> int:
    """Seconds waited so far; in the URL, so that no redirect leads to itself."""
    waited = request.GET.get("waited", "")
    return int(waited) if waited.isdecimal() and len(waited) < 9 else 0


def _page(request: HtmxRequest, job: ImportJob) -> HttpResponse:
    part = request.htmx and not request.htmx.boosted
    context: dict[str, Any] = {"job": job}
    if not part:
        context["sidebar"] = sidebar_for(request.user, None)
    return render(
        request,
        "chat/pages/import_progress.html" if part else "chat/pages/import_job.html",
        context,
    )


@require_POST
def cancel(request: HtmxRequest, job_id: UUID) -> HttpResponse:
    """Cancel an import. What it has imported so far stays."""
    job = _get_job(request, job_id)
    jobs.cancel(job)
    return redirect(reverse("chat:imported", args=[job.pk]))


def _get_job(request: HtmxRequest, job_id: UUID) -> ImportJob:
    try:
        return ImportJob.objects.get(pk=job_id, owner=request.user.pk)
    except ImportJob.DoesNotExist:
        raise Http404 from None
