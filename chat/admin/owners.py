"""Settings of users, model connections, and the suggestions for new conversations."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import capfirst

from chat import services
from chat.admin.base import BoundedAdmin, ReadOnlyAdmin
from chat.models import (
    ModelPreference,
    Preference,
    ProviderConnection,
    Suggestion,
)


@admin.register(Suggestion)
class SuggestionAdmin(BoundedAdmin):
    """Suggestions, edited only here."""

    list_display = ("id", "text", "position", "is_shown")
    list_editable = ("text", "position", "is_shown")
    search_fields = ("text",)

    def formfield_for_dbfield(self, *args: Any, **kwargs: Any) -> Any:
        """Give each field a label: in the list it has none."""
        field: Any = super().formfield_for_dbfield(*args, **kwargs)
        if field is not None:
            field.widget.attrs["aria-label"] = capfirst(field.label)
        return field


@admin.register(Preference)
class PreferenceAdmin(BoundedAdmin):
    list_display = ("owner", "system_prompt")
    list_select_related = ("owner",)
    search_fields = ("owner__username", "system_prompt")
    fields = ("owner", "system_prompt")
    readonly_fields = ("owner",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        services.prefer(obj.owner, system_prompt=obj.system_prompt)


@admin.register(ModelPreference)
class ModelPreferenceAdmin(ReadOnlyAdmin):
    """Choices that owners make under Settings."""

    list_display = ("owner", "model", "offers_tools")
    list_filter = ("offers_tools",)
    list_select_related = ("owner",)
    search_fields = ("owner__username", "model")
    ordering = ("-pk",)


@admin.register(ProviderConnection)
class ProviderConnectionAdmin(ReadOnlyAdmin):
    """Connections made under Settings. The key is never shown."""

    list_display = ("provider", "address", "has_key", "updated_at")
    fields = list_display
    search_fields = ("provider", "address")
    ordering = ("provider",)

    @admin.display(description="A key is stored", boolean=True)
    def has_key(self, connection: ProviderConnection) -> bool:
        return bool(connection.sealed_key)
