"""Malformed exports: odd data costs only itself, and is reported."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.transfer.archive.format import ArchivedConversation
from chat.transfer.importers import chatgpt
from tests.support.growth import excess
from tests.transfer.chatgpt_samples import ID, branch, convert, export, node, read

Step = str | int
values = (
    st.none() | st.booleans() | st.integers() | st.floats()
    | st.sampled_from([10**400, "NaN", "", "all", "\ud800", "a\0", "2026-01-01", "\ue200", "q", "a1", "user"])
    | st.text(max_size=5)
)  # fmt: skip
junk = st.recursive(values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6)  # fmt: skip


def rich() -> dict[str, Any]:
    """A conversation with a bit of everything. Each node's words end in its name."""
    cite = "\ue200cite\ue202turn0search1\ue201"
    references = [{"matched_text": cite, "type": "grouped_webpages", "alt": "([x](https://x.example))",
                   "items": [{"url": "https://x.example", "title": "X", "refs": [{"turn_index": 0}]}]}]  # fmt: skip
    citations = [{"start_ix": 9, "metadata": {"url": "https://y.example", "extra": {"a": 1}}}]
    groups = [
        {"entries": [{"url": "https://z.example", "title": "Z", "ref_id": {"ref_type": "s"}}]}
    ]
    image = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://f", "metadata": {"dalle": {"prompt": "p"}}}  # fmt: skip
    attached = {"attachments": [{"id": "f", "name": "f.png", "mime_type": "image/png"}]}
    document = json.dumps({"name": "D", "type": "document", "content": "said-a5"})
    nodes = {
        "q1": node("root", "user", "said-q1", content={"content_type": "multimodal_text", "parts": [image, "said-q1"]}, metadata=attached),
        "a1": node("q1", "assistant", f"said-a1{cite}", metadata={"content_references": references, "model_slug": "m"}),
        "a2": node("a1", "assistant", "said-a2", recipient="web.run"),
        "a3": node("a2", "tool", "said-a3", name="web.run", metadata={"search_result_groups": groups}),
        "a4": node("a3", "assistant", "said-a4【1†source】", metadata={"citations": citations, "finish_details": {"type": "stop"}}),
        "a5": node("a4", "assistant", document, recipient="canmore.create_textdoc"),
        "a6": node("a5", "assistant", content={"content_type": "thoughts", "thoughts": [{"summary": "s", "content": "said-a6"}]}),
        "q2": node("a6", "user", "said-q2"),
        "b1": node("q2", "assistant", content={"content_type": "code", "language": "c", "text": "said-b1"}),
        "b2": node("q2", "assistant", content={"content_type": "tether_quote", "title": "t", "url": "u", "text": "said-b2"}),
    }  # fmt: skip
    return export(nodes, current_node="b1", is_starred=True)


def paths(value: Any, above: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Return all places in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()  # fmt: skip
    for key, one in inner:
        yield (*above, key)
        yield from paths(one, (*above, key))


PLACES = [path for path in paths(rich()) if path != ("mapping",)]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_odd_data_costs_no_other_message(data: st.DataObject) -> None:
    made = rich()
    touched = set()
    for *above, key in data.draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3)):
        inner: Any = made
        try:
            for step in above:
                inner = inner[step]
            inner[key] = data.draw(junk)
        except (KeyError, IndexError, TypeError):
            continue  # what it was in is odd already
        touched.add([*above, key][1] if above else "")
    found = chatgpt.conversation(json.dumps(made).encode())
    assert found.conversation
    ArchivedConversation.model_validate(found.conversation.model_dump())
    everything = found.conversation.model_dump_json()
    lost = {
        name for name in rich()["mapping"] if name != "root" and f"said-{name}" not in everything
    }
    assert lost <= touched
    assert all(len(note) < 300 for note in found.notes)


@pytest.mark.parametrize(
    "odd", [None, 10**400, "x", [[]], {"a": [{}]}], ids=lambda odd: str(odd)[:9]
)
def test_an_odd_value_at_any_place_costs_only_its_message(odd: Any) -> None:
    whole = json.dumps(rich())
    for *above, key in PLACES:
        made: Any = json.loads(whole)
        inner = made
        for step in above:
            inner = inner[step]
        inner[key] = odd
        found = read(made).conversation
        assert found
        everything = found.model_dump_json()
        lost = {name for name in made["mapping"] if f"said-{name}" not in everything} - {"root"}
        assert lost <= {[*above, key][1] if above else ""}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_tree_makes_an_archive_or_is_refused(data: st.DataObject) -> None:
    keys = [f"n{n}" for n in range(data.draw(st.integers(0, 7)))]
    nodes = {
        key: node(
            data.draw(st.sampled_from(["root", "x", *keys])),
            data.draw(st.sampled_from(["user", "assistant", "tool", "system", "x"])),
            data.draw(junk), at=data.draw(st.none() | st.floats()), recipient=data.draw(st.sampled_from(["all", "python", None])),
        )
        for key in keys
    }  # fmt: skip
    made = export(nodes, current_node=data.draw(st.sampled_from([None, "x", *keys])))
    try:
        archived = read(made).conversation
    except ValueError:
        return
    if archived is not None:
        ArchivedConversation.model_validate(archived.model_dump())


