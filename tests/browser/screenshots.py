"""`make screenshots`: pictures of the page, for people to review.

`python -m tests.browser.screenshots FOLDER`, with the demo model and a scripted server, on a data
directory that is thrown away. `readme-chat.png` and `readme-search.png` are those of the README, in
`docs/images/`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Literal

import django
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chromium import ARGUMENTS, chromium_path
from tests.browser.conftest import say
from tests.support.model_server import Gate, ModelServer, Think, Tokens
from tests.support.model_server.steps import Call
from tests.support.processes import Talos, collect_static_files

# the layout has been painted
SETTLED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
MODELS = [f"{name}-{size}" for name in ("granite", "llama", "olmo", "qwen") for size in (8, 32, 70)]
THOUGHT = (
    Think("The person asks about ants. "),
    Think("There are many kinds; a rough number will do.\n\nBetter to say how sure that is."),
)
SIZES = {"wide": (1200, 800), "phone": (390, 844), "narrow": (320, 640)}


def pictures(browser: Browser, models: ModelServer, address: str, folder: Path) -> None:
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        for name, (width, height) in SIZES.items():
            context = browser.new_context(
                color_scheme=scheme, viewport={"width": width, "height": height}
            )
            page = context.new_page()
            session(page, address, folder / f"{name}-{scheme}")
            settings(page, models, address, folder / f"{name}-{scheme}")
            approvals(page, models, address, folder / f"{name}-{scheme}")
            lists(page, address, folder / f"{name}-{scheme}")
            context.close()


def readme(browser: Browser, address: str, folder: Path) -> None:
    """A conversation that shows the product, and a search in dark mode."""
    page = browser.new_page(viewport={"width": 1200, "height": 760}, color_scheme="light")
    answers = page.locator(".assistant[data-status=completed] .prose")
    for question in (
        "Plan a weekend in Lisbon",
        "What to do on a rainy weekend with children?",
        "Why is the sky blue?",
        "A weekend by the sea or in the hills?",
    ):
        page.goto(address)
        say(page, question)
        expect(answers).to_have_count(1)
    page.goto(address)
    say(page, "Show me some Python code, please")
    expect(answers).to_have_count(1)
    say(page, "And what would a real model say?")
    expect(answers).to_have_count(2)
    expect(page.locator(".chats .open[aria-current]")).to_have_count(1)
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=folder / "readme-chat.png")
    page.emulate_media(color_scheme="dark")
    page.keyboard.press("Control+k")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("weekend")
    expect(page.locator(".excerpt mark").first).to_be_visible()
    page.evaluate(SETTLED)
    page.screenshot(path=folder / "readme-search.png")
    page.close()


def lists(page: Page, address: str, prefix: Path) -> None:
    """The list of all chats with its search, a chat's menu, the delete question, the shortcuts."""
    take = partial(picture, page, prefix)
    page.emulate_media(reduced_motion="reduce")
    page.goto(address)
    page.keyboard.press("Control+k")
    expect(page.locator("#find")).to_be_focused()
    take("l-history")
    page.keyboard.type("show")
    expect(page.locator(".excerpt mark").first).to_be_visible()
    take("m-found")
    page.locator(".actions-of").first.click()
    expect(page.get_by_role("link", name="Rename")).to_be_focused()
    take("n-menu")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Title", exact=True)).to_be_focused()
    take("o-rename")
    page.keyboard.press("Escape")
    page.locator(".actions-of").first.click()
    page.get_by_role("link", name="Delete", exact=True).click()
    expect(page.get_by_role("dialog", name="Delete this chat?")).to_be_visible()
    take("p-question")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+/")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    take("q-shortcuts")
    page.goto(f"{address}/chats/?q=show")
    take("r-page")


def picture(page: Page, prefix: Path, state: str) -> None:
    page.evaluate(SETTLED)
    page.screenshot(path=f"{prefix}-{state}.png")


