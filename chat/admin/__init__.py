"""The admin: staff search, filter and read what is stored, and rarely change it.

Messages, turns and the rows that belong to them are read-only: what a page has shown is a promise.
Changes to conversations go through the same services as on the page, so every open page is told.
Django records who made a change, and who read somebody else's conversation.

Every list is bounded, however much is stored: see `base.py`.
"""

from __future__ import annotations

from django.contrib import admin

from chat.admin import conversations, messages, owners, records, tools, users

__all__ = ["conversations", "messages", "owners", "records", "tools", "users"]

admin.site.site_header = admin.site.site_title = "Talos"
admin.site.index_title = "Overview"
admin.site.enable_nav_sidebar = False  # the lists need the width
