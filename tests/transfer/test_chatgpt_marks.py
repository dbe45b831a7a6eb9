"""Marks in ChatGPT exports become words, links and sources; code is not changed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.transfer.chatgpt_samples import (
    CITE,
    answer,
    converted,
    mark,
    node,
    only_answer,
    text,
)


@pytest.mark.parametrize(
    ("marked", "words"),
    [
        (mark("entity", '["city", "Ulm", "in Swabia"]'), "A Ulm b"),
        (mark("entity", '["city","Ulm"'), 'A \\["city","Ulm" b'),
        (mark("url", "a page", "https://a.example/x"), "A [a page](https://a.example/x) b"),
        (mark("url", "1984", "https://a.example/x"), "A [1984](https://a.example/x) b"),
        (mark("url", "a page", "tok3n"), "A a page b"),
        (mark("url", "a page", "javascript:alert(1)"), "A a page b"),
        (mark("link_title", "his notes", "turn0search4"), "A his notes b"),
        (mark("link_title", "notes", "turn0search1"), "A [notes](https://one.example/) b"),
        (mark("navlist", "Read on", "turn0news9"), "A Read on b"),
        (
            mark("navlist", "Read on", "turn0search1,turn0search7, turn0search1"),
            "A Read on ([One](https://one.example/)) b",
        ),
        (mark("newer", "words", "turn0odd1, turn0odd2"), "A words b"),
        (mark("products", '{"selections": [["turn0product1", "A kettle"]]}'), "A A kettle b"),
        (mark("genui", '{"maths": {"content": "1 + 1"}}'), "A 1 + 1 b"),
        (mark("video", "Ants at work", "turn0video1"), "A Ants at work b"),
        (mark("newer", "some words", "turn0odd1"), "A some words b"),
        (mark("cite", "turn7search7"), "A  b"),
        (mark("filecite", "turn0file0", "L1-L20"), "A  b"),
        (mark("i", "turn0image1"), "A  b"),
        ("\ue203what was cited\ue204", "A what was cited b"),
        ("\ue200cite\ue202turn0search1", "A  b"),
        (mark("image_group", '{"query": ["ants"]}'), "A *(images: ants: not brought in)* b"),
    ],
)
def test_marks_are_removed_and_their_words_kept(marked: str, words: str) -> None:
    groups = [{"entries": [{"url": "https://one.example/", "title": "One", "ref_id": {"turn_index": 0, "ref_type": "search", "ref_index": 1}}]}]  # fmt: skip
    assert text(f"A {marked} b", search_result_groups=groups) == words


@pytest.mark.parametrize(
    ("reference", "becomes"),
    [
        ({"type": "grouped_webpages", "alt": "([a](https://a.example))"}, "It is. ([a](https://a.example))"),
        ({"type": "entity", "alt": None, "name": "An *ant*"}, "It is.An \\*ant\\*"),
        ({"type": "webpage", "url": "https://a.example", "title": "A [1]"}, "It is. ([A \\[1\\]](https://a.example))"),
        ({"type": "grouped_webpages", "items": [{"url": "https://a.example/b (c)", "title": ""}]},
         "It is. ([a.example](https://a.example/b%20%28c%29))"),
        ({"type": "grouped_webpages", "alt": "", "safe_urls": ["https://a.example", 5]}, "It is. ([a.example](https://a.example))"),
        ({"type": "file", "name": "plan.pdf"}, "It is. (plan.pdf)"),
        ({"type": "hidden"}, "It is."),
        ({"type": "webpage", "url": "javascript:alert(1)", "title": "A"}, "It is."),
    ],
)  # fmt: skip
def test_references_become_links(reference: dict[str, Any], becomes: str) -> None:
    said = text(f"It is.{CITE}", content_references=[{"matched_text": CITE, **reference}])
    assert said.split("\n\nSources:")[0] == becomes


PAGE = {"title": "Its Long Title", "url": "https://p.example"}


@pytest.mark.parametrize(
    ("marked", "reference", "becomes"),
    [
        (("url", "the page", "tok3n"), {"type": "webpage", **PAGE}, "A [the page](https://p.example) b"),
        (("link_title", "his notes", "turn0search4"), {"type": "webpage", **PAGE}, "A [his notes](https://p.example) b"),
        (("navlist", "Read on", "turn0news9"), {"type": "nav_list", "items": [PAGE, PAGE]},
         "A Read on ([Its Long Title](https://p.example)) b"),
        (("entity", '["city","the *capital*","Paris"]'), {"type": "entity", "name": "Paris", **PAGE}, "A the \\*capital\\* b"),
        (("entity", '["city","Par'), {"type": "entity", "name": "Paris"}, "A Paris b"),
        (("cite", "turn0search1"), {"type": "webpage", **PAGE}, "A ([Its Long Title](https://p.example)) b"),
        (("image_group", '{"query": ["fox"]}'), {"type": "image_group", "safe_urls": ["https://s.example"]},
         "A *(images: fox: not brought in)* b"),
    ],
)  # fmt: skip
def test_the_words_of_a_mark_go_before_those_of_its_reference(
    marked: tuple[str, ...], reference: dict[str, Any], becomes: str
) -> None:
    known = {"matched_text": mark(*marked), "alt": None, **reference}
    made = converted(node(None, "assistant", f"A {mark(*marked)} b", metadata={"content_references": [known]}))  # fmt: skip
    assert made.conversation
    assert only_answer(made.conversation).content.split("\n\nSources:")[0] == becomes
    assert made.left_out == ({"image": 1} if marked[0] == "image_group" else {})


@pytest.mark.parametrize(
    ("reference", "becomes"),
    [
        ({"title": "A *fox*", "safe_urls": ["https://s.example"]}, "Look *(image: A \\*fox\\*: not brought in)* here"),
        ({"images": [{"title": "Fox", "url": "https://f.example"}, {}, {"title": "Den"}]}, "Look *(image: Fox, Den: not brought in)* here"),
        ({}, "Look *(image: not brought in)* here"),
    ],
)  # fmt: skip
def test_an_image_of_the_web_is_named_and_counted(reference: dict[str, Any], becomes: str) -> None:
    seen = mark("i", "turn0image1")
    known = {"type": "image_v2", "matched_text": seen, "alt": None, **reference}
    made = converted(node(None, "assistant", f"Look {seen} here", metadata={"content_references": [known]}))  # fmt: skip
    assert made.conversation
    assert only_answer(made.conversation).content == becomes
    assert made.left_out == {"image": 1}


def test_sources_are_listed_once_at_the_end_of_the_answer() -> None:
    item = {"url": "https://a.example/(1)", "title": "A ](x) <b>"}
    footnote = {"type": "sources_footnote", "matched_text": " ", "sources": [item, {"url": "https://b.example", "title": "B"}]}  # fmt: skip
    said = answer(
        node(None, "assistant", f"One.{CITE}", metadata={"content_references": [
            {"type": "grouped_webpages", "matched_text": CITE, "alt": "(a)", "items": [item]}, footnote]}),
        node(None, "assistant", "Two."),
    ).content  # fmt: skip
    assert said == (
        "One. (a)\n\nTwo.\n\nSources:\n\n"
        "- [A \\](x) \\<b\\>](https://a.example/%281%29)\n- [B](https://b.example)"
    )


def citation(number: int, at: Any = None, **extra: Any) -> dict[str, Any]:
    about = {"title": f"T{number}", "url": f"https://{number}.example", "extra": extra}
    return {"start_ix": at, "end_ix": at, "metadata": about}


@pytest.mark.parametrize(
    ("citations", "becomes"),
    [
        ([citation(2, 11), citation(1, 1)], "A ([T1](https://1.example)) b ([T2](https://2.example))."),
        ([citation(1, 500), citation(2, [])], "A ([T1](https://1.example)) b ([T2](https://2.example))."),
        ([citation(2, None, cited_message_idx=7), citation(1, None, cited_message_idx=4)],
         "A ([T1](https://1.example)) b ([T2](https://2.example))."),
        ([], "A b."),
    ],
)  # fmt: skip
def test_citations_of_2023_become_links(citations: list[Any], becomes: str) -> None:
    said = text("A【4†source】 b【7†L1-L9】.", citations=citations)
    assert said.split("\n\nSources:")[0] == becomes


@pytest.mark.parametrize("mark", [":contentReference[oaicite:3]{index=3}", "【oaicite:3】"])
def test_citations_of_2024_become_links(mark: str) -> None:
    reference = {"type": "webpage", "matched_text": mark, "alt": "([a](https://a.example))"}
    assert text(f"A{mark}.", content_references=[reference]) == "A ([a](https://a.example))."
    assert text(f"A{mark}.") == "A."


def test_a_citation_of_a_file_keeps_its_name() -> None:
    assert text("A【4:0†plan_b.pdf】.") == "A (plan_b.pdf)."


def test_code_is_left_as_it_is() -> None:
    code = f"```\n{CITE} 【1†source】\n```\n\nSee `{CITE}` and ``a ` {CITE}``"
    assert text(f"{code}, but{CITE}") == f"{code}, but"
    assert text(f"`open{CITE}") == "`open"


@pytest.mark.parametrize(
    ("before", "is_code"),
    [
        ("> ```\n> code\n\n", False),
        ("> ```\n> code\n", False),
        ("> ```\n> code\n> ", True),
        ("> ```\n> code\n>\n> ```\n", False),
        ("- item\n\n  ```\n  code\n- ", False),
        ("- item\n\n  ```\n  code\n\n  ", True),
        ("- item\nlazy\n\n  ```\n  code\n", False),
        ("-\n  ```\n  code\n  ", True),
        ("-\n  ```\n  code\n ", False),
        ("1. > - ~~~\n   >   code\n   > ", False),
        ("1. > - ~~~\n   >   code\n   >   ", True),
        ("10. item\n\t```\n\tcode\n\t", True),
        ("item\n\n  ```\ncode\n", True),
        ("- item\n\nText\n\n  ```\ncode\n", True),
        ("1. item\n```\ncode\n", True),
        ("```\n> - code\n", True),
        ("- `open\n- ", False),
        ("- `open\n  ", True),
    ],
)
def test_code_ends_with_the_quote_or_the_item_it_stands_in(before: str, is_code: bool) -> None:
    ant = mark("entity", '["animal","Ant"]')
    assert text(f"{before}{ant}`") == f"{before}{ant if is_code else 'Ant'}`"
