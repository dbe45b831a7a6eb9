"""HTTP addresses. The WebSocket's is in `asgi.py`."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("chat.urls")),
]
handler400 = "chat.refusals.bad_request"
handler403 = "chat.refusals.forbidden"
handler404 = "chat.refusals.not_found"
handler500 = "chat.refusals.server_error"
