"""A server's demands on a request, beyond what the protocol says.

They are known per provider (`catalogue/providers.py`), learned per server and model from refusals
(`failures/learned.py`), and applied in one place (`openai/wire.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Demands:
    """The defaults fit a server that accepts everything."""

    tools: bool = True
    """Otherwise, earlier calls and their results are sent as plain text."""
    stream_options: bool = True
    temperature: bool = True
    answer_limit: Literal["max_tokens", "max_completion_tokens", ""] = "max_tokens"
    """The field that limits the answer's tokens; empty if there is none."""
    system_role: bool = True
    """Otherwise, the system text goes into the first user message."""
    takes_back: bool = True
    """Whether opaque parts may be returned to the server that sent them."""
    wants_reasoning: bool = False
    """Calls need `reasoning_content` beside them, a blank one if there is none."""
    call_ids: Literal["long", "nine"] = "long"
    """`nine`: exactly nine letters and digits. `long`: up to 40, `-` and `_` too, or its own."""
    answers_results: bool = False
    """A tool result must be followed by an answer before the next question."""
