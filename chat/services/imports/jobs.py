"""Uploaded files imported in the background; a row records how far each one is.

The process that runs a job holds a lock on its file and releases it by ending. So a running job
whose lock is free was cut off, and is resumed where it stopped.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from chat.db import process
from chat.db.lanes import UNAVAILABLE, explain, notes
from chat.errors import NotAllowed
from chat.models import Audit, ImportJob
from chat.services.imports.plan import Outcome
from chat.services.imports.run import Import, Report

REPORTED = 100
"""The most conversations that a job's report names."""
ATTEMPTS = 5
KEPT = timedelta(days=30)
ELSEWHERE = timedelta(days=1)
"""How long a job without a file may belong to another server."""
MAX_WAITING = 20
"""Unfinished jobs per owner."""
SAVE_SECONDS = 0.5
REST = "Conversations imported so far stay. Choose the file again to import the rest."
_MANY = f"{MAX_WAITING} imports are waiting already. Please let some finish."
_GIVEN_UP = f"The import was interrupted {ATTEMPTS} times. The server's log may say why. {REST}"
_LOST = f"The uploaded file is gone from the server. {REST}"
Status = ImportJob.Status


class _Cancelled(Exception):
    """Raised when the owner cancels the job."""


class _Stopped(Exception):
    """Raised when this process must end; another one will resume the job."""


def place(job_id: UUID) -> Path:
    """Return the path of a job's file."""
    return Path(settings.DATA_DIR) / "imports" / job_id.hex


def submit(owner: User, file: BinaryIO, name: str, size: int, *, renew: bool = False) -> ImportJob:
    """Store a file to be imported. Raises `NotAllowed` and `OSError`."""
    if (
        ImportJob.objects.filter(owner=owner, status__in=ImportJob.UNFINISHED).count()
        >= MAX_WAITING
    ):
        raise NotAllowed(_MANY)
    job = ImportJob(owner=owner, name=name[-200:].replace("\0", ""), size=size, renew=renew)
    path = place(job.pk)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        with open(path, "xb", opener=_private) as copy:
            shutil.copyfileobj(file, copy)
        job.save(force_insert=True)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return job


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def cancel(job: ImportJob) -> None:
    """Cancel a job. Conversations imported so far stay."""
    unfinished = ImportJob.objects.filter(pk=job.pk, status__in=ImportJob.UNFINISHED)
    unfinished.update(cancel_requested=True)
    with _held(job.pk) as file:  # no process runs it
        if file is not None:
            _end(job.pk, Status.CANCELLED)
    if not place(job.pk).exists():  # a server elsewhere that runs it reads `cancel_requested`
        _end(job.pk, Status.CANCELLED)


def waiting() -> list[UUID]:
    """Return this data directory's unfinished jobs, oldest first; none while one is running."""
    unfinished = ImportJob.objects.filter(status__in=ImportJob.UNFINISHED).order_by("created_at")
    jobs = []
    for job_id in unfinished.values_list("pk", flat=True):
        with _held(job_id) as file:
            if file is not None:
                jobs.append(job_id)
            elif place(job_id).exists():
                return []
    return jobs


def tidy() -> None:
    """Delete old rows and files without a job, and end jobs whose file is gone.

    If there may be other servers, a missing file may be on one of them: wait for a day.
    """
    now = timezone.now()
    unfinished = ImportJob.objects.filter(status__in=ImportJob.UNFINISHED)
    known = {place(job_id) for job_id in unfinished.values_list("pk", flat=True)}
    folder = place(UUID(int=0)).parent
    for path in set(folder.glob("*")) - known:
        if _is_old(path, now.timestamp()):
            path.unlink(missing_ok=True)
    lost = unfinished if process.is_alone() else unfinished.filter(created_at__lt=now - ELSEWHERE)
    for job_id in lost.values_list("pk", flat=True):
        if not place(job_id).exists():
            _end(job_id, Status.FAILED, complaint=_LOST)
    over = ImportJob.objects.exclude(status__in=ImportJob.UNFINISHED)
    over.filter(created_at__lt=now - KEPT).delete()


