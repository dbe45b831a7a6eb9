"""Markdown to safe HTML: the one renderer for page, fragments, admin and export.

What comes in was written by a model, or by a web page that a model read: all of it is hostile.
Raw HTML is never passed on, links go out only to the web and to mail, images are links, and what
was rendered is cleaned again by an allow-list. No id, name or style gets through, and only classes
that our own style sheet knows.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import nh3
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.gfm_autolink import gfm_autolink_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

MAX_MARKDOWN = 200_000
"""Characters. A longer text is shown as it is: rendering it would hold up other pages."""
MAX_HIGHLIGHTED = 50_000
"""Characters of one code block."""
SCHEMES = ("http", "https", "mailto")
_OWN_PAGE = re.compile(r"/(?![/\\])[\w/.?=&%-]*")
_BREAK = re.compile(r"<br ?/?>")
HEADING_SHIFT = 2
"""The page has the first level, a message the second."""

_DIRECTED = ("p", "ul", "ol", "h3", "h4", "h5", "h6", "div", "blockquote")
"""Their text decides where it begins. What stands in one follows it: a browser that looks through
a list of a thousand such items for the direction of the list takes a second. The `div` is a
table's: its columns go one way, whatever is in each."""
_TAGS = {
    *_DIRECTED,
    *("a", "br", "code", "del", "em", "hr", "li", "pre", "s", "span", "strong"),
    *("table", "tbody", "td", "th", "thead", "tr"),
}


def render(text: str) -> SafeString:
    """A model's Markdown as HTML that is safe to put on a page."""
    if len(text) > MAX_MARKDOWN:
        return format_html('<div class="plain" dir="auto">{}</div>', text)
    return mark_safe(_cleaner().clean(_parser().render(text)))  # noqa: S308  # cleaned


def render_reply(text: str) -> SafeString:
    """A slash command's answer, in the same way, but that its links go to our own pages only."""
    html = _parser(is_reply=True).render(text)
    return mark_safe(_cleaner(is_reply=True).clean(html))  # noqa: S308  # cleaned


@dataclass(frozen=True)
class Block:
    """A block of Markdown that is finished: what comes later does not change it."""

    html: str
    end: int
    """Length of the text, in code points, up to the block that follows."""


def blocks(text: str, *, is_whole: bool) -> list[Block]:
    """The finished top-level blocks of a text that may still grow.

    A line that has not ended finishes none, as it may still become part of the block before it.
    What follows the last finished block may be parsed by itself later.
    """
    ended = text if is_whole else text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
    tokens = _parser().parse(ended)
    starts = [0, *(line.end() for line in re.finditer(r"\r\n?|\n", ended)), len(ended)]
    spans = _top_level(tokens)
    found = []
    for number, (first, last) in enumerate(spans):
        if number + 1 < len(spans):
            following = tokens[spans[number + 1][0]].map
            end = starts[following[0]] if following else len(ended)
        elif is_whole or _is_finished(tokens[first], ended, starts, text[len(ended) :]):
            end = len(ended)
        else:
            break
        html = _parser().renderer.render(tokens[first : last + 1], _parser().options, {})
        found.append(Block(_cleaner().clean(html), end))
    return found


