"""Checks a page with axe, in light and dark."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # has no types
from playwright.sync_api import Page

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# no preload: axe would inline a style sheet's imports, which the policy forbids
OPTIONS = {"resultTypes": ["violations"], "preload": False}
COLOURS = {**OPTIONS, "runOnly": ["color-contrast", "link-in-text-block"]}
SETTLE = """() => {
    for (const moving of document.getAnimations()) if (moving instanceof CSSTransition) moving.finish()
}"""
"""Finish all colour transitions: Django's admin fades links regardless of preferences."""


def assert_accessible(page: Page) -> None:
    """Assert that axe finds nothing and nothing overflows."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    assert not (found := violations(page, OPTIONS)), found
    page.emulate_media(color_scheme="dark")
    assert not (found := violations(page, COLOURS)), found
    assert page.evaluate(OVERFLOW) <= 0, page.url


def violations(page: Page, options: dict[str, object]) -> str:
    page.evaluate(SETTLE)
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = page.evaluate("(options) => axe.run(document, options)", options)["violations"]
    return "\n".join(
        f"{page.url}: {rule['id']}: {rule['help']}\n  {node['html']}\n  {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    )
