"""Conversations in files: the archive format, Markdown, and the exports that can be imported.

`archive` declares and writes the format, `importers` read files; `comparing`, `merging` and `settled`
prepare a conversation for import. Nothing here changes the database: `services/imports` does.
"""

from __future__ import annotations
