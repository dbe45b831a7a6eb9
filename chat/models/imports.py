"""Imports of uploaded files."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class ImportJob(models.Model):
    """An uploaded file: it waits for its turn, is imported, and has a report.

    The file stays in the data directory until the end: see `services/imports/jobs.py`.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "waiting"
        RUNNING = "running", "running"
        """By the process that holds the file's lock."""
        DONE = "done", "finished"
        CANCELLED = "cancelled", "stopped"
        FAILED = "failed", "broken off"

    UNFINISHED = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    name = models.CharField(max_length=200)
    """The file's original name."""
    size = models.PositiveBigIntegerField()
    """Bytes."""
    renew = models.BooleanField(default=False)
    """Replace earlier imports that nobody has continued."""
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    """How often it was started: the process that runs it may be killed."""
    cancel_requested = models.BooleanField(default=False)
    read = models.PositiveBigIntegerField(default=0)
    """Bytes whose conversations were processed."""
    looked_at = models.PositiveIntegerField(default=0)
    """Conversations that were processed. A resumed job skips them."""
    counts = models.JSONField(default=dict)
    """Their number by `Outcome`; `""` for those without content."""
    summary = models.TextField(blank=True)
    """The result so far, in words."""
    has_faults = models.BooleanField(default=False)
    complaint = models.TextField(blank=True)
    """Why it failed, and what to do."""
    report = models.JSONField(default=list)
    """Remarks on the first conversations that have any: `[text, is_fault]` each."""
    more = models.PositiveIntegerField(default=0)
    """How many more there are."""
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running", "done", "cancelled", "failed"]),
                name="import_job_status_known",
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="import_job_by_time")]

    def __str__(self) -> str:
        return f"{self.name}: {self.status}"

    @property
    def is_over(self) -> bool:
        return self.status not in self.UNFINISHED

    @property
    def percent(self) -> int:
        return 100 if self.is_over else min(99, self.read * 100 // max(self.size, 1))
