"""Every address of the product but the admin's."""

from __future__ import annotations

from django.urls import path

from chat import api, bringing_in, chats, connecting, decisions, exchange, look, options, views
from chat.health import healthz

app_name = "chat"
urlpatterns = [
    path("", views.new_chat, name="new_chat"),
    path("c/<uuid:conversation_id>/", views.conversation, name="conversation"),
    path("c/<uuid:conversation_id>/messages/<uuid:message_id>/", views.message, name="message"),
    path(
        "c/<uuid:conversation_id>/messages/<uuid:message_id>/source/", views.source, name="source"
    ),
    path(
        "c/<uuid:conversation_id>/messages/<uuid:message_id>/more/<str:what>/",
        views.more,
        name="more",
    ),
    path("c/<uuid:conversation_id>/menu/", chats.menu, name="menu"),
    path("c/<uuid:conversation_id>/title/", chats.rename, name="rename"),
    path("c/<uuid:conversation_id>/mark/", chats.mark, name="mark"),
    path("c/<uuid:conversation_id>/row/", chats.row, name="row"),
    path("c/<uuid:conversation_id>/delete/", chats.delete, name="delete"),
    path("c/<uuid:conversation_id>/download.<str:suffix>", exchange.download, name="download"),
    path("c/<uuid:conversation_id>/calls/", decisions.decide, name="decide"),
    path("c/<uuid:conversation_id>/rules/", decisions.forget_rule, name="forget_rule"),
    path("c/<uuid:conversation_id>/tools/", decisions.offer_tools, name="offer_tools"),
    path("c/<uuid:conversation_id>/model/", options.model, name="model"),
    path("c/<uuid:conversation_id>/settings/", options.configure, name="configure"),
    path("model/", options.model, name="page_model"),
    path("settings/", options.prefer, name="prefer"),
    path("settings/models/", connecting.connect, name="connect"),
    path("settings/theme/", look.theme, name="theme"),
    path("shortcuts/", look.shortcuts, name="shortcuts"),
    path("menu/", chats.menu, name="page_menu"),
    path("chats/", chats.history, name="chats"),
    path("sidebar/", chats.sidebar, name="sidebar"),
    path("export/", exchange.export, name="export"),
    path("import/", bringing_in.bring_in, name="import"),
    path("import/<uuid:job_id>/", bringing_in.imported, name="imported"),
    path("import/<uuid:job_id>/cancel/", bringing_in.cancel, name="cancel_import"),
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
