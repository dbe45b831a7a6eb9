"""Markdown to HTML: the result, and hostile input that never gets through."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.markdown.code import MAX_HIGHLIGHTED
from tests.markdown.unbudgeted import blocks, render, render_reply
from tests.support.hostile_texts import TEXTS


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        (
            "*a* **b** `c` ~~d~~",
            '<p dir="auto"><em>a</em> <strong>b</strong> <code>c</code> <s>d</s></p>',
        ),
        ("# Top", '<h3 dir="auto">Top</h3>'),
        ("###### Deep", '<h6 dir="auto">Deep</h6>'),
        ("- [x] done", '<ul dir="auto">\n<li class="task">☑ done</li>\n</ul>'),
        ("3. third", '<ol start="3" dir="auto">\n<li>third</li>\n</ol>'),
        ("> a\n> - b", '<blockquote dir="auto">\n<p>a</p>\n<ul>\n<li>b</li>\n</ul>\n</blockquote>'),
        ("---", "<hr>"),
        ("a<br>b<br/>c<br />d", '<p dir="auto">a<br>\nb<br>\nc<br>\nd</p>'),
        ("`a<br>b`", '<p dir="auto"><code>a&lt;br&gt;b</code></p>'),
    ],
)
def test_markdown(markdown: str, html: str) -> None:
    assert render(markdown).strip() == html


def test_a_link_opens_in_a_new_tab_without_a_referrer() -> None:
    html = render("[x](https://example.org/?a=1&b=2)")
    assert 'href="https://example.org/?a=1&amp;b=2"' in html
    assert 'target="_blank"' in html
    assert 'rel="noopener noreferrer nofollow"' in html


def test_a_bare_address_becomes_a_link() -> None:
    assert 'href="https://example.org/x"' in render("See https://example.org/x.")


def test_an_image_is_a_link() -> None:
    html = render("![a cat](https://example.org/cat.png)")
    assert "<img" not in html
    assert ">a cat</a>" in html


def test_an_image_in_a_link_is_its_alternative_text() -> None:
    html = render("[![badge](https://a.example/b.svg)](https://c.example/)")
    assert html.count("<a ") == 1
    assert ">badge</a>" in html


def test_code_has_classes_and_a_label() -> None:
    html = render('```python\ndef f(): return "<b>"\n```')
    assert '<span class="language">python</span>' in html
    assert '<span class="k">def</span>' in html
    assert "&lt;b&gt;" in html


@pytest.mark.parametrize("language", ["", "no-such-language", '"><script>alert(1)</script>'])
def test_code_of_an_unknown_language_is_plain(language: str) -> None:
    html = render(f"```{language}\n<b>x</b>\n```")
    assert "<code>&lt;b&gt;x&lt;/b&gt;\n</code>" in html
    assert "<script" not in html


def test_long_code_is_not_highlighted() -> None:
    assert '<span class="n">' not in render("```python\n" + "a\n" * MAX_HIGHLIGHTED + "```")


def test_a_table_keeps_its_alignment() -> None:
    html = render("|a|b|\n|:-|-:|\n|1|2|")
    assert '<td class="align-left">1</td>' in html
    assert '<td class="align-right">2</td>' in html
    assert "style=" not in html


def test_a_table_has_one_direction() -> None:
    html = render("|שם|b|\n|-|-|\n|1|c|")
    assert html.startswith('<div class="table" tabindex="0" dir="auto"><table>')
    assert html.count("dir=") == 1
    assert render("> |a|\n> |-|\n> |b|").count("dir=") == 1  # of the quotation


@pytest.mark.parametrize(
    "text",
    ["<br onclick=x()>", "<br/ >", "<br\n>", "<br  >", "<br//>", "</br>", "<brx>", "<br", r"\<br>"],
)
def test_only_a_bare_br_tag_breaks_the_line(text: str) -> None:
    assert "<br" not in render(f"a {text} b")


def test_br_breaks_lines_in_a_table_cell() -> None:
    assert "<td>1<br>\n2</td>" in render("|a|\n|-|\n|1<br>2|")


KNOWN = {"href", "title", "start", "tabindex", "class", "dir", "target", "rel"}
NEVER = {"script", "style", "img", "svg", "iframe", "math", "input", "form"}


class Harmless(HTMLParser):
    """Fails at the first forbidden tag or attribute."""

    def __init__(self, *, links: str = "(?i)https?://|mailto:") -> None:
        super().__init__()
        self._links = links

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in NEVER
        assert {name for name, _ in attrs} <= KNOWN
        for name, value in attrs:
            if name == "href":
                assert re.match(self._links, value or "")


@pytest.mark.parametrize("text", TEXTS)
def test_a_hostile_text_is_harmless(text: str) -> None:
    Harmless().feed(render(text))


@pytest.mark.parametrize("text", TEXTS)
def test_a_hostile_text_is_harmless_cut_off_anywhere(text: str) -> None:
    for end in range(1, len(text), 3):
        for block in blocks(text[:end], is_whole=True):
            Harmless().feed(block.html)


@pytest.mark.parametrize("text", TEXTS)
def test_a_commands_answer_links_to_our_own_pages_only(text: str) -> None:
    html = render_reply(f"- [One](/c/1/) of `{text[:9]}`\n\n{text}")
    assert '<a href="/c/1/">One</a> of' in html
    assert "target=" not in html
    Harmless(links=r"/[^/\\]").feed(html)


@given(
    st.lists(
        st.sampled_from([*TEXTS, "\n", "> ", "- ", "`", "```\n", "|", "*", "[", "](", ")"]),
        max_size=8,
    )
)
def test_any_mixture_of_hostile_pieces_is_harmless(pieces: list[str]) -> None:
    Harmless().feed(render("".join(pieces)))
