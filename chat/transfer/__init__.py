"""Conversations in files: the archive format and its ways in and out.

`format` declares the archive, `rows` reads it out of the database, `encoders` and `markdown` write
it, `files` puts it where it is wanted. `reading` takes files apart again (`chunks`, `kinds`,
`chatgpt`). Nothing here changes the database: that is `services/imports.py`.
"""

from __future__ import annotations
