"""Users in the admin: their usage, and actions on their conversations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin as DjangosGroupAdmin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse

from chat.admin.base import BoundedAdmin, BoundedList
from chat.admin.facts import LATEST, Use, use_of
from chat.admin.typed import day_filter
from chat.admin.user_actions import UserActions
from chat.models import Conversation, Message

if TYPE_CHECKING:
    UserAdminBase = UserAdmin[User]
else:  # only the type checker may subscript this
    UserAdminBase = UserAdmin

admin.site.unregister([User, Group])


class UserList(BoundedList):
    """A page of users, with their usage."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: Sequence[Any] = list(self.result_list)
        uses = use_of([row.pk for row in rows], latest=LATEST)
        for row in rows:
            row.use = uses[row.pk]
        self.result_list = rows


@admin.register(User)
class OwnerAdmin(UserActions, UserAdminBase):
    """Django's user admin, protecting users who have conversations or a change history."""

    list_display = (
        "username", "email", "chats", "messages", "tokens", "cost", "last_message", "last_login",
        "is_active", "is_staff",
    )  # fmt: skip
    list_filter = ("is_active", "is_staff", "is_superuser", day_filter("last_login", "last login"))
    list_per_page = 25
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()  # Django's script creates fields without labels for screen readers
    search_help_text = (
        f"Username, name or email address. “+”: only the latest {LATEST} chats are counted."
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedList]:
        return UserList

    @admin.display(description="Chats")
    def chats(self, user: Any) -> str:
        return f"{_use(user).chats:,}"

    @admin.display(description="Messages")
    def messages(self, user: Any) -> str:
        return f"{_use(user).messages:,}{_more(user)}"

    @admin.display(description="Tokens in / out")
    def tokens(self, user: Any) -> str:
        use, more = _use(user), _more(user)
        return f"{use.read:,}{more} / {use.written:,}{more}" if use.read or use.written else ""

    @admin.display(description="Cost")
    def cost(self, user: Any) -> str:
        cost = _use(user).cost
        return "" if cost is None else f"${cost:,.4f}{_more(user)}"

    @admin.display(description="Last message")
    def last_message(self, user: Any) -> datetime | None:
        return _use(user).last_message

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = dict(extra_context or {})
        if object_id.isdecimal() and len(object_id) < 10:
            context["use"] = use_of([int(object_id)])[int(object_id)]
        return super().change_view(request, object_id, form_url, context)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, Any], set[Any], list[Any]]:
        """List the users to confirm, not all of their rows, which may be many."""
        users = list(objs)
        stay = [words for user in users for words in why_kept(user)]
        return [str(user) for user in users], {"users": len(users)}, set(), stay


@admin.register(Group)
class GroupAdmin(DjangosGroupAdmin, BoundedAdmin):
    filter_horizontal = ()


def _use(user: Any) -> Use:
    use: Use = user.use
    return use


def _more(user: Any) -> str:
    """Mark a partial sum; the user's own page has the full one."""
    return "+" if _use(user).is_part else ""


def why_kept(user: User) -> Iterator[str]:
    """Yield the reasons why a user cannot be deleted."""
    if Conversation.hidden_too.of(user).exists() or Message.objects.filter(owner=user).exists():
        # including conversations in transfer from or to them
        yield f"{user} has conversations: transfer or delete them first."
    if LogEntry.objects.filter(user=user).exists():
        yield f"{user} has a change history in the admin: deactivate the account instead."
