"""Small pieces that hostile inputs repeat. `#` stands for a number that differs each time."""

from __future__ import annotations

import json

SHAPES = ("q", "a", "Q", "A", "R", "c", "o", "s")
"""See `shapes.py`."""
LETTERS = (
    "a",
    "a b ",
    " ",
    "\n",
    "1",
    ".",
    "é",
    "一",
    "ア",
    "\ufdfa",
    "🇩🇪",
    "\u200d",
    "\ue200",
    "\ue201",
)
MARKS = (
    "`",
    "```",
    "~",
    "~~~",
    "*",
    "**",
    "_",
    "#",
    "> ",
    "- ",
    "[",
    "](",
    "<",
    ">",
    "|",
    "\\",
    '"',
    "“",
    "'",
    ":",
)
TAGS = (
    "<think>",
    "</think>",
    "`</think>",
    "[think]",
    "◁",
    "<thought",
    "<title",
    "<script>",
    "</script",
    "://",
    "@",
)
JSON = (
    "{",
    "}",
    "[",
    "]",
    "{},",
    "[],",
    "1,",
    '"a",',
    '"a":',
    '"k#":1,',
    '"',
    "\\",
    "\\u0000",
    "\\ud83d",
    "1e9,",
    "null ",
)
WORDS = (
    "model ", "not ", "no ", "support ", "tools ", "tool_call ", "context length ", "exceed ", "tokens ",
    "try again in 1s ", "Bearer ", "sk-", "?key=", "role ", "reasoning ", "messages[1].", "12345 ", "limit ", "不支持",
)  # fmt: skip


def _event(**delta: object) -> str:
    return f"data: {json.dumps({'choices': [{'delta': delta}]})}\n\n"


def _call(**function: str) -> str:
    return json.dumps({"index": 0, "function": function})


EVENTS = (
    "data: ", "data: {\n", "data:\n", "data: {}\n\n", "data: }\n", ":\n", "\n", "\r", "a", "event: error\n", "[DONE]", "\ufeff",
    _event(content="a"), _event(content="<think>"), _event(content="`"), _event(reasoning_content="a"),
    _event(tool_calls=[json.loads(_call(name="a", arguments="{"))]),
    _event(reasoning_details=[{"type": "reasoning.text", "text": "a"}]), _event(thinking_blocks=[{"type": "thinking"}]),
    'data: {"error": {"message": "a"}}\n\n', 'data: {"choices": [], "usage": {"prompt_tokens": 1}}\n\n',
)  # fmt: skip
FRAGMENTS = (
    _call(arguments="{") + "\n", _call(arguments="a") + "\n", _call(name="a") + "\n", _call(name="b") + "\n",
    _call(name="a" * 1000) + "\n", _call(name="b" * 1000) + "\n", _call(name="a", arguments="[") + "\n", '{"id": "c", "function": {"name": "ab"}}\n',
    '{"index": 0, "id": "c", "function": {"name": "#"}}\n', '{"function": {"arguments": {"a": 1}}}\n',
)  # fmt: skip
CODE = (
    "`",
    "```",
    "~",
    "~~~",
    " ",
    "a",
    "\n",
    "> ",
    "- ",
    "1. ",
    "\\",
    "<think>",
    "\ue200",
    "\ue201",
)
CITED = (
    "【1†a】", "【", "†", "】", ":contentReference[oaicite:0]{index=0}", "\ue200", "\ue201", "\ue202", "cite", "turn0search1",
    "`", "\\`", "~~~\n", "\n", "a", " ", '{"name":"', "[",
)  # fmt: skip
FILES = (
    "{}\n", "[", "{", "}", '{"mapping":{}}\n', '{"format":"talos-history",', '"a":"b",', '{"a":{}},', ",", '"', "\\", " ", "\n",
    '"conversations":[',
)  # fmt: skip
