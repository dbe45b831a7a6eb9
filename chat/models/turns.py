"""How answers come to be, and what a live one has written so far."""

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
    """A value of ours, written into the statement.

    SQLite uses a partial index only where a statement says its condition word for word: a list of
    parameters, whatever they are, is another condition.
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
        """Begun and not over, at most one a conversation: also one of which a call was decided
        and that nobody has taken again yet."""
        return self.unfinished().exclude(status=Turn.Status.QUEUED, started_at=None)

    def failed(self) -> Self:
        """Over, by nobody's wish."""
        return self.filter(status__in=_literally(Turn.FAULTY))

    def queued(self) -> Self:
        """Those that have not begun, in the order in which they were asked for."""
        return self.filter(status=Turn.Status.QUEUED, started_at=None).order_by("pk")

    def run_by(self, process: str) -> Self:
        return self.filter(status=Turn.Status.RUNNING, process=process)


class Turn(models.Model):
    """How an answer comes to be: queued, running, waiting for a person, over."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        """Ready for any server: new, or with a tool call of it decided."""
        RUNNING = "running"
        """Held by `process`, which shows its heartbeat."""
        WAITING = "waiting"
        """Held by nobody: all that is left of its tool calls needs a person."""
        COMPLETED = "completed"
        CANCELLED = "cancelled"
        FAILED = "failed"
        INTERRUPTED = "interrupted"

    UNSUCCESSFUL = (Status.CANCELLED, Status.FAILED, Status.INTERRUPTED)
    """Over, but one may go on with them."""
    FAULTY = (Status.FAILED, Status.INTERRUPTED)
    LIVE = (Status.RUNNING, Status.WAITING)
    UNFINISHED = (Status.QUEUED, *LIVE)

    id = models.BigAutoField(primary_key=True)
    message = models.OneToOneField(Message, on_delete=models.CASCADE)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE)
    """The message's, repeated for the constraint on live turns."""
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.QUEUED)
    process = models.CharField(max_length=32, blank=True)
    """The server that runs it, or ran it last."""
    heartbeat_at = models.DateTimeField(null=True)
    """By the database's clock, which all servers share; all other times are the server's."""
    cancel_requested_at = models.DateTimeField(null=True)
    context = models.PositiveIntegerField(null=True)
    """How many stored messages before the question the model is given; NULL: all."""
    model = models.CharField(max_length=MAX_MODEL)
    client_id = models.CharField(max_length=64, null=True)  # noqa: DJ001  (as the message's)
    """Of the send or edit that asked for it; NULL: it had none, or something else asked."""
    input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)
    cached_tokens = models.PositiveIntegerField(null=True)
    cost = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    """US dollars, where the price is known."""
    error_code = models.CharField(max_length=20, blank=True)
    error = models.TextField(blank=True)
    """What the person was told: why it failed, or why a completed one is cut short."""
    error_details = models.TextField(blank=True)
    """The status and the model server's own words, without keys and addresses."""
    note = models.TextField(blank=True)
    """What else the person was told of the answer: what was left out of what was asked."""
    context_tokens = models.PositiveIntegerField(null=True)
    """What the last request and its answer took of the model's context."""
    context_window = models.PositiveIntegerField(null=True)
    """Tokens that the model's context holds, where that was known."""
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
            # what a server looks at once a second
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
            # what was used in the last days
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
        """It ended as the model wished: there is nothing to go on with."""
        return self.status == self.Status.COMPLETED and not self.error


class SoFar(NamedTuple):
    """What the pieces of a live turn say."""

    seq: int
    """Of the last numbered frame; 0: none yet."""
    text: str
    reasoning: str


class PieceQuerySet(models.QuerySet["Piece"]):
    def so_far(self, turn_id: int) -> SoFar:
        """A live turn's text and reasoning, in one query."""
        pieces = list(
            self.filter(turn=turn_id).order_by("seq", "pk").values_list("seq", "text", "thought")
        )
        return SoFar(
            seq=max((seq for seq, _, _ in pieces), default=0),
            text="".join(text for _, text, thought in pieces if not thought),
            reasoning="".join(text for _, text, thought in pieces if thought),
        )


class Piece(models.Model):
    """What the journal wrote of a live turn at one tick; folded into the message at its end."""

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, db_index=False)
    seq = models.PositiveBigIntegerField()
    """Number of the last frame that this piece holds, or came after."""
    text = models.TextField(blank=True)
    thought = models.PositiveBigIntegerField(default=0)
    """0: of the answer. Else of the reasoning, whose pieces have no numbers of their own and may
    share a `seq`: the how manieth."""

    objects: ClassVar[PieceQuerySet] = PieceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            # the table's only index, for the foreign key too: each is a page to write for each
            # turn at each tick
            models.UniqueConstraint(fields=["turn", "seq", "thought"], name="piece_numbered_once")
        ]

    def __str__(self) -> str:
        return f"{self.seq}: {self.text[:60]}"
