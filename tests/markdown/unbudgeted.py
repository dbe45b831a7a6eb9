"""The worker's renderer without limits on code: these texts are harmless."""

from __future__ import annotations

from functools import partial
from html import escape

from chat.markdown import blocks as _blocks
from chat.markdown import renderer
from chat.markdown.code import highlight_code, lexer_of


def _highlight(code: str, language: str) -> str:
    lexer = lexer_of(language, code)
    return escape(code) if lexer is None else highlight_code(code, lexer)


render = partial(renderer.render, code=_highlight)
render_reply = partial(renderer.render_reply, code=_highlight)
blocks = partial(_blocks.blocks, code=_highlight)