def _is_old(path: Path, now: float) -> bool:
    """Whether a file is old enough to be removed: a new one's row may not be stored yet."""
    try:
        return now - path.stat().st_mtime > timedelta(hours=1).total_seconds()
    except FileNotFoundError:  # its importer has just removed it
        return False


def run(job_id: UUID, *, is_stopped: Callable[[], bool] = lambda: False) -> None:
    """Import the rest of a job's file unless another process does.

    Once `is_stopped` returns True, the job is left for another process.
    """
    with _held(job_id) as file:
        job = ImportJob.objects.filter(pk=job_id, status__in=ImportJob.UNFINISHED).first()
        if file is None or job is None:
            return
        if job.cancel_requested:
            _end(job_id, Status.CANCELLED)
            return
        job.attempts += 1
        if job.attempts > ATTEMPTS:
            _end(job_id, Status.FAILED, complaint=_GIVEN_UP)
            return
        job.status = Status.RUNNING
        job.save(update_fields=["attempts", "status"])
        _run(job, file, is_stopped)


def _run(job: ImportJob, file: BinaryIO, is_stopped: Callable[[], bool]) -> None:
    progress = _Progress(job, file, is_stopped)
    try:
        progress.import_all()
    except _Stopped:
        ImportJob.objects.filter(pk=job.pk).update(status=Status.QUEUED, attempts=0)
    except _Cancelled:
        progress.end(Status.CANCELLED)
    except UNAVAILABLE as error:
        progress.end(Status.FAILED, complaint=" ".join((explain(error), *notes(error), REST)))
    else:
        progress.end(Status.DONE)


class _Progress:
    """One run of a job, and its progress in the job's row."""

    def __init__(self, job: ImportJob, file: BinaryIO, is_stopped: Callable[[], bool]) -> None:
        self._job, self._file, self._is_stopped = job, file, is_stopped
        owner = job.owner
        self._run = Import(
            owner,
            lambda name: owner if name == owner.get_username() else None,
            source=Audit.Source.PAGE,
            by=owner,
            renew=job.renew,
            on_step=self._on_step,
        )
        for outcome in (*Outcome, None):
            self._run.counts[outcome] = job.counts.get(outcome.value if outcome else "", 0)
        self._before = 0
        """Bytes of the conversations read so far."""
        self._saved_at = monotonic()

    def import_all(self) -> None:
        for report in self._run.file(self._file, self._job.name, skip=self._job.looked_at):
            self._job.looked_at += 1
            self._note(report)
            self._before = self._file.tell()
            self._on_step(0.0)

    def end(self, status: Status, complaint: str = "") -> None:
        self._run.finish(self._job.name)
        self._save()
        _end(self._job.pk, status, complaint=complaint)

    def _note(self, report: Report) -> None:
        if not report.note:
            return
        if len(self._job.report) < REPORTED:
            self._job.report.append([str(report), report.is_fault])
        else:
            self._job.more += 1

    def _on_step(self, part: float) -> None:
        if self._is_stopped():
            self._save()
            raise _Stopped
        if monotonic() - self._saved_at > SAVE_SECONDS:
            self._job.read = self._before + int(part * (self._file.tell() - self._before))
            self._save()
            if ImportJob.objects.filter(pk=self._job.pk, cancel_requested=True).exists():
                raise _Cancelled

    def _save(self) -> None:
        job, run = self._job, self._run
        job.counts = {key.value if key else "": n for key, n in run.counts.items() if n}
        job.summary, job.has_faults = run.summary(), run.has_faults
        job.save(
            update_fields=["read", "looked_at", "counts", "summary", "has_faults", "report", "more"]
        )
        self._saved_at = monotonic()


def _end(job_id: UUID, status: Status, complaint: str = "") -> None:
    unfinished = ImportJob.objects.filter(pk=job_id, status__in=ImportJob.UNFINISHED)
    unfinished.update(status=status, complaint=complaint, ended_at=timezone.now())
    place(job_id).unlink(missing_ok=True)


@contextmanager
def _held(job_id: UUID) -> Iterator[BinaryIO | None]:
    """Lock and yield a job's file. None: another process holds it, or it is not here."""
    try:
        file = place(job_id).open("rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file
