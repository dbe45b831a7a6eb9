"""Files that are brought in."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class ImportJob(models.Model):
    """A file that was uploaded to be imported: waits for its turn, is brought in, is reported on.

    The file lies in the data directory until the end: see `services/jobs.py`.
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
    """Of the file, where it came from."""
    size = models.PositiveBigIntegerField()
    """Bytes."""
    renew = models.BooleanField(default=False)
    """Replace earlier imports that nobody has continued."""
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    """How often it was begun: whoever runs it may be killed."""
    cancel_requested = models.BooleanField(default=False)
    read = models.PositiveBigIntegerField(default=0)
    """Bytes whose conversations were looked at."""
    looked_at = models.PositiveIntegerField(default=0)
    """Conversations. Who goes on with it passes over these."""
    counts = models.JSONField(default=dict)
    """What became of them: how many by `Outcome`, `""` for those with nothing in them."""
    summary = models.TextField(blank=True)
    """What came of it so far, in words."""
    has_faults = models.BooleanField(default=False)
    complaint = models.TextField(blank=True)
    """Why it was broken off, and what to do."""
    report = models.JSONField(default=list)
    """The first conversations of which there is something to say: `[text, is_fault]` each."""
    more = models.PositiveIntegerField(default=0)
    """How many others there are."""
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
