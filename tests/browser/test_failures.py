"""Failed HTMX requests are reported once, in a visible place."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Room, wait_for_connection

pytestmark = pytest.mark.browser
NO_ANSWER = "The server did not answer. Please try again in a moment."
FAULT = "Something went wrong on the server. Please try again in a moment."
MODEL = "**/model/"


def test_a_failed_request_is_reported_at_the_composer_until_one_succeeds(room: Room) -> None:
    page = room.page()
    wait_for_connection(page)
    page.route(MODEL, lambda route: route.abort())
    page.locator("#model").click()
    said = page.get_by_role("alert").filter(has_text="server")
    expect(said).to_have_text([NO_ANSWER])
    page.unroute(MODEL)
    page.route(MODEL, lambda route: route.fulfill(status=500, body="no"))
    page.locator("#model").click()
    expect(said).to_have_text([FAULT])
    page.unroute(MODEL)
    page.locator("#model").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.locator("#complaint")).to_be_empty()


def test_a_failure_in_a_dialog_is_reported_in_it(room: Room) -> None:
    page = room.page()
    wait_for_connection(page)
    page.locator("#settings").click()
    dialog = page.get_by_role("dialog")
    page.route("**/settings/", lambda route: route.abort())
    dialog.locator("#save-preferred").click()
    expect(dialog.get_by_role("alert")).to_have_text(NO_ANSWER)
    expect(dialog.get_by_role("alert")).to_be_in_viewport()
    page.unroute("**/settings/")
    dialog.locator("#save-preferred").click()
    expect(dialog.locator("#preferred-said")).not_to_be_empty()
    expect(dialog.locator(".failure")).to_be_empty()


def test_a_failure_is_reported_on_a_page_without_a_composer(room: Room) -> None:
    page = room.page("/chats/")
    page.wait_for_load_state()
    page.route("**/chats/?**", lambda route: route.abort())
    page.locator("#find").press_sequentially("ants")
    expect(page.locator("main").get_by_role("alert")).to_have_text([NO_ANSWER])


def test_background_requests_fail_silently(room: Room) -> None:
    page = room.page()
    wait_for_connection(page)
    page.route("**/sidebar/**", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        page.evaluate("document.body.dispatchEvent(new Event('sidebar-changed'))")
    expect(page.locator("#sidebar.htmx-request")).to_have_count(0)
    expect(page.locator("#complaint")).to_be_empty()


def test_a_slow_request_shows_that_it_is_running(room: Room) -> None:
    page = room.page()
    wait_for_connection(page)
    held: list[Route] = []
    page.route(MODEL, lambda route: held.append(route))
    model = page.locator("#model")
    model.click()
    expect(model).to_have_css("opacity", "0.6")
    expect(model).to_have_css("cursor", "progress")
    held[0].continue_()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(model).to_have_css("opacity", "1")
