"""An answer's references: replacements for its marks, and its sources."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

from chat.transfer.importers.chatgpt.fields import Fields
from chat.transfer.importers.chatgpt.markup import (
    escape,
    host,
    is_url,
    line,
    link,
    not_brought_in,
    replace_unstorable,
)

MARKS = ("\ue200", "【", ":contentReference[")
"""The beginnings of marks."""
Link = tuple[str, str]
"""A title and an address."""
_IMAGES = {"image", "image_inline", "image_v2"}
_NO_SOURCES = {
    *_IMAGES,
    "nav_list",
    "image_group",
    "products",
    "product_entity",
    "entity",
    "hidden",
}
"""Types of references that show something and are not sources."""

_NAMED = {"entity", "product_entity"}
"""Types of references that are shown by name alone."""


@dataclass
class References:
    """The references of one message."""

    by_mark: dict[str, str] = field(default_factory=dict)
    """Markdown by the exact text of a mark."""
    by_speaking_mark: dict[str, list[Link]] = field(default_factory=dict)
    """Links for marks without Markdown in the export, whose own words come first."""
    by_number: dict[str, str] = field(default_factory=dict)
    """Markdown for marks of 2023 and 2024, by the number in them."""
    citations: list[tuple[int | None, str]] = field(default_factory=list)
    """The place of such a mark in the text, and Markdown for it."""
    links: dict[str, Link] = field(default_factory=dict)
    """Links by names such as `turn0search1`."""
    sources: dict[str, str] = field(default_factory=dict)
    """Titles by address, in order."""

    room: int = 20_000
    """Characters that may still be added in place of marks."""
    images: int = 0
    """The number of images that the text shows; they are not imported."""

    @cached_property
    def by_place(self) -> dict[int | None, str]:
        """Markdown by place. Read only when all citations are known."""
        return {at: words for at, words in self.citations if at is not None}

    @cached_property
    def times(self) -> Counter[int | None]:
        """The number of citations at each place."""
        return Counter(at for at, _ in self.citations)

    def add_source(self, title: str, url: str) -> None:
        if is_url(url) and not self.sources.get(url):
            self.sources[url] = title


def references(metadata: Fields, links: dict[str, Link]) -> References:
    """Read a message's metadata; adds to the `links` of earlier messages."""
    found = References(links=links)
    for group in metadata.each("search_result_groups"):
        for entry in group.each("entries"):
            _name(found, entry, _link(entry))
    for reference in metadata.each("content_references"):
        _reference(found, reference)
    for citation in metadata.each("citations"):
        _citation(found, citation)
    return found


def format_results(metadata: Fields) -> str:
    """Return the results of a search as plain text."""
    groups = metadata.each("search_result_groups")
    entries = [entry for group in groups for entry in group.each("entries")]
    texts = ([entry.text(key) for key in ("title", "url", "snippet")] for entry in entries)
    return "\n\n".join(
        replace_unstorable("\n".join(filter(str.strip, text))) for text in texts if any(text)
    )


def format_links(links: list[Link]) -> str:
    """Format links within a text as Markdown."""
    return f"({', '.join(link(*one) for one in dict.fromkeys(links))})" if links else ""


def format_sources(sources: dict[str, str]) -> str:
    """Format the sources of an answer as Markdown."""
    if not sources:
        return ""
    return "Sources:\n\n" + "\n".join(f"- {link(title, url)}" for url, title in sources.items())


def _reference(found: References, reference: Fields) -> None:
    kind = reference.text("type")
    links = _links(reference)
    if kind not in _NO_SOURCES:
        for title, url in links:
            found.add_source(title, url)
    for item in [reference, *reference.each("items")]:
        _name(found, item, _link(item))
    mark = reference.text("matched_text")
    if mark.startswith(MARKS) and (markdown := _instead(reference, links)):
        found.by_mark[mark] = markdown
        found.by_speaking_mark.pop(mark, None)
        if not reference.text("alt").strip():
            found.images += kind in _IMAGES
            found.by_speaking_mark[mark] = [] if kind in _NAMED else list(dict.fromkeys(links))


def _instead(reference: Fields, links: list[Link]) -> str:
    alt = replace_unstorable(reference.text("alt"))
    if alt.strip():
        return alt
    if reference.text("type") in _IMAGES:
        titles = (one.text("title") for one in [reference, *reference.each("images")])
        return not_brought_in("image", ", ".join(map(escape, filter(str.strip, titles))))
    if name := reference.text("name"):
        return f"({escape(name)})" if reference.text("type") == "file" else escape(name)
    return format_links(links)


def _citation(found: References, citation: Fields) -> None:
    about = citation.inner("metadata")
    title, url = _link(about)
    if not (is_url(url) or title):
        return
    markdown = f"({link(title, url)})"
    found.add_source(title, url)
    place = citation.raw("start_ix")
    found.citations.append((place if isinstance(place, int) else None, markdown))
    if number := about.quiet.inner("extra").text("cited_message_idx"):
        found.by_number.setdefault(number, markdown)


def _links(reference: Fields) -> list[Link]:
    own = [_link(reference)]
    for key in ("items", "sources", "fallback_items"):
        for item in reference.each(key):
            own.append(_link(item))
            own += map(_link, item.each("supporting_websites"))
    links = [one for one in own if is_url(one[1])]
    return links or [("", url) for url in reference.quiet.values("safe_urls") if _is_url(url)]


def _is_url(value: object) -> bool:
    return isinstance(value, str) and is_url(value)


def _link(about: Fields) -> Link:
    url = about.text("url")
    title = about.text("title") or about.text("name") or about.text("attribution")
    return line(title) or (host(url) if is_url(url) else ""), url


def _name(found: References, about: Fields, one: Link) -> None:
    """Register a link under the names that marks in the text use for it."""
    if not is_url(one[1]):
        return
    about = about.quiet
    for reference in [about.inner("ref_id"), *about.each("refs")]:
        if kind := reference.text("ref_type"):
            name = f"turn{reference.text('turn_index')}{kind}{reference.text('ref_index')}"
            found.links[name] = one
