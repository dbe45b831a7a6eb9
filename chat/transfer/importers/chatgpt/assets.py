"""Images, files and recordings: they are not brought in, which is said once, by their names."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from chat.transfer.importers.chatgpt.fields import Fields
from chat.transfer.importers.chatgpt.markup import escaped, line

_KINDS = {
    "image_asset_pointer": "image",
    "image": "image",
    "audio_asset_pointer": "audio",
    "audio": "audio",
    "real_time_user_audio_video_asset_pointer": "audio",
}
_IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".heic", ".bmp")
_MAX_PROMPT = 2000


@dataclass
class LeftOut:
    """How many of what a conversation had are not in what becomes of it."""

    counts: Counter[str] = field(default_factory=Counter)
    """By `image`, `file`, `audio`, `instruction`."""
    _ids: set[str] = field(default_factory=set)

    def add(self, kind: str, file_id: str = "") -> None:
        """Count one; a file that is shown again is the same one."""
        if not file_id or file_id not in self._ids:
            self.counts[kind] += 1
        self._ids.add(file_id)


class Assets:
    """Those of a message."""

    def __init__(self, parts: list[Fields], metadata: Fields, left_out: LeftOut, said: set[str]):
        self._left_out = left_out
        self._said = said
        """Ids of those that the answer has named already."""
        self._title = metadata.text("image_gen_title")
        shown = {_file_id(part) for part in parts}
        attached = [one for one in metadata.each("attachments") if one.raw("id") or one.raw("name")]
        self._names = {one.text("id"): one.text("name") for one in attached if one.raw("id")}
        rest = [one for one in attached if one.text("id") not in shown or not one.raw("id")]
        self._images = deque(one for one in rest if _is_image(one) and one.raw("id"))
        self._images_without_id = deque(one for one in rest if _is_image(one) and not one.raw("id"))
        self._files = [one for one in rest if not _is_image(one)]

    def shown(self, part: Fields) -> str:
        """What stands for a part that is no text."""
        kind = _KINDS.get(part.text("content_type"), "")
        file_id = _file_id(part)
        if file_id and file_id in self._said:
            return ""
        self._said.add(file_id)
        name = self._names.get(file_id, "")
        if kind == "image" and not name:
            name = self._name_of_another(file_id)
        self._left_out.add(kind or "file", file_id)
        made = part.inner("metadata").quiet.inner("dalle")
        about = [f"“{escaped(self._title)}”" if self._title else "", escaped(line(name or file_id))]
        prompt = escaped(made.text("prompt")[:_MAX_PROMPT])
        return _words(kind or "attachment", about, prompt)

    def _name_of_another(self, file_id: str) -> str:
        """The name of an attachment that may be the same image: one of them has no id."""
        maybe = self._images_without_id or (self._images if not file_id else None)
        return maybe.popleft().text("name") if maybe else ""

    def attached(self) -> list[str]:
        """What stands for the attachments that no part shows."""
        found = []
        for one in [*self._images, *self._images_without_id, *self._files]:
            file_id, kind = one.text("id"), "image" if _is_image(one) else "file"
            if not file_id or file_id not in self._said:
                self._left_out.add(kind, file_id)
                self._said.add(file_id)
                found.append(_words(kind, [escaped(line(one.text("name") or file_id))]))
        return found


def _words(kind: str, about: list[str], prompt: str = "") -> str:
    named = " ".join(filter(None, [kind, ", ".join(filter(None, about))]))
    return f"*({named}: not brought in{f'; made from: {prompt}' if prompt else ''})*"


def _is_image(attachment: Fields) -> bool:
    kind, name = attachment.text("mime_type"), attachment.text("name")
    return kind.startswith("image/") or (not kind and name.lower().endswith(_IMAGES))


def _file_id(part: Fields) -> str:
    pointer = part.raw("asset_pointer")
    if not isinstance(pointer, str):
        inner = part.raw("audio_asset_pointer")
        pointer = inner.get("asset_pointer") if isinstance(inner, dict) else None
    return pointer.rpartition("://")[2][:200] if isinstance(pointer, str) else ""
