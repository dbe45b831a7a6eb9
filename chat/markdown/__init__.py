"""Markdown to safe HTML, in processes that are killed when a text takes more than its share.

`renderer`, `blocks` and `code` say how text looks; `worker` is the process in which they run, `pool`
what asks it, `pages` what a page asks. `kept` has what was rendered once.
"""

from __future__ import annotations