def settings(page: Page, models: ModelServer, address: str, prefix: Path) -> None:
    """The model menu, the settings, and an answer with reasoning and details."""
    take = partial(picture, page, prefix)
    page.goto(address)
    page.locator("#model").click()
    expect(page.get_by_role("option", name="qwen-8")).to_be_visible()
    take("a-models")
    page.get_by_label("Filter models").fill("qwen")
    take("b-filtered")
    page.get_by_role("option", name="qwen-8").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator("#model")).to_contain_text("qwen-8")
    gate = Gate()
    models.script("qwen-8", *THOUGHT, gate, "About *twenty* quadrillion.", Tokens(1234, 56, 1024))
    say(page, "How many ants are there?")
    page.locator(".reasoning summary").click()
    take("c-thinking")
    gate.open()
    page.locator(".about summary").click()
    take("d-details")
    say(page, "/help")
    expect(page.locator(".notice")).to_be_visible()
    take("e-command")
    page.locator("#settings").click()
    page.get_by_label("Temperature").fill("warm")
    page.locator("#save-asked").click()
    expect(page.locator("#asked-said")).to_have_text("Not saved. Check the highlighted field.")
    take("f-settings")
    page.goto(f"{address}/settings/")
    take("g-settings-page")


def approvals(page: Page, models: ModelServer, address: str, prefix: Path) -> None:
    """Tools: a pending call, its editor, and finished calls."""
    take = partial(picture, page, prefix)
    page.goto(address)
    page.locator("#model").click()
    page.get_by_role("option", name="qwen-8").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator("#model")).to_contain_text("qwen-8")
    models.script("qwen-8", "I will look first. ", Call("calculate", '{"expression": "6 * 7"}'))
    wish = json.dumps(
        {"path": "notes/ants.md", "content": "# Ants\n\n- They are *many*.\n- 42 of them."}
    )
    models.script("qwen-8", "Now I write it down.", Call("write_file", wish, "call_2"))
    models.script("qwen-8", Call("write_file", wish, "call_3"))
    models.script("qwen-8", Call("calculate", '{"expression": "6 *"}', "call_4"))
    models.script("qwen-8", "It is in `notes/ants.md`.")
    say(page, "Write down how many ants there are")
    waiting = page.locator(".call[data-status=pending]")
    expect(waiting).to_have_count(1)
    take("h-approval")
    waiting.get_by_role("button", name="Edit arguments").click()
    waiting.locator("textarea").fill('{"path": "notes/ants.md"}')
    waiting.get_by_role("button", name="Approve").click()
    expect(waiting.get_by_role("alert")).to_contain_text("content")
    take("i-refused")
    waiting.locator("textarea").fill('{"path": "notes/ants.md", "content": "# Ants"}')
    waiting.get_by_role("checkbox").check()
    waiting.get_by_role("button", name="Approve").click()
    expect(page.locator(".prose").last).to_contain_text("It is in")
    page.locator(".call > summary").nth(1).click()
    take("j-decided")
    page.locator("#settings").click()
    page.locator("#rules").scroll_into_view_if_needed()
    take("k-remembered")


def session(page: Page, address: str, prefix: Path) -> None:
    """One visit, with a picture of each state."""

    take = partial(picture, page, prefix)
    page.goto(address)
    take("1-empty")
    answers = page.locator(".assistant[data-status=completed]")
    for count, question in enumerate(("Show me a table", "Show me some code"), start=1):
        say(page, question)
        expect(answers).to_have_count(count)
    take("2-chat")
    say(page, "Write a long text")
    expect(page.locator(".plain")).to_contain_text("paragraph 1 of")
    say(page, "And another thing")
    expect(page.locator("[data-queued]")).to_be_visible()
    take("3-writing")
    page.get_by_role("button", name="Stop the answer").click()
    expect(answers).to_have_count(3)
    expect(page.locator(".note.cancelled")).to_be_visible()
    say(page, "/models")
    expect(page.locator(".notice")).to_be_visible()
    take("4-stopped")
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator("#latest")).to_be_visible()
    take("5-top")
    if page.locator(".menu").is_visible():
        page.emulate_media(reduced_motion="reduce")
        page.locator(".menu").click()
        take("6-drawer")
    page.locator("#sidebar .trash").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    take("7-delete")
    page.goto(f"{address}/chats/")
    take("8-chats")
    page.goto(f"{address}/nothing/")
    take("9-lost")


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        os.environ.update(TALOS_DATA_DIR=data, DJANGO_SETTINGS_MODULE="talos_site.settings")
        django.setup()
        collect_static_files()
        talos = Talos(Path(data))
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        try:
            address = talos.start(TALOS_DEFAULT_MODEL="demo")
            readme(browser, address, folder)
            talos.kill()
            with ModelServer(models=MODELS) as models:
                server = {"OPENAI_BASE_URL": models.base_url, "OPENAI_API_KEY": "sk-test"}
                address = talos.start(TALOS_DEFAULT_MODEL="demo", **server)
                pictures(browser, models, address, folder)
        finally:
            talos.kill()
            browser.close()


if __name__ == "__main__":
    main()
