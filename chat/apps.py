"""The chat application."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate

from talos_site import databases


class ChatConfig(AppConfig):
    name = "chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chat import checks, versions  # noqa: F401  # the checks register themselves

        connection_created.connect(databases.prepare)
        pre_migrate.connect(versions.refuse_newer, sender=self)
        pre_migrate.connect(databases.lift_limits, sender=self)
        post_migrate.connect(databases.set_limits, sender=self)
