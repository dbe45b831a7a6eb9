"""Finding what was said: titles and finished messages of an owner's conversations.

What a word is, is decided here (`words.py`) and not by a database, so that SQLite and PostgreSQL
find the same: each stored text becomes the set of its words, without case and accents, in a row of
its own (`index.py`), and the databases only look words up: FTS5 and a GIN index. A query finds
where each of its words begins a word of the text, or stands anywhere in a script that is written
without spaces.

Why words and not trigrams: trigrams find nothing shorter than three characters, which in Chinese
and Japanese are most words; their index is three and a half times as large, and writing it twice
as slow, within the transaction that ends an answer. What is given up is the middle of a word.
"""

from __future__ import annotations

from chat.search.excerpts import Marked
from chat.search.index import compact, forget, index_message, index_messages, index_title
from chat.search.query import Hit, matching, search

__all__ = [
    "Hit",
    "Marked",
    "compact",
    "forget",
    "index_message",
    "index_messages",
    "index_title",
    "matching",
    "search",
]
