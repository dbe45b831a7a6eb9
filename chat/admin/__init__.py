"""What is stored, for staff: searched, filtered, read, and hardly ever changed.

What a page shows is a promise, so messages, turns and what belongs to them are read-only. What
may be done to a conversation goes through the same services as on the page: every open page hears
of it. Django records who did it, and who read what is not theirs.

Every list is bounded, however much is stored: see `base.py`.
"""

from __future__ import annotations

from django.contrib import admin

from chat.admin import conversations, messages, owners, records, tools, users

__all__ = ["conversations", "messages", "owners", "records", "tools", "users"]

admin.site.site_header = admin.site.site_title = "Talos"
admin.site.index_title = "Overview"
admin.site.enable_nav_sidebar = False  # the lists need the width
