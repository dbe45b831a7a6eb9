"""Records in Django's log who reads somebody else's rows."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from chat.admin.base import BoundedAdmin

READ = "Read."


class ReadRecordingAdmin(BoundedAdmin):
    """A list that records opening another user's row like a change."""

    def owner_of(self, row: Any) -> int:
        """The id of the owner of a row."""
        raise NotImplementedError

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        if obj is not None and request.method == "GET" and self.owner_of(obj) != request.user.pk:
            self.log_change(request, obj, READ)
        return super().render_change_form(request, context, add, change, form_url, obj)
