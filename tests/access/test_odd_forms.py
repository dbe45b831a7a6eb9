"""Forms, bodies and headers with odd values: refused with a page, never a server error."""

from __future__ import annotations

import pytest
from django.test import Client

from chat.models import Conversation

pytestmark = pytest.mark.django_db

NUL = "a\0b"

FORMS: dict[str, dict[str, str]] = {
    "/c/{id}/title/": {"title": "Tea"},
    "/c/{id}/mark/": {"pinned": "yes", "archived": "no"},
    "/c/{id}/calls/": {"call_id": "c", "approved": "no", "remember": "on"},
    "/c/{id}/rules/": {"tool": "calculate"},
    "/c/{id}/tools/": {"model": "demo", "to_model": "on", "here": "on"},
    "/c/{id}/model/": {"model": "demo"},
    "/c/{id}/settings/": {"instructions": "x", "temperature": "1", "max_output_tokens": "10"},
    "/c/{id}/delete/": {"archive": "on"},
    "/model/": {"model": "demo"},
    "/settings/": {"system_prompt": "x"},
    "/settings/models/": {"provider": "openai", "address": "http://127.0.0.1:1", "key": "k", "action": "keep"},
    "/settings/theme/": {"theme": "dark"},
    "/import/": {"file": "x"},
    "/admin/chat/conversation/{id}/change/": {
        "title": "x", "model": "", "instructions": "x", "temperature": "1", "max_output_tokens": "1",
    },
    "/admin/chat/conversation/": {"action": "reassign", "_selected_action": "{id}", "to": "x", "index": "0", "one": "1"},
    "/admin/chat/toolcall/": {"action": "deny", "_selected_action": "1", "one": "1"},
    "/admin/chat/suggestion/add/": {"text": "x", "position": "1", "is_shown": "on"},
    "/admin/auth/user/add/": {"username": "new", "password1": "a", "password2": "b", "usable_password": "true"},
    "/admin/auth/group/add/": {"name": "x", "permissions": "1"},
}  # fmt: skip


@pytest.mark.parametrize("path", FORMS)
def test_a_form_with_odd_fields_is_answered(
    http: Client, conversation: Conversation, path: str
) -> None:
    known = {"id": str(conversation.pk)}
    fields = {name: value.format(**known) for name, value in FORMS[path].items()}
    for name in [*fields, "unheard_of"]:
        for odd in ("", "1e400", "9" * 30, "x" * 70_000):
            answer = http.post(path.format(**known), {**fields, name: odd})
            assert answer.status_code < 500, (name, odd[:20])
        answer = http.post(path.format(**known), {**fields, name: NUL})
        assert answer.status_code == 400, name
    assert not Conversation.objects.filter(title__contains="\ufffd").exists()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--x"),
        ("multipart/form-data; boundary=", b"--x"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\nnonsense\r\n\r\n--x--"),
        ("multipart/form-data; boundary=x; charset=hex", b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\n61\r\n--x--\r\n'),
        ("multipart/form-data; boundary=x; charset=idna", b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\n\xff\r\n--x--\r\n'),
        ("multipart/form-data; boundary=\xff", b"--x"),
        ("application/x-www-form-urlencoded; charset=hex", b"title=61"),
        ("application/x-www-form-urlencoded; charset=utf-16", b"title=61"),
        ("application/x-www-form-urlencoded", b"title=%00"),
        ("application/x-www-form-urlencoded", b"\xff\xfe=%zz&&&==="),
        ("application/x-www-form-urlencoded", b"&".join(b"a=%d" % n for n in range(5000))),
        ("application/x-www-form-urlencoded", b"a=" + b"x" * 1_100_000),
        ("application/json", b"{"),
        ("text/plain", b"\0"),
        ("", b"x"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/c/{id}/title/", "/import/"])
def test_a_body_that_is_not_a_form_is_refused(
    http: Client, conversation: Conversation, path: str, kind: str, body: bytes
) -> None:
    answer = http.generic("POST", path.format(id=conversation.pk), body, content_type=kind)
    assert answer.status_code < 500
    conversation.refresh_from_db()
    assert "\0" not in conversation.title


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "a,b"},
        {"Host": "\xff"},
        {"HX-Request": "true", "HX-Current-URL": "http://[::"},
        {"HX-Request": "true", "HX-Current-URL": "%ff%00", "HX-Current-URL-URI-AutoEncoded": "true"},
        {"HX-Request": "true", "HX-Target": "\x01"},
        {"Accept-Language": "\xff" * 5000},
        {"Accept-Encoding": "\xff"},
        {"Cookie": "talos_model=%00; talos_theme=%00; talos_session=\xff;;=;a"},
        {"Cookie": "messages=%00; talos_csrf=\xff"},
        {"Range": "bytes=9-1"},
        {"If-None-Match": "\xff", "If-Modified-Since": "\xff"},
        {"Content-Type": "text/html; charset=hex"},
    ],
    ids=str,
)  # fmt: skip
def test_odd_headers_are_answered(
    http: Client, conversation: Conversation, headers: dict[str, str]
) -> None:
    for path in (
        "/",
        "/sidebar/",
        "/chats/",
        f"/c/{conversation.pk}/",
        "/settings/",
        "/admin/",
        "/static/x",
    ):
        assert http.get(path, headers=headers).status_code < 500
