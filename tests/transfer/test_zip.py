"""ZIP files as downloaded, read without unpacking, whatever they declare."""

from __future__ import annotations

import io
import json
import random
import struct
import tracemalloc
import zipfile
from typing import Any, BinaryIO, cast

import pytest

from chat.transfer.importers import zips
from chat.transfer.importers.reading import Found, read
from tests.transfer.chatgpt_samples import export, node
from tests.transfer.conftest import Imports
from tests.transfer.samples import OTHER, QUESTION, line, sample

ONE = export({"q": node("root", "user", "Q"), "a": node("q", "assistant", "A")})
TWO = {**ONE, "conversation_id": OTHER, "title": "Another"}


def packed(files: dict[str, Any], **options: Any) -> bytes:
    """Return a ZIP file; contents other than bytes are written as JSON."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", options.pop("compression", zipfile.ZIP_DEFLATED)) as archive:
        for name, content in files.items():
            archive.writestr(name, content if isinstance(content, bytes) else json.dumps(content))
    return made.getvalue()


def found(data: bytes) -> list[Found]:
    return list(read(io.BytesIO(data)))


def titles(data: bytes) -> list[str]:
    return [one.conversation.title for one in found(data) if one.conversation]


def faults(data: bytes) -> list[str]:
    return [one.fault for one in found(data) if one.fault]


@pytest.mark.parametrize(
    "files",
    [
        {"conversations.json": [ONE, TWO]},
        {"my export/conversations.json": [ONE, TWO]},
        {"my export\\conversations.json": [ONE, TWO], "my export\\user.json": {"id": 1}},
        {"conversations-001.json": [TWO], "conversations-000.json": [ONE]},
        {"../../conversations-000.json": [ONE], "/conversations-001.json": {"conversations": [TWO]}},
        {"chats.json": [ONE], "more.json": [TWO], "user.json": {"id": 1}},
    ],
)  # fmt: skip
def test_the_conversations_in_it_are_read(files: dict[str, Any]) -> None:
    assert titles(packed(files)) == ["About ants", "Another"]
    assert not faults(packed(files))


def test_a_history_of_talos_is_read_out_of_one() -> None:
    assert titles(packed({"history.jsonl": line(sample())})) == ["Ants"]
    assert titles(packed({"history.json": {"conversations": [sample()]}})) == ["Ants"]


def test_other_files_of_an_export_are_not_faults_and_are_counted() -> None:
    data = packed(
        {
            "conversations.json": [ONE],
            "user.json": {}, "message_feedback.json": [], "shared_conversations.json": [], "chat.html": b"<",
            "file-1-harbour.png": b"x", "dalle-generations/a.webp": b"x", "voice/audio.wav": b"x",
            "file-2.pdf": b"x", "file-3.dat": b"x", "inner.zip": packed({"conversations.json": [TWO]}),
            "__MACOSX/._conversations.json": b"x", "folder/": b"",
        }
    )  # fmt: skip
    first, rest = found(data)
    assert first.file == "conversations.json"
    assert not rest.is_conversation
    assert rest.left_out == {"image": 2, "audio": 1, "file": 3}


def test_a_file_named_twice_is_read_twice() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("conversations.json", json.dumps([ONE]))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("conversations.json", json.dumps([TWO]))
    assert titles(made.getvalue()) == ["About ants", "Another"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "it contains no conversations"),
        ({"a.png": b"x", "user.json": {}}, "it contains no conversations"),
        ({"inner.zip": b"PK"}, "unpack it, then import those"),
        ({"Takeout/My Activity/Gemini Apps/MyActivity.html": b"<"}, "a Gemini export: not supported yet"),
        ({"conversations.json": [{"chat_messages": []}], "users.json": []}, "a Claude export: not supported yet"),
    ],
)  # fmt: skip
def test_a_zip_file_that_is_not_an_export_is_explained(files: dict[str, Any], words: str) -> None:
    (fault,) = faults(packed(files))
    assert words in fault


def test_encryption_and_unusual_compression_are_explained() -> None:
    data = bytearray(packed({"conversations.json": [ONE]}))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    assert faults(bytes(data)) == [zips.ENCRYPTED]
    for compression in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert faults(packed({"conversations.json": [ONE]}, compression=compression)) == [
            zips.PACKED
        ]


def test_a_zip_file_cut_off_anywhere_is_explained() -> None:
    data = packed({"conversations.json": [ONE], "a.png": b"x" * 500})
    for end in range(4, len(data), 97):
        assert faults(data[:end]) == [zips.DAMAGED], end


def test_a_damaged_part_costs_itself() -> None:
    data = bytearray(packed({"conversations-0.json": [ONE], "conversations-1.json": [TWO]}))
    data[60] ^= 0xFF  # within the first
    assert zips.DAMAGED in faults(bytes(data))
    assert titles(bytes(data))[-1] == "Another"


def test_no_false_declaration_raises_an_error() -> None:
    chance = random.Random(5)
    whole = packed({"conversations-0.json": [ONE], "conversations-1.json": [TWO], "a.png": b"x"})
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(4, len(data))] = chance.choice(
                [0, 1, 0xFF, chance.randrange(256)]
            )
        for one in found(bytes(data)):
            assert len(one.fault) < 600


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "ALWAYS", 1024 * 1024)
    bomb = packed({"conversations.json": b" " * 8_000_000})
    assert faults(bomb) == [zips.TOO_LARGE]
    many = packed({f"conversations-{n}.json": b" " * 400_000 for n in range(9)})
    assert faults(many) == [zips.TOO_LARGE]


def test_a_file_that_declares_a_smaller_size_is_read_no_further() -> None:
    data = bytearray(packed({"conversations.json": b"[" + b" " * 5_000_000 + b"]"}))
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", 100)
    assert len(faults(bytes(data))) == 1


def test_its_table_of_contents_takes_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "MAX_CONTENTS", 100_000)
    data = packed({f"{n}.png": b"" for n in range(3000)} | {"conversations.json": [ONE]})
    assert faults(data) == [zips.DAMAGED]
    monkeypatch.setattr(zips, "MAX_CONTENTS", 16 * 1024 * 1024)
    assert titles(data) == ["About ants"]


def test_a_large_one_takes_bounded_memory() -> None:
    chance = random.Random(1)
    text = "".join(chance.choices("abcdefghij ", k=400_000))
    element = json.dumps(sample("messages.0.content", text)).encode()
    data = packed({"conversations.json": b"[" + b",".join([element] * 60) + b"]"})
    del element
    tracemalloc.start()
    try:
        number = sum(one.conversation is not None for one in read(io.BytesIO(data)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert number == 60
    assert peak < 8 * 2**20  # of 24 MB


class Pipe(io.RawIOBase):
    """A stream that can be read only once."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._data.readinto(buffer)


