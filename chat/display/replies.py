"""The answers to slash commands, cut to a frame's size and rendered."""

from __future__ import annotations

from collections.abc import Hashable

from chat.markdown.pool import render_reply
from chat.protocol import FRAME_TEXT_BYTES, CommandOutcome, Reply
from chat.protocol.sizes import cut_for_json, json_size

REPLY_BYTES = 128 * 1024
"""Limit of a slash command's answer, as JSON."""


async def reply(
    content: str, *, outcome: CommandOutcome | None, render_for: Hashable | None
) -> Reply:
    """Return the frame of an answer, rendered in the turn of `render_for`, if there is one."""
    if (kept := cut_for_json(content, REPLY_BYTES)) != content:
        content = f"{kept}\n\n… This answer is too long and was cut here."
    html = None if render_for is None else await render_reply(render_for, content)
    if html is not None and json_size(html) > FRAME_TEXT_BYTES:
        html = None
    return Reply(content=content, html=html, outcome=outcome)
