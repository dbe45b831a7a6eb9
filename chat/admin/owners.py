"""Users, what belongs to each as a whole, and what is offered to all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.http import HttpRequest

from chat import services
from chat.admin.base import Chosen, Listed, ReadOnly
from chat.models import (
    Conversation,
    ModelPreference,
    Preference,
    ProviderConnection,
    Suggestion,
)

if TYPE_CHECKING:
    UserAdminBase = UserAdmin[User]
else:  # only the type checker knows a subscript here
    UserAdminBase = UserAdmin

admin.site.unregister(User)


@admin.register(User)
class OwnerAdmin(Chosen, UserAdminBase):
    """Django's, but nobody loses their conversations, or the record of what they did, by the way."""

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, Any], set[Any], list[Any]]:
        """What to confirm: the users. All that goes with them could be rows without end."""
        users = list(objs)
        stay = [words for user in users for words in why_kept(user)]
        return [str(user) for user in users], {"users": len(users)}, set(), stay


def why_kept(user: User) -> Iterator[str]:
    """Why a user cannot be deleted."""
    if Conversation.objects.of(user).exists():
        yield f"{user} has conversations: give them to somebody else, or delete them first."
    if LogEntry.objects.filter(user=user).exists():
        yield f"What {user} did here is on record: take “active” away from them instead."


@admin.register(Suggestion)
class SuggestionAdmin(Listed):
    """Kept here and nowhere else."""

    list_display = ("id", "text", "position", "is_shown")
    list_editable = ("text", "position", "is_shown")
    search_fields = ("text",)


@admin.register(Preference)
class PreferenceAdmin(Listed):
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
class ModelPreferenceAdmin(ReadOnly):
    """Each owner's own choice, under Settings."""

    list_display = ("owner", "model", "offers_tools")
    list_filter = ("offers_tools",)
    list_select_related = ("owner",)
    search_fields = ("owner__username", "model")
    ordering = ("-pk",)


@admin.register(ProviderConnection)
class ProviderConnectionAdmin(ReadOnly):
    """Made under Settings. The key is nobody's to see."""

    list_display = ("provider", "address", "has_key", "updated_at")
    fields = list_display
    search_fields = ("provider", "address")
    ordering = ("provider",)

    @admin.display(description="A key is stored", boolean=True)
    def has_key(self, connection: ProviderConnection) -> bool:
        return bool(connection.sealed_key)
