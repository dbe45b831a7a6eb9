"""An answer being written: blocks replace their text, and nothing jumps or stalls."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SOCKET, Room, say, wait_for_answer
from tests.support.model_server import Call, Flood, Gate, Letters, Pause

pytestmark = pytest.mark.browser
SHIFTS = """
window.shifts = 0
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) shifts += value
}).observe({ type: "layout-shift", buffered: true })
"""
FLOOD = """() => new Promise((resolve) => {
  let writes = 0
  const observer = new MutationObserver((records) => { writes += records.length })
  observer.observe(document.querySelector(".plain"), { characterData: true, childList: true, subtree: true })
  for (let piece = 1; piece <= 5000; piece += 1) {
    socket.onmessage({ data: JSON.stringify({ type: "delta", content: "word ", seq: seq + piece }) })
  }
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(writes)))
})"""


def test_finished_blocks_are_rendered_while_the_rest_streams(room: Room) -> None:
    first, second, third = Gate(), Gate(), Gate()
    room.reply(
        *("# Ants\n\nThey are **ma", first, "ny**.\n\n```python\nx = 1\n", second),
        *("```\n\nAnd so", third, " on."),
    )
    page = room.page()
    say(page, "Ants?")
    expect(page.locator(".prose h3")).to_have_text("Ants")
    expect(page.locator(".plain")).to_have_text("They are **ma")
    page.reload()
    expect(page.locator(".prose h3")).to_have_text("Ants")
    expect(page.locator(".plain")).to_have_text("They are **ma")
    first.open()
    expect(page.locator(".prose strong")).to_have_text("many")
    expect(page.locator(".code .language")).to_have_text("python")  # not yet closed
    expect(page.locator(".code pre")).to_have_text("x = 1")
    expect(page.locator(".code .n")).to_have_count(0)
    second.open()
    expect(page.locator(".code .n")).to_have_text("x")
    expect(page.locator(".plain")).to_have_text("And so")
    third.open()
    expect(page.locator(".prose p").last).to_have_text("And so on.")
    expect(page.locator(".prose > *")).to_have_count(4)


def test_blocks_and_calls_keep_their_order(room: Room) -> None:
    gate = Gate()
    room.reply("*Let* me see.\n\nFirst:", Call("calculate", '{"expression": "6*7"}'))
    room.reply("So it is *42*.\n\nAnd ", gate, "that is *all*.")
    page = room.page()
    say(page, "6*7?")
    expect(page.locator(".plain")).to_have_text(["And "])  # also before the call, for a moment
    expect(page.locator(".prose").first.locator("p")).to_have_text(["Let me see.", "First:"])
    expect(page.locator(".prose").nth(1).locator("p")).to_have_text("So it is 42.")
    expect(page.locator(".body > *")).to_have_count(3)
    page.reload()
    expect(page.locator(".plain")).to_have_text(["And "])
    expect(page.locator(".body > *")).to_have_count(3)
    expect(page.locator(".prose p")).to_have_count(3)
    gate.open()
    expect(page.locator(".prose p")).to_have_text(
        ["Let me see.", "First:", "So it is 42.", "And that is all."]
    )


@pytest.mark.promise(3)
def test_the_end_of_an_answer_keeps_selection_and_scrolling(room: Room) -> None:
    """The nodes stay the same, so that selections and scroll positions survive."""
    gate = Gate()
    wide = "y" * 500
    room.reply(f"One *two* three.\n\n```\n{wide}\n```\n\nLast", gate, " words.")
    page = room.page()
    say(page, "Go")
    expect(page.locator(".plain")).to_have_text("Last")
    page.evaluate("""() => {
        getSelection().selectAllChildren(document.querySelector(".prose p"));
        document.querySelector(".code pre").scrollLeft = 77;
    }""")
    gate.open()
    wait_for_answer(page)
    expect(page.locator(".prose p").last).to_have_text("Last words.")
    assert page.evaluate("getSelection().toString()") == "One two three."
    assert page.evaluate("document.querySelector('.code pre').scrollLeft") == 77


def test_blank_lines_appear_with_the_text_after_them(room: Room) -> None:
    gates = [Gate() for _ in range(4)]
    room.reply(
        *("- one\n\n\n", gates[0], "- two\n \n", gates[1]),
        *("\n```\nx\n", gates[2], "\n\n", gates[3], "y\n```\n\nEnd."),
    )
    page = room.page()
    say(page, "Go")
    written = page.locator(".plain")
    expect(written).to_have_text("- one")
    assert written.text_content() == "- one"
    gates[0].open()
    expect(written).to_have_text("- one - two")
    assert written.text_content() == "- one\n\n\n- two"
    gates[1].open()
    code = page.locator(".code pre")
    expect(code).to_have_text("x")
    assert code.text_content() == "x"
    expect(page.locator(".prose li")).to_have_text(["one", "two"])
    gates[2].open()
    gates[3].open()
    wait_for_answer(page)
    expect(code).to_have_text("x y")
    assert (code.text_content() or "").rstrip() == "x\n\n\ny"
    expect(page.locator(".prose > p")).to_have_text("End.")


def test_streaming_does_not_shift_the_layout(room: Room) -> None:
    page = room.page()
    page.evaluate(SHIFTS)
    text = "Some words.\n\n## Head\n\n- one\n- two\n\n```js\nf()\n```\n\n> said\n\n" * 3
    pieces = [step for letter in text.splitlines(keepends=True) for step in (letter, Pause(0.02))]
    room.reply(*pieces, "The end.")
    say(page, "Go")
    wait_for_answer(page)
    expect(page.locator(".prose > *")).to_have_count(16)
    assert page.evaluate("shifts") < 0.05


def test_five_thousand_pieces_leave_the_page_responsive(room: Room) -> None:
    page = room.page()
    room.reply(Flood("word ", 2500), "\n\n", Flood("- item\n", 2500))
    say(page, "Go")
    expect(page.locator(".prose")).to_be_visible()
    page.get_by_label("Message", exact=True).press_sequentially("still here")
    wait_for_answer(page)
    expect(page.locator(".prose li")).to_have_count(2500)
    expect(page.get_by_label("Message", exact=True)).to_have_value("still here")


def test_pieces_are_drawn_once_per_animation_frame(room: Room) -> None:
    room.reply("One ", Gate())
    page = room.page()
    page.add_init_script(SOCKET)
    page.reload()
    say(page, "Go")
    expect(page.locator(".plain")).to_have_text("One ")
    assert page.evaluate(FLOOD) < 20
    assert page.locator(".plain").inner_text() == "One " + "word " * 5000


def test_emoji_are_not_split_between_blocks(room: Room) -> None:
    gate = Gate()
    room.reply(Letters("🐜🐜 *ants*\n\n🙂 and 🐝"), gate, " *bees*")
    page = room.page()
    say(page, "Go")
    expect(page.locator(".plain")).to_have_text("🙂 and 🐝")
    expect(page.locator(".prose p")).to_have_text("🐜🐜 ants")
    gate.open()
    expect(page.locator(".prose p")).to_have_text(["🐜🐜 ants", "🙂 and 🐝 bees"])
