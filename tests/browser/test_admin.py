"""The admin in a real browser: under the page's policy, on a phone, and beside open chats."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import Room, say, wait_for_answer, wait_for_chat
from tests.browser.test_approvals import ask, effects, lines, variables, wait_for_final_answer
from tests.support.model_server import Gate

__all__ = ["effects", "variables"]  # fixtures

pytestmark = pytest.mark.browser

LIST = "/admin/chat/conversation/"
PAGES = (
    *(
        f"chat/{name}/"
        for name in (
            "message", "turn", "toolcall", "toolrule", "audit", "notice", "piece", "opaquepart",
            "modelpreference", "preference", "providerconnection", "suggestion",
        )
    ),
    "admin/logentry/", "auth/user/", "auth/user/add/", "auth/group/", "auth/group/add/",
    "auth/user/?last_login__from=nonsense", "chat/message/?username=own", "chat/turn/usage/",
    "chat/turn/usage/?username=own", "password_change/",
)  # fmt: skip


def open_latest(admin: Page, room: Room) -> None:
    """Open the page of the latest conversation."""
    admin.goto(room.talos.address + LIST)
    admin.locator("#result_list tbody th a").first.click()
    expect(admin.locator(".reading")).to_be_visible()


@pytest.mark.promise(9)
def test_admin_actions_reach_an_open_chat(room: Room, effects: Path) -> None:
    chat = ask(room, effects, "one")
    admin = room.page("/admin/")
    expect(admin.get_by_role("region", name="Waiting for approval")).to_contain_text("append_line")
    open_latest(admin, room)
    admin.get_by_role("button", name="Approve").click()
    expect(admin.locator(".messagelist")).to_contain_text("Approved 1 call")
    wait_for_final_answer(chat)
    assert lines(effects) == ["one"]
    admin.reload()
    expect(admin.locator(".reading")).to_contain_text("Approved by owner in the admin")

    room.reply("And so ", Gate())
    say(chat, "Go on")
    expect(chat.locator(".plain").last).to_have_text("And so ")
    open_latest(admin, room)
    admin.get_by_role("button", name="Stop the answer").click()
    expect(admin.locator(".messagelist")).to_contain_text("Stop requested")
    expect(chat.locator(".note.cancelled")).to_be_visible()

    open_latest(admin, room)
    admin.get_by_role("link", name="Delete").click()
    admin.get_by_role("button", name="Yes").click()
    expect(chat.get_by_text("This chat was deleted.")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1200])
def test_admin_pages_are_accessible(room: Room, width: int) -> None:
    """No list or page breaks the policy, is wider than the screen, or fails axe."""
    context = room.context(viewport={"width": width, "height": 800})
    room.reply("An **insect**.\n\n```python\nprint('ant')\n```")
    chat = room.page(context=context)
    say(chat, "What is an ant?")
    wait_for_answer(chat)
    expect(chat.locator(".prose pre")).to_be_visible()
    wait_for_chat(chat)
    admin = room.page("/admin/", context=context)
    assert_accessible(admin)
    admin.goto(room.talos.address + LIST + "?q=insect")
    assert_accessible(admin)
    open_latest(admin, room)
    assert_accessible(admin)
    address = admin.url
    admin.get_by_role("button", name="Transfer ownership").click()
    expect(admin.get_by_label("New owner")).to_be_visible()
    assert_accessible(admin)
    for path in ("history/", "delete/"):
        admin.goto(address.replace("change/", path))
        assert_accessible(admin)
    for path in PAGES:
        admin.goto(f"{room.talos.address}/admin/{path}")
        assert_accessible(admin)
    admin.goto(f"{room.talos.address}/admin/auth/user/?q=owner")
    admin.locator("#result_list tbody th a").first.click()
    assert_accessible(admin)
    admin.get_by_role("button", name="Prune").click()
    assert_accessible(admin)
    admin.get_by_label("Not used for").fill("0")
    admin.get_by_role("button", name="Show what would be deleted").click()
    expect(admin.get_by_role("button", name="Delete 1 conversation")).to_be_visible()
    assert_accessible(admin)


def test_dates_can_be_typed_and_the_search_field_is_wide_enough(room: Room) -> None:
    """This also works on a phone and without scripts."""
    context = room.context(viewport={"width": 390, "height": 800}, java_script_enabled=False)
    admin = room.page(LIST, context=context)
    box = admin.get_by_label("Search", exact=True).bounding_box()
    assert box is not None
    assert box["width"] >= 150
    assert box["height"] >= 40
    since = admin.locator("input[name=updated_at__from]")
    since.focus()
    admin.keyboard.type("01312026")
    admin.keyboard.press("Enter")
    expect(admin).to_have_url(re.compile("updated_at__from=2026-01-31"))
