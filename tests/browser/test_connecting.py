"""From the first visit to a real model's answer, connected in the browser without a restart."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import Room, say
from tests.support.processes import manage

pytestmark = pytest.mark.browser
KEY = "sk-entered-in-the-browser"
PHONE = {"width": 320, "height": 640}


def first_visit(room: Room, **options: object) -> Page:
    """Open an unconfigured Talos, while a model server that needs a key is running."""
    room.serve(TALOS_LOCAL_MODELS="0")
    room.models.models, room.models.key = ["ant-1", "ant-2"], KEY
    return room.page(context=room.context(**options))


def fill(page: Page, address: str, key: str) -> None:
    page.get_by_label("Provider").select_option("compatible")
    page.get_by_label("Address").fill(address)
    page.get_by_label("API key").fill(key)


def test_a_model_is_connected_on_the_first_visit(empty_room: Room) -> None:
    room = empty_room
    page = first_visit(room)
    before = room.page()
    say(before, "Hello")
    expect(before.locator("#messages .assistant .handles")).to_be_visible()
    page.get_by_role("link", name="Connect a model").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Connect a model", exact=True)).to_be_focused()
    fill(page, room.models.base_url, "sk-wrong")
    dialog.get_by_role("button", name="Test").click()
    expect(dialog.locator("#trial")).to_contain_text("Incorrect API key provided")
    expect(dialog.locator("#trial")).not_to_contain_text("sk-wrong")
    assert_accessible(page)
    dialog.get_by_label("API key").fill(KEY)
    dialog.get_by_role("button", name="Test").click()
    expect(dialog.locator("#trial")).to_contain_text("ant-1, ant-2")
    expect(dialog.get_by_label("API key")).to_have_value(KEY)  # kept for saving
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.locator("#connect-said")).to_be_focused()
    expect(dialog.get_by_label("API key")).to_have_value("")
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#first-run")).to_have_count(0)
    expect(page.locator("#model .name")).to_have_text("ant-1")
    room.models.script("ant-1", "I am no script.")
    say(page, "Who are you?")
    expect(page.locator(".assistant .prose")).to_have_text("I am no script.")
    # a chat that was already open can use it too
    before.get_by_role("button", name=re.compile("^Model: ")).click()
    before.get_by_role("option", name="ant-2").click()
    expect(before.locator("#model .name")).to_have_text("ant-2")
    room.models.script("ant-2", "Neither am I.")
    say(before, "And you?")
    expect(before.locator(".assistant .prose").last).to_have_text("Neither am I.")


def test_an_unreachable_server_offers_no_model(empty_room: Room) -> None:
    page = first_visit(empty_room)
    page.get_by_role("link", name="Connect a model").click()
    fill(page, "http://127.0.0.1:9/v1", KEY)
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.locator("#connect-said")).to_contain_text("cannot be reached")
    shown = page.locator("#model .name")
    expect(shown).to_have_text("No model yet")
    page.reload()
    expect(shown).to_have_text("No model yet")
    say(page, "Hello?")
    expect(page.locator("#messages .assistant .handles")).to_be_visible()
    expect(shown).to_have_text("No model yet")


def test_the_connection_form_works_on_a_phone_and_by_keyboard(empty_room: Room) -> None:
    page = first_visit(empty_room, viewport=PHONE)
    link = page.get_by_role("link", name="Connect a model")
    expect(link).to_be_in_viewport(ratio=1)
    card, composer = page.locator("#first-run").bounding_box(), page.locator("#composer")
    box = composer.bounding_box()
    assert card
    assert box
    assert card["y"] + card["height"] <= box["y"]
    link.press("Enter")
    page.get_by_label("Provider").focus()
    page.keyboard.type("OpenAI-c")
    expect(page.get_by_label("Address")).to_be_visible()
    expect(page.get_by_label("Provider")).to_be_focused()
    for name in ("Address", "API key"):
        page.keyboard.press("Tab")
        expect(page.get_by_label(name)).to_be_focused()
    page.get_by_label("Address").fill("http://me:hunter2@127.0.0.1/v1")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_label("Address")).to_be_focused()
    expect(page.get_by_label("Address")).to_have_accessible_description(re.compile("password"))
    assert "hunter2" not in page.content()
    assert_accessible(page)


def test_a_model_can_be_connected_without_javascript(empty_room: Room) -> None:
    room = empty_room
    page = first_visit(room, java_script_enabled=False)
    page.get_by_role("link", name="Connect a model").click()
    page.get_by_label("Provider").select_option("compatible")
    page.get_by_role("button", name="Choose").click()
    page.get_by_label("Address").fill(room.models.base_url)
    page.get_by_label("API key").fill(KEY)
    page.get_by_role("button", name="Test").click()
    expect(page.locator("#trial")).to_contain_text("ant-1, ant-2")
    expect(page.locator("#trial")).to_contain_text("enter the key again")
    page.get_by_label("API key").fill(KEY)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("A key is stored", exact=True)).to_be_visible()
    page.get_by_role("button", name="Remove OpenAI-compatible server").click()
    expect(page.get_by_text("was removed")).to_be_visible()


def test_a_connection_made_by_another_process_is_noticed(empty_room: Room) -> None:
    room = empty_room
    page = first_visit(room)
    code = (
        "from chat import services; from chat.access.owner import local_owner; from chat.llm.catalogue.connectable import BY_ID; "
        f"services.connect(local_owner(), provider=BY_ID['compatible'], "
        f"address={room.models.base_url!r}, key={KEY!r})"
    )
    done = manage("shell", "-c", code, TALOS_DATA_DIR=str(room.talos.data))
    assert done.returncode == 0, done.stderr
    room.wait_until_listed(["ant-1"])
    page.reload()
    expect(page.locator("#model .name")).to_have_text("ant-1")
    expect(page.locator("#first-run")).to_have_count(0)
