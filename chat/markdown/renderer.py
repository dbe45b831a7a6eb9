"""Markdown to safe HTML: the one renderer for page, fragments and admin.

All input was written by a model, or by a web page that a model read: it is hostile. Raw HTML is
never passed on, links lead only to the web and to mail, images become links, and an allow-list
cleans the result again. No id, name or style gets through, and only classes of our own style sheet.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from html import escape
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.gfm_autolink import gfm_autolink_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

from chat.markdown.code import Highlight

CODE = "code"
"""Key in the library's `env` of the function that renders a code block."""
SCHEMES = ("http", "https", "mailto")
_OWN_PAGE = re.compile(r"/(?![/\\])[\w/.?=&%-]*")
_BREAK = re.compile(r"<br ?/?>")
_IN_A_LINK = "in_a_link"
HEADING_SHIFT = 2
"""The page uses the first level, a message the second."""

_DIRECTED = ("p", "ul", "ol", "h3", "h4", "h5", "h6", "div", "blockquote")
"""Elements whose text decides its direction, and that of everything inside. A browser takes a second
to find the direction of a list with a thousand such items. The `div` belongs to a table: its
columns go one way, whatever is in each."""
_TAGS = {
    *_DIRECTED,
    *("a", "br", "code", "del", "em", "hr", "li", "pre", "s", "span", "strong"),
    *("table", "tbody", "td", "th", "thead", "tr"),
}


def render(text: str, code: Highlight) -> str:
    """Render a model's Markdown as HTML that is safe on a page."""
    return cleaner().clean(parser().render(text, {CODE: code}))


def render_reply(text: str, code: Highlight) -> str:
    """Render a slash command's answer likewise, except that links lead only to our own pages."""
    html = parser(is_reply=True).render(text, {CODE: code})
    return cleaner(is_reply=True).clean(html)


@functools.cache
def cleaner(*, is_reply: bool = False) -> nh3.Cleaner:
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
def parser(*, is_reply: bool = False) -> MarkdownIt:
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
    """Allow the one tag that models write because Markdown lacks it: in the cell of a table."""
    found = _BREAK.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos = found.end()
    return True


def _adapt(state: StateCore) -> None:
    """Shift headings, turn alignment and tasks into classes, and set the direction of text."""
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
        elif token.type == "inline":
            _mark_images(token.children or [])


def _mark_images(tokens: Sequence[Token]) -> None:
    """Mark images in a link: a link cannot contain another one."""
    depth = 0
    for token in tokens:
        depth += token.nesting if token.type.startswith("link_") else 0
        if token.type == "image" and depth:
            token.meta[_IN_A_LINK] = True


class _Html(RendererHTML):
    """The library's renderer, except for elements that we show differently."""

    def fence(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        code, language = tokens[idx].content, (tokens[idx].info.split() or [""])[0][:30]
        label = f'<span class="language">{escape(language)}</span>' if language else ""
        lit = env[CODE](code, language) if language else escape(code)
        return f'<div class="code">{label}<pre tabindex="0"><code>{lit}</code></pre></div>\n'

    def code_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        code = escape(tokens[idx].content)
        return f'<div class="code"><pre tabindex="0"><code>{code}</code></pre></div>\n'

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Render a link: a remote image would tell its host who reads what and when."""
        source = str(tokens[idx].attrGet("src") or "")
        words = self.renderInlineAsText(tokens[idx].children or [], options, env) or source
        if tokens[idx].meta.get(_IN_A_LINK) or not _is_allowed(source):
            return escape(words)
        return f'<a class="image" href="{escape(source)}">{escape(words)}</a>'

    def html_inline(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Render the check boxes of the task list plugin, the only source of these; they are disabled."""
        return "☑" if "checked=" in tokens[idx].content else "☐"

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        attributes = self.renderAttrs(tokens[idx])
        return f'<div class="table" tabindex="0"{attributes}><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "</table></div>\n"
