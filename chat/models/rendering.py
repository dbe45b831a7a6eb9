"""What was rendered once."""

from __future__ import annotations

from django.db import models

from chat.models.conversations import Message


class KeptRender(models.Model):
    """A stretch of a finished message as HTML. It can be made again at any time: `markdown/kept.py`
    says when it counts."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, db_index=False)
    begin = models.PositiveIntegerField()
    """Of the stretch in its message, in code points."""
    key = models.CharField(max_length=32)
    """Of its text and the renderer's version: a row with another one does not count."""
    html = models.TextField()
    until = models.DateTimeField(null=True)
    """It took too long, and is shown plain until then; NULL: for good."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "begin"], name="kept_render_once")
        ]

    def __str__(self) -> str:
        return f"{self.message_id} from {self.begin}"
