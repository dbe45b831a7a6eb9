"""Writes chats directly into a room's database, beside its running server."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from urllib.request import urlopen

from chat.search.index import TITLE
from chat.search.words import words
from tests.browser.conftest import SECONDS, Room

OWNER = "SELECT id FROM auth_user"


def store(room: Room, chats: Iterable[tuple[str, str]]) -> None:
    """Store chats by title and question, latest first."""
    begin = datetime.now(UTC) - timedelta(hours=1)
    with closing(sqlite3.connect(room.talos.data / "talos.sqlite3", timeout=SECONDS)) as rows:
        if not rows.execute(OWNER).fetchone():
            urlopen(room.talos.address).close()  # noqa: S310  # ours: a first visit makes the owner
        (owner,) = rows.execute(OWNER).fetchone()
        for number, (title, text) in enumerate(chats):
            moment = f"{begin - timedelta(minutes=number):%Y-%m-%d %H:%M:%S}"
            _store(rows, owner, moment, title, text)
        rows.commit()


def amend(room: Room, **changes: object) -> None:
    """Change the latest turn, as if its model had reported more."""
    names = ", ".join(f"{name} = ?" for name in changes)
    with closing(sqlite3.connect(room.talos.data / "talos.sqlite3", timeout=SECONDS)) as rows:
        latest = "(SELECT max(id) FROM chat_turn)"
        rows.execute(f"UPDATE chat_turn SET {names} WHERE id = {latest}", [*changes.values()])  # noqa: S608  # our own names
        rows.commit()


def _store(rows: sqlite3.Connection, owner: int, moment: str, title: str, text: str) -> None:
    chat, message = uuid.uuid4().hex, uuid.uuid4().hex
    _insert(
        rows,
        "conversation",
        {"id": chat, "owner_id": owner, "title": title, "titled_by": "person", "model": "", "instructions": "", "offers_tools": 1, "seq": 0, "pinned": 0, "archived": 0, "unread": 0, "hidden": "", "leaf_id": message, "created_at": moment, "updated_at": moment},
    )  # fmt: skip
    _insert(
        rows,
        "message",
        {"id": message, "conversation_id": chat, "owner_id": owner, "role": "user", "content": text, "reasoning": "", "withdrawn": 0, "created_at": moment},
    )  # fmt: skip
    for of, found in ((message, words(text)), (None, [*words(title), TITLE])):
        entry = {"owner_id": owner, "conversation_id": chat, "message_id": of, "said_at": moment}
        _insert(rows, "searchentry", {**entry, "words": " ".join(found)})


def _insert(rows: sqlite3.Connection, table: str, row: dict[str, object]) -> None:
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    rows.execute(f"INSERT INTO chat_{table} ({names}) VALUES ({marks})", list(row.values()))  # noqa: S608  # our own names
