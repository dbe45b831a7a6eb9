"""The code, the documentation and its examples describe the same wire."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import get_args

import pytest
from django.conf import settings

from chat import errors, protocol
from chat.protocol import Action, Data, Event, Frame

DOCS = (settings.BASE_DIR / "docs" / "protocol.md").read_text()
EXAMPLES = DOCS.split("### Examples")[1].split("```")[1].removeprefix("json").strip().splitlines()
FRAMES = [cls for cls in (*Frame.__subclasses__(), *Event.__subclasses__()) if cls is not Event]


def rows(title: str) -> dict[str, str]:
    """Read a table of the page: the name in the first column → the rest of its row."""
    table = re.search(rf"^\| {title} \|.*?(?=\n\n)", DOCS, re.MULTILINE | re.DOTALL)
    assert table is not None
    cells = (line.strip("| ").split(" | ", 1) for line in table[0].splitlines()[2:])
    return {name.strip("`"): rest for name, rest in cells}


def name_of(cls: type[Frame]) -> str:
    return str(cls.model_fields["event" if issubclass(cls, Event) else "type"].default)


def fields_of(cls: type[Data]) -> Iterator[str]:
    """Yield fields as the tables write them: optional ones with a question mark."""
    for name in cls.model_fields:
        yield f"`{name}?`" if name in cls.left_out else f"`{name}`"


def test_every_action_is_in_the_table_with_its_fields() -> None:
    table = rows("action")
    actions = {
        str(get_args(cls.model_fields["action"].annotation)[0]): cls
        for cls in Action.__subclasses__()
    }
    assert set(table) == set(actions) == set(protocol.ACTIONS)
    for name, cls in actions.items():
        for field, info in cls.model_fields.items():
            if field != "action":
                assert f"`{field}{'' if info.is_required() else '?'}`" in table[name], (name, field)


def test_every_frame_is_in_a_table_with_its_fields() -> None:
    types, events = rows("type"), rows("event")
    assert set(types) == {name_of(cls) for cls in FRAMES if not issubclass(cls, Event)} | {"event"}
    assert set(events) == {name_of(cls) for cls in FRAMES if issubclass(cls, Event)}
    for cls in FRAMES:
        if issubclass(cls, Event):
            data = cls.model_fields["data"].annotation
            assert isinstance(data, type)
            for field in fields_of(data):
                assert field in events[name_of(cls)], (name_of(cls), field)
        else:
            for field in set(fields_of(cls)) - {"`type`", "`seq?`"}:
                assert field in types[name_of(cls)], (name_of(cls), field)


def test_every_error_code_is_in_the_table() -> None:
    assert set(rows("code")) == {cls.code for cls in errors.TalosError.__subclasses__()}


@pytest.mark.parametrize("cls", FRAMES)
def test_every_frame_has_an_example_that_it_encodes(cls: type[Frame]) -> None:
    examples = [json.loads(line) for line in EXAMPLES]
    mine = [e for e in examples if e.get("event", e["type"]) == name_of(cls)]
    assert len(mine) == 1
    assert json.loads(cls.model_validate(mine[0]).encode()) == mine[0]


def test_the_limits_are_those_of_the_page() -> None:
    assert f"{protocol.MAX_TEXT:,} code points" in DOCS
    assert f"{protocol.MAX_QUEUED} queued sends" in DOCS
    assert f"nesting beyond {protocol.MAX_DEPTH}" in DOCS
    assert f"the last {protocol.SNAPSHOT_MESSAGES} of the current branch" in DOCS
    assert protocol.MAX_FRAME_BYTES == protocol.MAX_ANSWER_BYTES == 1 << 20
    assert protocol.SNAPSHOT_CONTENT_BYTES == 64 << 10
