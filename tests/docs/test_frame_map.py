"""The page has a case for every frame and event of the protocol, and no others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from chat.protocol import Event, Frame

FRAMES_JS = Path(settings.BASE_DIR, "static", "js", "wire", "frames.js").read_text(encoding="utf-8")


def cases(map_name: str) -> set[str]:
    body = re.search(rf"export const {map_name} = {{(.*?)^}};", FRAMES_JS, re.DOTALL | re.MULTILINE)
    assert body is not None
    return set(re.findall(r"^  (\w+):", body[1], re.MULTILINE))


def test_every_frame_has_its_case() -> None:
    assert cases("onFrame") == {
        str(cls.model_fields["type"].default) for cls in Frame.__subclasses__()
    }


@pytest.mark.parametrize(
    "event", [cls.model_fields["event"].default for cls in Event.__subclasses__()]
)
def test_every_event_has_its_case(event: str) -> None:
    assert event in cases("onEvent")


def test_no_case_is_left_over() -> None:
    known = {cls.model_fields["event"].default for cls in Event.__subclasses__()}
    assert cases("onEvent") == known
