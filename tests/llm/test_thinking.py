"""Thoughts in tags are separated from the text of an answer."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.llm.base import Reasoning, Text, Thought
from chat.llm.stream.thinking import Part, ThinkTags


def parts(*pieces: str) -> list[Part]:
    tags = ThinkTags()
    read: list[Part] = []
    for piece in pieces:
        read += [Text(piece)] if tags.passes(piece) else tags.feed(piece)
    return read + tags.end()


def parts_of(*pieces: str) -> list[tuple[type[Part], str]]:
    """Return the parts with neighbours of one kind joined, whatever the cuts."""
    told = parts(*pieces)
    assert all(part.content for part in told if not isinstance(part, Thought))
    return [
        (kind, "".join(getattr(part, "content", "") for part in group))
        for kind, group in itertools.groupby(told, type)
    ]


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("<think>", "</think>"),
        ("<Think>", "</THINK>"),
        ("<thinking>", "</thinking>"),
        ("<reasoning>", "</reasoning>"),
        ("<thought>", "</thought>"),
        ("[THINK]", "[/THINK]"),
    ],
)
def test_a_thought_before_the_answer(opening: str, closing: str) -> None:
    text = f"\n{opening}\nHm. <b>\n{closing}\n\n  Hello </think> [/THINK]"
    assert parts_of(text) == [(Reasoning, "Hm. <b>"), (Text, "  Hello </think> [/THINK]")]
    assert parts_of(*text) == parts_of(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<think>Hm.", [(Reasoning, "Hm.")]),
        ("<think>Hm.</thi", [(Reasoning, "Hm.</thi")]),
        ("<think>\n\n</think>\n\nHello", [(Text, "Hello")]),
        ("<think>a</think>\n<think>b</think> c", [(Reasoning, "a\n\nb"), (Text, "c")]),
        ("<think>a</think>b<think>c</think>", [(Reasoning, "a"), (Text, "b<think>c</think>")]),
        ("</think>\n\nHello", [(Text, "Hello")]),
        ("<thinker>", [(Text, "<thinker>")]),
        ("<th", [(Text, "<th")]),
        ("  \n", [(Text, "  \n")]),
        ("  indented", [(Text, "  indented")]),
        ("", []),
        ("A [link](x) <b>[THINK", [(Text, "A [link](x) <b>[THINK")]),
        ("a <think>b</think> c", [(Text, "a <think>b</think> c")]),
    ],
)
def test_other_beginnings(text: str, told: list[tuple[type[Part], str]]) -> None:
    assert parts_of(text) == told
    assert parts_of(*text) == told


def test_a_closing_tag_alone_ends_a_thought() -> None:
    told = [(Text, "Hm.\n"), (Thought, ""), (Text, "\n\nHello </think>")]
    assert parts_of("Hm.\n</think>\n\nHello </think>") == told
    assert parts_of("Hm.\n</th", "ink>\n", "\nHello </think>") == told


@pytest.mark.parametrize(
    "code",
    [
        "It ends with `</think>`.",
        "``a ` </think>``",
        "```\n</think>\n```",
        "~~~~xml\n~~~\n</think>\n~~~~",
        "- ```\n  </think>\n  ```",
        "```\n```python\n</think>",
    ],
)
def test_a_closing_tag_within_code_is_text(code: str) -> None:
    assert parts_of(code) == [(Text, code)]
    assert parts_of(*code) == [(Text, code)]
    before = [(Text, f"{code}\n\n```\n```\n"), (Thought, ""), (Text, "x")]
    if code.endswith(("`", "~", ".")):
        assert parts_of(f"{code}\n\n```\n```\n</think>x") == before


@pytest.mark.parametrize("thought", ["it's a ` sign\n\nok", "```a```", "```\nx\n```", "`a` `b`"])
def test_a_closing_tag_after_code_counts(thought: str) -> None:
    assert parts_of(f"{thought}</think>x") == [(Text, thought), (Thought, ""), (Text, "x")]


def test_pieces_are_emitted_as_they_arrive() -> None:
    tags = ThinkTags()
    assert tags.feed("Hel") == [Text("Hel")]
    assert tags.passes("lo")
    assert not tags.passes(" <")
    assert tags.feed(" <") == [Text(" ")]
    assert tags.feed("b>") == [Text("<b>")]


BITS = st.sampled_from(
    [
        *("<think>", "</think>", "[THINK]", "[/THINK]", "<thought>", "</thought>", "`</think>`"),
        *("<", "[", "/", "think>", "`", "```", "~~~", "- ", " ", "\n", "\n\n", "a", "é", "İ", "K"),
    ]
)


@given(st.lists(BITS, max_size=25), st.lists(st.integers(0, 120), max_size=12))
def test_any_cut_gives_the_same_result(bits: list[str], cuts: list[int]) -> None:
    text = "".join(bits)
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    whole = parts_of(text)
    assert parts_of(*(text[a:b] for a, b in itertools.pairwise(edges))) == whole
    assert parts_of(*text) == whole


@pytest.mark.parametrize("bit", ["`</think>", "<think></think>", "<", " ", "</think>", "`\n", "["])
@pytest.mark.parametrize("beginning", ["", "a", "<think>"])
def test_it_is_linear(bit: str, beginning: str) -> None:
    text = beginning + bit * (60_000 // len(bit))
    began = time.process_time()
    parts(text)
    parts(*(text[at : at + 3] for at in range(0, len(text), 3)))
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    "text", ['The tag "</think>" ends it.', "**</think>** ends it.", "(</think>) ends it."]
)
def test_a_closing_tag_that_is_only_mentioned_is_text(text: str) -> None:
    assert parts_of(text) == [(Text, text)]
    assert parts_of(*text) == [(Text, text)]


def test_blocks_stay_apart_without_the_closing_tag() -> None:
    told = [(Text, "I will.\n"), (Thought, ""), (Text, "\n\n```py\nx\n```")]
    assert parts_of("I will.\n</think>\n\n```py\nx\n```") == told


@pytest.mark.parametrize(
    "text",
    [
        "<think>a</thinking>b",
        "<thinking>a</think>b",
        "<seed:think>a</seed:think>b",
        "◁think▷a◁/think▷b",
    ],
)
def test_any_closing_tag_closes(text: str) -> None:
    assert parts_of(text) == [(Reasoning, "a"), (Text, "b")]
    assert parts_of(*text) == [(Reasoning, "a"), (Text, "b")]
