"""Conversations in files: the archive format, Markdown, and the exports that can be imported.

`archive` declares and writes the format, `importers` read files, `comparing`, `merging` and `settled`
say what becomes of a conversation that is imported. Nothing here changes the database: that is
`services/imports`.
"""

from __future__ import annotations
