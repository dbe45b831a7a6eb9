"""HTTP addresses. The WebSocket's is in `asgi.py`."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("chat.urls")),
]
handler400 = "chat.access.refusals.bad_request"
handler403 = "chat.access.refusals.forbidden"
handler404 = "chat.access.refusals.not_found"
handler500 = "chat.access.refusals.server_error"
