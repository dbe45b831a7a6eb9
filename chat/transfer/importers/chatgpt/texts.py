"""Reading the words of a node as a person saw them, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from chat.transfer.importers.chatgpt.assets import Assets
from chat.transfer.importers.chatgpt.exported import SPEAKERS, Message
from chat.transfer.importers.chatgpt.fields import Fields
from chat.transfer.importers.chatgpt.left_out import LeftOut
from chat.transfer.importers.chatgpt.marks import translate
from chat.transfer.importers.chatgpt.markup import (
    escape,
    fence_code,
    is_url,
    line,
    link,
    replace_unstorable,
)
from chat.transfer.importers.chatgpt.reasoning import reasoning
from chat.transfer.importers.chatgpt.references import Link, References, references

_KNOWN = {"text", "multimodal_text", "code", "execution_output", "tether_browsing_display"}
UNSEEN = {"user_editable_context", "model_editable_context", "reasoning_recap", "thoughts"}


@dataclass
class Said:
    """The words of a message."""

    words: str = ""
    shown: list[str] = field(default_factory=list)
    """Texts in place of its images and files."""
    references: References = field(default_factory=References)
    reasoning: list[str] = field(default_factory=list)

    @property
    def markdown(self) -> str:
        return "\n\n".join([*filter(None, [self.words]), *self.shown])


def is_seen(message: Message) -> bool:
    """Whether it comes from a known speaker and is not hidden."""
    return message.role in SPEAKERS and not message.is_hidden


def read_message(
    message: Message, left_out: LeftOut, named: set[str], links: dict[str, Link]
) -> Said:
    """Read a message. Adds to `named` (ids of files already named) and `links` (targets of marks),
    which belong to the whole answer.
    """
    found = references(message.metadata, links)
    kind = message.content.text("content_type")
    parts = [] if kind in UNSEEN else [*_parts(message.content), *_drawn(message.metadata)]
    objects = [part for part in parts if isinstance(part, Fields)]
    assets = Assets(objects, message.metadata, left_out, named)
    pieces: list[str] = []
    shown: list[str] = []
    for part in parts:
        if isinstance(part, str):
            pieces.append(translate(part, found))
        else:
            (shown if message.role == "tool" else pieces).append(assets.render(part))
    for text in _FORMS.get(kind, _plain)(message):
        pieces.append(text if kind == "code" else translate(text, found))
    shown += assets.render_attached()
    thought = reasoning(message, found)
    for _ in range(found.images):
        left_out.add("image")
    words = "\n\n".join(filter(str.strip, pieces))
    return Said(words, list(filter(None, shown)), found, thought)


def raw(message: Message) -> str:
    """Return the exact text of a call."""
    content = message.content
    parts = [part for part in content.quiet.values("parts") if isinstance(part, str)]
    texts = [*parts, content.text("text"), content.text("result")]
    return replace_unstorable("\n\n".join(filter(str.strip, texts)))


def _parts(content: Fields) -> list[str | Fields]:
    """Return the parts of a content: texts, and objects that are not text."""
    parts = content.raw("parts")
    found: list[str | Fields] = []
    for part in [parts] if isinstance(parts, str) else content.values("parts"):
        if isinstance(part, str):
            found.append(part)
        elif isinstance(part, dict):
            one = content.child(part)
            text = part.get("text")
            found.append(text if isinstance(text, str) else one)  # a transcript of speech
        elif isinstance(part, int | float) and not isinstance(part, bool):
            found.append(str(part))
        elif part is not None:
            content.note("a part of it is neither a text nor an object")
    return found


def _drawn(metadata: Fields) -> Iterator[Fields]:
    """Yield images made by code that the model ran."""
    for one in metadata.inner("aggregate_result").quiet.each("messages"):
        if one.text("message_type") == "image":
            pointer = one.text("image_url")
            yield metadata.child({"content_type": "image_asset_pointer", "asset_pointer": pointer})


def _nothing(message: Message) -> list[str]:
    return []


def _plain(message: Message) -> list[str]:
    content = message.content
    texts = [content.text("text"), content.text("result")]
    kind = content.text("content_type")
    if kind in _KNOWN or any(texts) or content.raw("parts"):
        return texts
    found = content.raw("content")
    if not isinstance(found, str) and content:
        content.note(f"content of the type “{line(kind, 40)}” is not known")
    return [found] if isinstance(found, str) else []


def _code(message: Message) -> list[str]:
    text = replace_unstorable(message.content.text("text"))
    return [fence_code(text, message.content.text("language"))] if text.strip() else []


def _page(message: Message) -> list[str]:
    """Render a web page that was read, or a part of it."""
    content = message.content
    title, url = content.text("title") or content.text("domain"), content.text("url")
    heading = link(title, url) if is_url(url) else escape(title)
    texts = [content.text("text") or content.text("snippet"), content.text("result")]
    return [f"### {heading}" if heading else "", *texts]


def _error(message: Message) -> list[str]:
    content = message.content
    return [": ".join(filter(None, [content.text("name"), content.text("text")]))]


def _browsed(message: Message) -> list[str]:
    return [message.content.text("result") or message.content.text("summary")]


_FORMS: dict[str, Callable[[Message], list[str]]] = {
    **dict.fromkeys(UNSEEN, _nothing),
    "code": _code,
    "tether_quote": _page,
    "sonic_webpage": _page,
    "system_error": _error,
    "tether_browsing_display": _browsed,
}