def _top_level(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """First and last token of each block that stands in no other."""
    spans = []
    first = 0
    for number, token in enumerate(tokens):
        if token.level == 0 and token.nesting >= 0:
            first = number
        if token.level == 0 and token.nesting <= 0:
            spans.append((first, number))
    return spans


_MAY_GO_ON = {"bullet_list_open", "ordered_list_open", "code_block"}
"""Blocks that an empty line does not finish."""
_GOES_ON = re.compile(r"$|[ \t]|[-+*](?:[ \t]|$)|\d+(?:$|[.)](?:[ \t]|$))")
"""How a line begins that may continue one of them."""


def _is_finished(token: Token, ended: str, starts: Sequence[int], rest: str) -> bool:
    """Is the last block of lines that have ended finished, whatever follows `rest`?"""
    if token.type == "fence":
        return _is_closed(token, ended, starts)
    if token.type in ("heading_open", "hr"):
        return True
    if ended[starts[-3] :].strip(" \t\r\n"):
        return False  # without an empty line between, the next one may continue it
    return token.type not in _MAY_GO_ON or not _GOES_ON.match(rest)


def _is_closed(token: Token, ended: str, starts: Sequence[int]) -> bool:
    """Does a fenced code block have its closing fence?"""
    begin, end = token.map or (0, 0)
    if end - begin < 2:
        return False
    line = ended[starts[end - 1] : starts[end]]
    closing = re.compile(rf" {{0,3}}{re.escape(token.markup)}{token.markup[0]}*[ \t]*[\r\n]")
    return closing.match(line) is not None


@functools.cache
def _cleaner(*, is_reply: bool = False) -> nh3.Cleaner:
    from pygments.token import STANDARD_TYPES

    aligned = {"align-left", "align-center", "align-right"}
    return nh3.Cleaner(
        tags=_TAGS,
        clean_content_tags={"script", "style"},
        attributes={
            "a": {"href", "title"},
            "ol": {"start"},
            "pre": {"tabindex"},
            "div": {"tabindex"},
        },
        allowed_classes={
            "a": {"image"},
            "span": {name for name in STANDARD_TYPES.values() if name} | {"language"},
            "div": {"code", "table"},
            "li": {"task"},
            "td": aligned,
            "th": aligned,
        },
        set_tag_attribute_values={
            **({} if is_reply else {"a": {"target": "_blank"}}),
            "pre": {"dir": "ltr"},
        },
        tag_attribute_values={tag: {"dir": {"auto"}} for tag in _DIRECTED},
        url_schemes=set(SCHEMES),
        attribute_filter=_own_links if is_reply else None,
        link_rel=None if is_reply else "noopener noreferrer nofollow",
    )


@functools.cache
def _parser(*, is_reply: bool = False) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Html)
    parser.enable(["table", "strikethrough"]).use(tasklists_plugin)
    if not is_reply:
        parser.use(gfm_autolink_plugin)
    is_allowed = _is_own_page if is_reply else _is_allowed
    parser.validateLink = is_allowed  # type: ignore[method-assign]  # the library's own hook
    parser.core.ruler.push("talos", _adapt)
    parser.inline.ruler.before("html_inline", "break", _break)
    return parser


def _is_allowed(url: str) -> bool:
    return url.strip().lower().startswith(tuple(f"{scheme}:" for scheme in SCHEMES))


def _is_own_page(url: str) -> bool:
    return _OWN_PAGE.fullmatch(url) is not None


def _own_links(tag: str, name: str, value: str) -> str | None:
    return None if name == "href" and not _is_own_page(value) else value


def _break(state: StateInline, silent: bool) -> bool:
    """The one tag that models write where Markdown has nothing: in the cell of a table."""
    found = _BREAK.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos = found.end()
    return True


def _adapt(state: StateCore) -> None:
    """Headings under the page's own, alignment and tasks as classes, the direction of text."""
    for token in state.tokens:
        if token.nesting == 1 and token.level == 0:
            token.attrSet("dir", "auto")
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + HEADING_SHIFT, 6)}"
        elif token.type in ("td_open", "th_open"):
            if style := str(token.attrs.pop("style", "")):
                token.attrSet("class", style.replace("text-align:", "align-"))
        elif token.type == "list_item_open" and token.attrGet("class"):
            token.attrSet("class", "task")


class _Html(RendererHTML):
    """The library's renderer, but for what we show in another way."""

    def fence(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        code, language = tokens[idx].content, (tokens[idx].info.split() or [""])[0][:30]
        label = f'<span class="language">{escape(language)}</span>' if language else ""
        return f'<div class="code">{label}<pre tabindex="0"><code>{_lit(code, language)}</code></pre></div>\n'

    def code_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        code = escape(tokens[idx].content)
        return f'<div class="code"><pre tabindex="0"><code>{code}</code></pre></div>\n'

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """A link: a picture from elsewhere would tell its host who reads what and when."""
        source = str(tokens[idx].attrGet("src") or "")
        words = self.renderInlineAsText(tokens[idx].children or [], options, env) or source
        opened = sum(token.nesting for token in tokens[:idx] if token.type.startswith("link_"))
        if opened or not _is_allowed(source):
            return str(escape(words))
        return f'<a class="image" href="{escape(source)}">{escape(words)}</a>'

    def html_inline(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Only the task list plugin makes these: its check boxes, which nobody can tick."""
        return "☑" if "checked=" in tokens[idx].content else "☐"

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        attributes = self.renderAttrs(tokens[idx])
        return f'<div class="table" tabindex="0"{attributes}><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "</table></div>\n"


def _lit(code: str, language: str) -> str:
    """Code with a class on each word that its language knows."""
    if not language or len(code) > MAX_HIGHLIGHTED:
        return str(escape(code))
    # Late: it is the slowest import of a page, and many answers have no code.
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return str(escape(code))
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))
