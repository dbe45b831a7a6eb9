"""All URLs of the product except the admin's."""

from __future__ import annotations

from django.urls import path

from chat.views import (
    api,
    appearance,
    approvals,
    chat,
    chat_list,
    connect,
    downloads,
    models,
    settings,
    uploads,
)
from chat.views.health import healthz

app_name = "chat"
urlpatterns = [
    path("", chat.new_chat, name="new_chat"),
    path("c/<uuid:conversation_id>/", chat.conversation, name="conversation"),
    path("c/<uuid:conversation_id>/messages/<uuid:message_id>/", chat.message, name="message"),
    path("c/<uuid:conversation_id>/messages/<uuid:message_id>/source/", chat.source, name="source"),
    path(
        "c/<uuid:conversation_id>/messages/<uuid:message_id>/more/<str:what>/",
        chat.more,
        name="more",
    ),
    path("c/<uuid:conversation_id>/menu/", chat_list.menu, name="menu"),
    path("c/<uuid:conversation_id>/title/", chat_list.rename, name="rename"),
    path("c/<uuid:conversation_id>/mark/", chat_list.mark, name="mark"),
    path("c/<uuid:conversation_id>/row/", chat_list.row, name="row"),
    path("c/<uuid:conversation_id>/delete/", chat_list.delete, name="delete"),
    path("c/<uuid:conversation_id>/download.<str:suffix>", downloads.download, name="download"),
    path("c/<uuid:conversation_id>/calls/", approvals.decide, name="decide"),
    path("c/<uuid:conversation_id>/rules/", approvals.forget_rule, name="forget_rule"),
    path("c/<uuid:conversation_id>/tools/", approvals.offer_tools, name="offer_tools"),
    path("c/<uuid:conversation_id>/model/", models.model, name="model"),
    path("c/<uuid:conversation_id>/settings/", settings.configure, name="configure"),
    path("model/", models.model, name="page_model"),
    path("settings/", settings.prefer, name="prefer"),
    path("settings/models/", connect.connect, name="connect"),
    path("settings/theme/", appearance.theme, name="theme"),
    path("shortcuts/", appearance.shortcuts, name="shortcuts"),
    path("menu/", chat_list.menu, name="page_menu"),
    path("chats/", chat_list.history, name="chats"),
    path("sidebar/", chat_list.sidebar, name="sidebar"),
    path("export/", downloads.export, name="export"),
    path("import/", uploads.bring_in, name="import"),
    path("import/<uuid:job_id>/", uploads.show_import, name="imported"),
    path("import/<uuid:job_id>/cancel/", uploads.cancel, name="cancel_import"),
    path("api/models", api.models, name="api_models"),
    path("api/chat/suggestions", api.suggestions, name="api_suggestions"),
    path("api/chat/sessions", api.sessions, name="api_sessions"),
    path("api/chat/sessions/<uuid:conversation_id>/messages", api.messages, name="api_messages"),
    path(
        "api/chat/sessions/<uuid:conversation_id>/messages/<uuid:message_id>",
        api.message,
        name="api_message",
    ),
    path("healthz", healthz, name="healthz"),
]
