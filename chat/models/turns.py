"""Turns, and the pieces of live ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from chat.models.conversations import MAX_MODEL, Conversation, Message

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler


class _Literal(models.Value):
    """One of our own values, written into the statement.

    SQLite uses a partial index only if a statement repeats its condition word for word: a list of
    parameters is another condition.
    """

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str | int, ...]]:
        return f"'{self.value}'", ()


def _literally(statuses: Iterable[str]) -> list[_Literal]:
    return [_Literal(str(status)) for status in statuses]


class TurnQuerySet(models.QuerySet["Turn"]):
    def unfinished(self) -> Self:
        return self.filter(status__in=_literally(Turn.UNFINISHED))

    def live(self) -> Self:
        """Turns that have begun and are not over, at most one per conversation. One whose call was
        decided counts, even before a server takes it again."""
        return self.unfinished().exclude(status=Turn.Status.QUEUED, started_at=None)

    def failed(self) -> Self:
        """Turns that ended although nobody stopped them."""
        return self.filter(status__in=_literally(Turn.FAULTY))

    def queued(self) -> Self:
        """Turns that have not begun, in the order of their questions."""
        return self.filter(status=Turn.Status.QUEUED, started_at=None).order_by("pk")

    def run_by(self, process: str) -> Self:
        return self.filter(status=Turn.Status.RUNNING, process=process)


class Turn(models.Model):
    """One run of the model for one question: queued, running, waiting for a person, over."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        """Ready for any server: new, or with a tool call that was decided."""
        RUNNING = "running"
        """Held by `process`, which shows a heartbeat."""
        WAITING = "waiting"
        """Held by no server: all of its remaining tool calls need a person."""
        COMPLETED = "completed"
        CANCELLED = "cancelled"
        FAILED = "failed"
        INTERRUPTED = "interrupted"

    UNSUCCESSFUL = (Status.CANCELLED, Status.FAILED, Status.INTERRUPTED)
    """Over, but they can be continued."""
    FAULTY = (Status.FAILED, Status.INTERRUPTED)
    LIVE = (Status.RUNNING, Status.WAITING)
    UNFINISHED = (Status.QUEUED, *LIVE)

    id = models.BigAutoField(primary_key=True)
    message = models.OneToOneField(Message, on_delete=models.CASCADE)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE)
    """The message's conversation, repeated for the constraint on live turns."""
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.QUEUED)
    process = models.CharField(max_length=32, blank=True)
    """The server that runs it, or ran it last."""
    heartbeat_at = models.DateTimeField(null=True)
    """By the database's clock, which all servers share; all other times are by the server's clock."""
    cancel_requested_at = models.DateTimeField(null=True)
    context = models.PositiveIntegerField(null=True)
    """How many stored messages before the question the model is given; NULL: all."""
    model = models.CharField(max_length=MAX_MODEL)
    client_id = models.CharField(max_length=64, null=True)  # noqa: DJ001  (as the message's)
    """From the send or edit that asked for it; NULL: it had none, or something else asked."""
    input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)
    cached_tokens = models.PositiveIntegerField(null=True)
    cost = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    """US dollars, where the price is known."""
    error_code = models.CharField(max_length=20, blank=True)
    error = models.TextField(blank=True)
    """Shown to the person: why it failed, or why a completed one was cut short."""
    error_details = models.TextField(blank=True)
    """The status and the model server's own words, without keys and addresses."""
    note = models.TextField(blank=True)
    """Another remark shown to the person: what was left out of the request."""
    context_tokens = models.PositiveIntegerField(null=True)
    """Tokens of the model's context that the last request and its answer took."""
    context_window = models.PositiveIntegerField(null=True)
    """Tokens that the model's context holds, if known."""
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[TurnQuerySet] = TurnQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(status__in=["running", "waiting"]),
                name="turn_one_live",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "queued",
                        "running",
                        "waiting",
                        "completed",
                        "cancelled",
                        "failed",
                        "interrupted",
                    ]
                ),
                name="turn_status_known",
            ),
        ]
        indexes = [
            # read by each server once a second
            models.Index(
                fields=["status"],
                condition=Q(status__in=["queued", "running", "waiting"]),
                name="turn_unfinished",
            ),
            models.Index(
                fields=["client_id"],
                condition=Q(client_id__isnull=False),
                name="turn_by_client_id",
            ),
            # for the usage of the last days
            models.Index(
                fields=["ended_at"], condition=Q(ended_at__isnull=False), name="turn_by_end"
            ),
            models.Index(
                fields=["ended_at"],
                condition=Q(status__in=["failed", "interrupted"]),
                name="turn_failed_by_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model}: {self.status}"

    @property
    def is_over(self) -> bool:
        return self.status not in self.UNFINISHED

    @property
    def is_whole(self) -> bool:
        """It ended as the model wished: there is nothing to continue."""
        return self.status == self.Status.COMPLETED and not self.error


class SoFar(NamedTuple):
    """The content of a live turn's pieces."""

    seq: int
    """Number of the last frame; 0: none yet."""
    text: str
    reasoning: str


class PieceQuerySet(models.QuerySet["Piece"]):
    def so_far(self, turn_id: int) -> SoFar:
        """Read a live turn's text and reasoning, in one query."""
        pieces = list(
            self.filter(turn=turn_id).order_by("seq", "pk").values_list("seq", "text", "thought")
        )
        return SoFar(
            seq=max((seq for seq, _, _ in pieces), default=0),
            text="".join(text for _, text, thought in pieces if not thought),
            reasoning="".join(text for _, text, thought in pieces if thought),
        )


class Piece(models.Model):
    """The output of a live turn that the journal stored at one tick; folded into the message at the end."""

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, db_index=False)
    seq = models.PositiveBigIntegerField()
    """Number of the last frame in this piece, or before it."""
    text = models.TextField(blank=True)
    thought = models.PositiveBigIntegerField(default=0)
    """0 for answer text; otherwise this reasoning piece's ordinal. Reasoning has no numbered frames, so
    its pieces may share a `seq`."""

    objects: ClassVar[PieceQuerySet] = PieceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            # the table's only index, also for the foreign key: each index is one more page to write
            # per turn and tick
            models.UniqueConstraint(fields=["turn", "seq", "thought"], name="piece_numbered_once")
        ]

    def __str__(self) -> str:
        return f"{self.seq}: {self.text[:60]}"
