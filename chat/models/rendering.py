"""Stored renderings."""

from __future__ import annotations

from django.db import models

from chat.models.conversations import Message


class KeptRender(models.Model):
    """A stretch of a finished message as HTML. It can be rendered again at any time: `markdown/kept.py`
    knows when it is valid."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, db_index=False)
    begin = models.PositiveIntegerField()
    """Where the stretch begins in its message, in code points."""
    key = models.CharField(max_length=32)
    """Derived from the text and the renderer's version: a row with another key is not valid."""
    html = models.TextField()
    until = models.DateTimeField(null=True)
    """Set if it took too long: shown as plain text until then. NULL: valid for good."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "begin"], name="kept_render_once")
        ]

    def __str__(self) -> str:
        return f"{self.message_id} from {self.begin}"
