"""The chat application."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate

from chat.db import configuration


class ChatConfig(AppConfig):
    name = "chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chat import checks  # noqa: F401  # registers the checks
        from chat.db import versions  # registers its checks

        connection_created.connect(configuration.prepare)
        pre_migrate.connect(versions.refuse_newer, sender=self)
        pre_migrate.connect(configuration.lift_limits, sender=self)
        post_migrate.connect(configuration.set_limits, sender=self)
