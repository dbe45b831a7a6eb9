"""Who reads what is not theirs: Django's own record says so."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from chat.admin.base import Listed

READ = "Read."


class Recorded(Listed):
    """Opening a row of somebody else's is recorded, as changing it is."""

    def owner_of(self, row: Any) -> int:
        """The id of the user whose it is."""
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
