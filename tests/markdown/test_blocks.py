"""Blocks of a growing text: a block that was sent as finished is also in the whole text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.markdown.jobs import Block
from tests.markdown.unbudgeted import blocks, render

LINES = (
    "word", "two words", "# Head", "- item", "  - deeper", "1. one", "> said", "```", "```py",
    "~~~", "    code", "| a | b |", "|---|---|", "---", "===", "", "", "**bold", "* * *", "\t- tab",
    "```ls``` rest", "|---|x", "| a |", "\t```", "2. two", "1) one", "+ item", "*not", "<b>raw</b>", "<!-- no", "日本語", "e\u0301🙂", "[a](http://b.c)", "- [x] done",
)  # fmt: skip
texts = st.lists(st.sampled_from(LINES), max_size=12).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n", "\r"]).map(lambda end: end.join(lines))
)


def grown(text: str, cuts: list[int]) -> list[Block]:
    """Return the blocks of a text that arrives in pieces, as a running turn finds them."""
    found: list[Block] = []
    for cut in [*sorted(cut % (len(text) + 1) for cut in cuts), None]:
        end = found[-1].end if found else 0
        part = blocks(text[end:cut], is_whole=cut is None)
        found += [Block(block.html, end + block.end) for block in part]
    return found


@given(texts, st.lists(st.integers(0, 500), max_size=6))
def test_a_growing_text_has_the_blocks_of_the_whole(text: str, cuts: list[int]) -> None:
    assert "".join(block.html for block in grown(text, cuts)) == str(render(text))


@pytest.mark.parametrize(
    "text",
    [
        "- item\n**bold\n- item",
        "1. one\n\n2. two",
        "1) one\n\n2) two",
        "word\n#hashtag",
        "> said\n- no, *bold*\n***bold***",
        "| a |\n|---|\n#hashtag\n\n+ item\n\n+1",
        "* a\n\n* b\n\n- c\n-d",
        "Run:\n```ls```\nand\n\n```\nls\n\t```\n```\nend",
        "word\n| a | b |\n|-|-|x\n\n| a | b |\n|-|-|\n| c | d |\nend",
        "    code\n\n    more\n\nend",
        "- item\n\n  more\n\n1\n\n    code",
    ],
)
def test_a_cut_inside_a_line_gives_the_same_html(text: str) -> None:
    for cut in range(len(text)):
        assert "".join(block.html for block in grown(text, [cut])) == str(render(text)), cut


@given(texts, st.lists(st.integers(0, 500), max_size=6))
def test_blocks_cover_the_text_in_order(text: str, cuts: list[int]) -> None:
    ends = [block.end for block in grown(text, cuts)]
    assert ends == sorted(set(ends))
    assert not ends or ends[-1] <= len(text)


def test_a_code_block_is_finished_by_its_fence() -> None:
    assert blocks("```py\nx = 1\n``", is_whole=False) == []
    assert blocks("```py\nx = 1\n```", is_whole=False) == []  # a fourth backtick may follow
    (found,) = blocks("```py\nx = 1\n```\n", is_whole=False)
    assert found.end == len("```py\nx = 1\n```\n")
