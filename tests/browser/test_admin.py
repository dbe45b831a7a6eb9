"""The admin in a real browser: under the page's policy, on a phone, heard by open pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import flawless
from tests.browser.conftest import Room, in_a_chat, over, say
from tests.browser.test_approvals import ask, effects, lines, variables, went_on
from tests.model_server import Gate

__all__ = ["effects", "variables"]  # fixtures

pytestmark = pytest.mark.browser

LIST = "/admin/chat/conversation/"


def opened(admin: Page, room: Room) -> None:
    """The latest conversation's own page."""
    admin.goto(room.talos.address + LIST)
    admin.locator("#result_list tbody th a").first.click()
    expect(admin.locator(".reading")).to_be_visible()


@pytest.mark.promise(9)
def test_what_is_done_there_is_heard_by_an_open_page(room: Room, effects: Path) -> None:
    chat = ask(room, effects, "one")
    admin = room.page("/admin/")
    expect(admin.get_by_role("region", name="Waiting for an approval")).to_contain_text(
        "append_line"
    )
    opened(admin, room)
    admin.get_by_role("button", name="Approve").click()
    expect(admin.locator(".messagelist")).to_contain_text("Approved 1 call")
    went_on(chat)
    assert lines(effects) == ["one"]
    admin.reload()
    expect(admin.locator(".reading")).to_contain_text("Approved by owner in the admin")

    room.reply("And so ", Gate())
    say(chat, "Go on")
    expect(chat.locator(".plain").last).to_have_text("And so ")
    opened(admin, room)
    admin.get_by_role("button", name="Stop the answer").click()
    expect(admin.locator(".messagelist")).to_contain_text("Asked to stop")
    expect(chat.locator(".note.cancelled")).to_be_visible()

    opened(admin, room)
    admin.get_by_role("link", name="Delete").click()
    admin.get_by_role("button", name="Yes").click()
    expect(chat.get_by_text("This chat was deleted.")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1200])
def test_it_can_be_read_by_everybody(room: Room, width: int) -> None:
    """No list or page breaks the policy, is wider than the screen, or fails axe."""
    context = room.context(viewport={"width": width, "height": 800})
    room.reply("An **insect**.\n\n```python\nprint('ant')\n```")
    chat = room.page(context=context)
    say(chat, "What is an ant?")
    over(chat)
    expect(chat.locator(".prose pre")).to_be_visible()
    in_a_chat(chat)
    admin = room.page("/admin/", context=context)
    flawless(admin)
    admin.goto(room.talos.address + LIST + "?q=insect")
    flawless(admin)
    opened(admin, room)
    flawless(admin)
    address = admin.url
    for path in ("history/", "delete/"):
        admin.goto(address.replace("change/", path))
    admin.goto(address)
    admin.get_by_role("button", name="Give to somebody else").click()
    expect(admin.get_by_label("New owner")).to_be_visible()
    flawless(admin)
    for path in ("chat/message/", "chat/toolcall/", "chat/audit/", "auth/user/add/"):
        admin.goto(f"{room.talos.address}/admin/{path}")
