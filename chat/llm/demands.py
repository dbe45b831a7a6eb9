"""What a server wants of a request, beyond what the protocol says.

Known for each provider (`providers.py`), learned of each server and model where it refuses something
(`failures/learned.py`), and applied in one place (`openai/wire.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Demands:
    """The defaults are those of a server that takes everything."""

    tools: bool = True
    """Otherwise earlier calls and their results are told in words."""
    stream_options: bool = True
    temperature: bool = True
    answer_limit: Literal["max_tokens", "max_completion_tokens", ""] = "max_tokens"
    """By which name it takes a limit on the answer's tokens; empty: by none."""
    system_role: bool = True
    """Otherwise the system text goes into the first user message."""
    takes_back: bool = True
    """Opaque parts that it sent may come back to it."""
    wants_reasoning: bool = False
    """`reasoning_content` has to stand beside calls, a blank one where there is none."""
    call_ids: Literal["long", "nine"] = "long"
    """`nine`: exactly nine letters and digits. `long`: up to 40, `-` and `_` too, or its own."""
    answers_results: bool = False
    """A question may not follow the result of a tool without an answer between."""