SPOILED: list[tuple[str, Any, list[str], str]] = [
    ("author", None, ["Q", "A"], "nobody is named as its author"),
    ("author", {"role": "pirate"}, ["Q", "A"], "“pirate” is not known as its author"),
    ("author", "user", ["Q", "A", "Q2"], ""),
    ("content", None, ["Q", "A"], "it has no content"),
    ("content", 5, ["Q", "A"], "content is not an object"),
    ("content", "words", ["Q", "A", "words"], ""),
    ("content", {"parts": "words"}, ["Q", "A", "words"], ""),
    ("content", {"parts": [42, None, "words"]}, ["Q", "A", "42\n\nwords"], ""),
    ("content", {"parts": [True, "words"]}, ["Q", "A", "words"], "a part of it is neither"),
    ("content", {"content_type": "hologram", "content": "words"}, ["Q", "A", "words"], ""),
    ("content", {"content_type": "hologram"}, ["Q", "A"], "content of the type “hologram” is not known"),
    ("create_time", "yesterday", ["Q", "A", "Q2"], "create_time is not a time"),
    ("create_time", [5], ["Q", "A", "Q2"], "create_time is not a time"),
    ("metadata", [], ["Q", "A", "Q2"], "metadata is not an object"),
    ("status", 3, ["Q", "A", "Q2"], ""),
    ("recipient", {}, ["Q", "A", "Q2"], "recipient is not text"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "texts", "note"), SPOILED)
def test_an_odd_field_of_a_message(key: str, value: Any, texts: list[str], note: str) -> None:
    nodes = {
        "q": node("root", "user", "Q"),
        "a": node("q", "assistant", "A"),
        "q2": node("a", "user", "Q2"),
    }
    nodes["q2"]["message"][key] = value
    made = read(export(nodes))
    assert made.conversation
    assert branch(made.conversation) == texts
    assert [note in one and one.startswith("message q2: ") for one in made.notes] == [True] * bool(
        note
    )


