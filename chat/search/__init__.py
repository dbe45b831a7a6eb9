"""Search in the titles and finished messages of an owner's conversations.

`words.py` and not the database decides what a word is, so that SQLite and PostgreSQL find the same:
each stored text becomes the set of its words, without case and accents, in a row of its own
(`index.py`), and the databases only look words up, with FTS5 and a GIN index. A query matches a text
if each of its words begins a word there, or occurs anywhere in a script without spaces.

Why words and not trigrams: trigrams find nothing shorter than three characters, which rules out most
Chinese and Japanese words; their index is three and a half times as large and twice as slow to
write, in the transaction that ends an answer. The price is that the middle of a word is not found.
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
