"""Markdown to safe HTML, in processes that are killed when a text takes more than its share.

`renderer`, `blocks` and `code` define how text looks; they run in the process `worker`. `pool` sends
it texts, `pages` requests those of a page, and `kept` stores the results.
"""

from __future__ import annotations