@pytest.mark.parametrize(
    ("time", "becomes"),
    [
        ("2026-02-03T04:05:06Z", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("2026-02-03T06:05:06+02:00", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("2026-02-03 04:05:06", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
        (1770091506, datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
        (1770091506000, datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("1770091506.0", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
    ],
)
def test_times_of_any_kind(time: Any, becomes: datetime) -> None:
    assert (
        convert({"q": node("root", "user", "Q", at=None)}, create_time=time).created_at == becomes
    )


def test_a_conversation_whose_own_fields_are_odd() -> None:
    odd = {"title": 2026, "is_archived": "false", "is_starred": "TRUE", "current_node": 5, "update_time": {}}  # fmt: skip
    made = read(export({"q": node("root", "user", "Q")}, **odd))
    assert made.conversation
    assert (made.conversation.title, made.conversation.archived, made.conversation.pinned) == ("2026", False, True)  # fmt: skip
    assert made.notes == ("update_time is not a time",)


def test_broken_trees() -> None:
    exported = export({
        "a": node("b", "user", "A"), "b": node("a", "user", "B"), "c": node("c", "user", "C"),
        "d": node("gone", "user", "D"), "e": node(None, "user", "E"), "f": node(None, "user", "F"),
    })  # fmt: skip
    exported["mapping"]["e"]["children"] = ["f", "f", 5, "e"]
    exported["mapping"]["f"]["parent"] = 5
    exported["mapping"]["g"] = 5
    made = read(exported)
    assert made.conversation
    by_id = {message.id: message.content for message in made.conversation.messages}
    below = {message.content: by_id.get(message.parent or UUID(int=0)) for message in made.conversation.messages}  # fmt: skip
    assert below == {"A": None, "B": "A", "C": None, "D": None, "E": None, "F": "E"}
    assert len(made.notes) == 3


@pytest.mark.parametrize("mapping", [None, 5, [], "x"])
def test_without_a_mapping_there_is_no_conversation(mapping: Any) -> None:
    with pytest.raises(ValueError, match="mapping"):
        read({"title": "T", "mapping": mapping})


def test_unknown_data_is_never_called_empty() -> None:
    other: dict[str, Any] = {
        "1": {"parent": None, "children": [], "message": {"fragments": [{"content": "x"}]}}
    }
    for mapping in (other, {"1": {"speech": "x"}}, {"1": 5}):
        with pytest.raises(ValueError, match="nothing in it is understood: message 1: "):
            read({"mapping": mapping})


def test_a_few_notes_are_kept_and_the_rest_counted() -> None:
    nodes = {f"n{n}": node("root", "x", "words") for n in range(50)}
    made = read(export({"q": node("root", "user", "Q"), **nodes}))
    assert len(made.notes) == 21
    assert made.notes[-1] == "and 30 more"


def test_a_thought_that_is_only_a_mark_still_makes_an_answer() -> None:
    thought = {"content_type": "thoughts", "thoughts": "\ue200cite\ue202turn0search0\ue201"}
    made = convert({"q": node("root", "user", "Q"), "t": node("q", "assistant", content=thought)})
    assert [message.id for message in made.messages] == [uuid5(UUID(ID), "q"), uuid5(UUID(ID), "t")]
    assert made.messages[1].reasoning == ""


def test_broken_utf8_is_noted() -> None:
    data = json.dumps(export({"q": node("root", "user", "Grüße")}), ensure_ascii=False)
    made = chatgpt.conversation(data.encode("latin-1"))
    assert made.conversation is not None
    assert "some of it is not UTF-8, and shows as \ufffd" in made.notes
    assert chatgpt.conversation(data.encode()).notes == ()
    half = json.dumps(export({"q": node("root", "user", "\ud83d")}))
    assert chatgpt.conversation(half.encode()).notes == ()


# --- long ones ----------------------------------------------------------------------------------


def chain(count: int) -> dict[str, Any]:
    nodes = {str(n): node(str(n - 1) if n else "root", "assistant", f"{n}") for n in range(count)}
    return export(nodes)


HOSTILE: dict[str, Callable[[int], Any]] = {
    "nodes": lambda size: chain(size // 50),
    "a circle": lambda size: export({str(n): node(str((n + 1) % (size // 50)), "user", "x") for n in range(size // 50)}),
    "calls of one name": lambda size: export({f"{n}:": node(f"{n - 1}:" if n else "root", "assistant", "x", recipient="t") for n in range(size // 100)}),
    "openings": lambda size: export({"q": node("root", "assistant", "\ue200" * size)}),
    "closings": lambda size: export({"q": node("root", "assistant", "\ue200a" + "\ue201" * size)}),
    "marks": lambda size: export({"q": node("root", "assistant", "\ue200cite\ue202turn0search1\ue201" * (size // 10))}),
    "names": lambda size: export({"q": node("root", "assistant", "\ue200a\ue202" + "turn" * size)}),
    "brackets": lambda size: export({"q": node("root", "assistant", "【1†" * size)}),
    "citations": lambda size: export({"q": node("root", "assistant", "【1†source】" * (size // 10), metadata={"citations": [{"start_ix": 1, "metadata": {"title": "t"}}] * (size // 20)})}),
    "ticks": lambda size: export({"q": node("root", "assistant", "\ue200" + " `a" * size)}),
    "fences": lambda size: export({"q": node("root", "assistant", "\ue200" + "```\n> - ~~~~ \n" * (size // 10))}),
    "items in a line": lambda size: export({"q": node("root", "assistant", "\ue200" + "- > " * size)}),
    "items over lines": lambda size: export({"q": node("root", "assistant", "\ue200" + "- " * 99 + "\n" * size + "\t" * size)}),
    "quotes over lines": lambda size: export({"q": node("root", "assistant", "\ue200" + ("> " * 99 + "```\n") * (size // 50))}),
    "links of a mark": lambda size: export({"q": node("root", "assistant", "\ue200navlist\ue202x\ue201" * (size // 10), metadata={"content_references": [
        {"matched_text": "\ue200navlist\ue202x\ue201", "items": [{"url": "https://x.example"}] * (size // 20) + [{"url": f"https://x.example/{n}"} for n in range(size // 40)]}]})}),
    "thoughts": lambda size: export({"q": node("root", "assistant", content={"content_type": "thoughts", "thoughts": ["\ue200a\ue201"] * (size // 10)}, metadata={"content_references": [
        {"matched_text": "\ue200a\ue201", "alt": "x" * size}]})}),
    "node ids": lambda size: export({"\ue200" * size + "\ue201": node("root", "user", "Q")}),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_its_time_is_in_proportion_to_its_length(name: str) -> None:
    def prepare(size: int) -> Callable[[], object]:
        data = json.dumps(HOSTILE[name](size)).encode()
        return lambda: chatgpt.conversation(data)

    assert (found := excess(prepare, least=10_000, most=640_000)) is None, found
