"""Images, files and recordings: not imported, but mentioned once by name."""

from __future__ import annotations

from collections import deque

from chat.transfer.importers.chatgpt.fields import Fields
from chat.transfer.importers.chatgpt.left_out import LeftOut
from chat.transfer.importers.chatgpt.markup import escape, line

_KINDS = {
    "image_asset_pointer": "image",
    "image": "image",
    "audio_asset_pointer": "audio",
    "audio": "audio",
    "real_time_user_audio_video_asset_pointer": "audio",
}
_IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".heic", ".bmp")
_MAX_PROMPT = 2000


class Assets:
    """The assets of a message."""

    def __init__(self, parts: list[Fields], metadata: Fields, left_out: LeftOut, named: set[str]):
        self._left_out = left_out
        self._named = named
        """Ids of files that the answer has named already."""
        self._title = metadata.text("image_gen_title")
        shown = {_file_id(part) for part in parts}
        attached = [one for one in metadata.each("attachments") if one.raw("id") or one.raw("name")]
        self._names = {one.text("id"): one.text("name") for one in attached if one.raw("id")}
        rest = [one for one in attached if one.text("id") not in shown or not one.raw("id")]
        self._images = deque(one for one in rest if _is_image(one) and one.raw("id"))
        self._images_without_id = deque(one for one in rest if _is_image(one) and not one.raw("id"))
        self._files = [one for one in rest if not _is_image(one)]

    def render(self, part: Fields) -> str:
        """Return the text in place of a part that is not text."""
        kind = _KINDS.get(part.text("content_type"), "")
        file_id = _file_id(part)
        if file_id and file_id in self._named:
            return ""
        self._named.add(file_id)
        name = self._names.get(file_id, "")
        if kind == "image" and not name:
            name = self._name_of_another(file_id)
        self._left_out.add(kind or "file", file_id)
        made = part.inner("metadata").quiet.inner("dalle")
        about = [f"“{escape(self._title)}”" if self._title else "", escape(line(name or file_id))]
        prompt = escape(made.text("prompt")[:_MAX_PROMPT])
        return _words(kind or "attachment", about, prompt)

    def _name_of_another(self, file_id: str) -> str:
        """Return the name of an attachment that may be the same image, if one of them has no id."""
        maybe = self._images_without_id or (self._images if not file_id else None)
        return maybe.popleft().text("name") if maybe else ""

    def render_attached(self) -> list[str]:
        """Return the texts in place of attachments that no part shows."""
        found = []
        for one in [*self._images, *self._images_without_id, *self._files]:
            file_id, kind = one.text("id"), "image" if _is_image(one) else "file"
            if not file_id or file_id not in self._named:
                self._left_out.add(kind, file_id)
                self._named.add(file_id)
                found.append(_words(kind, [escape(line(one.text("name") or file_id))]))
        return found


def _words(kind: str, about: list[str], prompt: str = "") -> str:
    named = " ".join(filter(None, [kind, ", ".join(filter(None, about))]))
    # Stored texts: new words would make earlier imports differ from their files.
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