def test_a_zip_file_may_come_from_a_pipe() -> None:
    data = packed({"conversations.json": [ONE, TWO]})
    pipe = cast("BinaryIO", io.BufferedReader(Pipe(data), 16))
    assert [one.conversation is not None for one in read(pipe)] == [True, True]


@pytest.mark.parametrize(
    ("files", "left_out"),
    [
        (["file-1.dat"], {}),
        (["file-1-ant.png"], {}),
        (["file-1.dat", "file-2.dat"], {"file": 1}),
        (["file-1-ant.png", "file-2.dat"], {"file": 1}),
        (["file-1.dat", "file-2.pdf", "voice.wav"], {"file": 1, "audio": 1}),
    ],
)
def test_an_image_that_a_conversation_shows_is_counted_once(
    files: list[str], left_out: dict[str, int]
) -> None:
    parts = [{"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-1"}]
    shown = node("root", "user", content={"content_type": "multimodal_text", "parts": parts})
    first, *rest = found(
        packed({"conversations.json": [export({"q": shown})], **dict.fromkeys(files, b"x")})
    )
    assert first.left_out == {"image": 1}
    assert [one.left_out for one in rest] == [left_out] * bool(left_out)


@pytest.mark.django_db
def test_the_report_names_the_file_in_it_and_what_was_left_out(imported: Imports) -> None:
    odd = {**ONE, "title": "Broken", "mapping": 5}
    data = packed(
        {"conversations-000.json": [ONE, odd], "a.png": b"x", "b.png": b"x", "c.pdf": b"x"}
    )
    said = imported(data)
    assert said.status == 1
    assert (
        "a.jsonl/conversations-000.json, conversation 2 (line 1): “Broken”: mapping:" in said.text
    )
    assert "1 imported, 1 skipped. Left out: 2 images, 1 file." in said.text


@pytest.mark.django_db
def test_parts_of_an_export_are_one_import(imported: Imports) -> None:
    other = {**sample(), "id": OTHER, "messages": [{**QUESTION, "id": OTHER}], "leaf": OTHER}
    data = packed(
        {"conversations-000.json": [sample()], "conversations-001.json": [other, sample()]}
    )
    assert imported(data).text.endswith("2 imported, 1 here already.\n")
