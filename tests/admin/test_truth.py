"""The admin agrees with the rows: cut lists, "select all", days, owners, commands."""

from __future__ import annotations

import os
import pwd
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from chat.access.operator import operator
from chat.admin.overview import overview
from chat.models import Audit, Conversation, Message, ToolCall, Turn
from tests.admin.pages import LIST, found, posted
from tests.support.histories import call_in, make

pytestmark = pytest.mark.django_db


# --- cut lists, and "select all" ----------------------------------------------------------------


def test_a_search_that_was_cut_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.admin.base.FOUND", 8)
    make(6, text="needle")  # four messages each
    make(1, text="rare")
    text = client.get(f"{LIST}?q=needle").content.decode()
    assert "The first 2 of more conversations. Search or filter" in text
    for words, whole in (("rare", "1 conversation"), ("nowhere", "0 conversations")):
        text = client.get(f"{LIST}?q={words}").content.decode()
        assert whole in text
        assert "of more" not in text


def test_a_filter_that_was_cut_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.admin.filters.CALLS", 2)
    make(3)
    assert (
        "The first 2 of more conversations. Search"
        in client.get(f"{LIST}?tool=calculate").content.decode()
    )
    monkeypatch.setattr("chat.admin.filters.CALLS", 3)
    assert "of more" not in client.get(f"{LIST}?tool=calculate").content.decode()


def test_select_all_takes_the_rows_that_it_names(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.admin.base.AT_ONCE", 60)
    monkeypatch.setattr("chat.admin.base.MOST", 70)
    make(80)
    text = client.get(LIST).content.decode()
    assert "Select the first 60 conversations" in text
    first = list(Conversation.objects.order_by("-updated_at")[:60])
    said = select_all(client, LIST)
    assert "Archived: 60 conversations." in said
    assert set(Conversation.objects.filter(archived=True)) == set(first)


def test_all_means_all_that_was_found(client: Client) -> None:
    make(55, text="needle")
    make(5, text="hay")
    needles = f"{LIST}?q=needle"
    assert "Select all 55 conversations" in client.get(needles).content.decode()
    select_all(client, needles)
    assert Conversation.objects.filter(archived=True).count() == 55


@pytest.mark.parametrize("stored", [53, 75])  # "select all" means all rows, or the first ones
def test_select_all_is_refused_if_the_list_has_changed(
    client: Client, monkeypatch: pytest.MonkeyPatch, stored: int
) -> None:
    monkeypatch.setattr("chat.admin.base.AT_ONCE", 60)
    made = make(stored)
    for across in ("", "53", "60"):
        assert CHANGED in select_all(client, LIST, across=across)
    across = stamp(client, LIST)
    make(1)
    Conversation.objects.filter(pk=made[0].pk).delete()
    assert CHANGED in select_all(client, LIST, across=across)
    assert not Conversation.objects.filter(archived=True).exists()


def test_another_order_is_not_a_change(client: Client) -> None:
    made = make(53)
    across = stamp(client, LIST)
    Conversation.objects.filter(pk=made[7].pk).update(updated_at=timezone.now())
    assert "Archived: 53 conversations." in select_all(client, LIST, across=across)


def test_only_a_list_of_several_pages_reads_all_keys(client: Client) -> None:
    make(50)
    assert 'name="across"' not in client.get(LIST).content.decode()


CHANGED = "Nothing was done: the list has changed."


def stamp(client: Client, url: str) -> str:
    """The value that the page sends back for "select all"."""
    found = re.search(r'name="across" value="([^"]+)"', client.get(url).content.decode())
    assert found is not None
    return found[1]


def select_all(client: Client, url: str, *, across: str | None = None) -> str:
    """Submit as Django's script does: the ticked rows, and that all are meant."""
    ticked = str(found(client, url)[0].pk)
    data = {"action": "archive", "select_across": "1", "index": "0"}
    data["across"] = stamp(client, url) if across is None else across
    return posted(client, url, **data, _selected_action=ticked)


# --- days and owners ----------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/St_Johns", "UTC"])
def test_a_range_includes_both_of_its_days(client: Client, zone: str) -> None:
    with timezone.override(zone):
        here = timezone.get_current_timezone()
        moments = [
            datetime(2026, 3, 1, tzinfo=here) - timedelta(seconds=1),
            datetime(2026, 3, 1, tzinfo=here),
            datetime(2026, 3, 2, 23, 59, 59, tzinfo=here),
            datetime(2026, 3, 3, tzinfo=here),
        ]
        made = make(4)
        for conversation, moment in zip(made, moments, strict=True):
            Conversation.objects.filter(pk=conversation.pk).update(updated_at=moment)
        ranges = {
            "?updated_at__from=2026-03-01&updated_at__to=2026-03-02": {made[1], made[2]},
            "?updated_at__from=2026-03-03": {made[3]},
            "?updated_at__to=2026-02-28": {made[0]},
            "?updated_at__from=&updated_at__to=": set(made),
        }
        for query, expected in ranges.items():
            assert set(found(client, LIST + query)) == expected, query


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *(
            (text, "Enter days as YYYY-MM-DD, such as 2026-01-31.")
            for text in ("nonsense", "2026-02-30", "1")
        ),
        *((text, "Enter days from 1970 to 2999.") for text in ("0001-01-01", "9999-12-31")),
    ],
)
def test_an_invalid_day_finds_nothing_and_is_explained(client: Client, text: str, why: str) -> None:
    make(1)
    page = client.get(f"{LIST}?updated_at__from={text}")
    assert page.status_code == 200
    assert why in page.content.decode()
    assert not page.context["cl"].result_list


def test_a_filter_keeps_the_others(client: Client, ann: User) -> None:
    text = client.get(f"{LIST}?q=needle&state=failed&username=ann&p=1").content.decode()
    days = text.split('aria-label="By last use"')[1].split("</form>")[0]
    for name, value in (("q", "needle"), ("state", "failed"), ("username", "ann")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in days
    assert 'name="p"' not in days


def test_an_owner_is_searched_for(client: Client, ann: User) -> None:
    make(1)
    (hers,) = make(1, owner=ann)
    User.objects.bulk_create(User(username=f"anybody{n}") for n in range(50))
    for query in ("?username=ann", f"?owner={ann.pk}"):
        assert found(client, LIST + query) == [hers]
    text = client.get(f"{LIST}?username=example.org").content.decode()
    assert "There is no user “example.org”" in text
    assert 'name="username" value="ann">ann</button>' in text
    assert "anybody7" not in client.get(LIST).content.decode()  # no list of all users
    for query in ("?owner=nonsense", "?owner=99999999999999999999"):
        assert found(client, LIST + query) == []


@pytest.mark.parametrize("name", ["message", "turn", "toolcall"])
def test_other_lists_are_filtered_by_owner(client: Client, ann: User, name: str) -> None:
    make(1)
    make(1, owner=ann)
    rows = found(client, f"/admin/chat/{name}/?username=ann")
    assert len(rows) == {"message": 4, "turn": 2, "toolcall": 1}[name]


def test_calls_are_ordered_by_time(client: Client) -> None:
    (made,) = make(1, messages=2)
    ToolCall.objects.all().delete()
    now = timezone.now()
    for number, age in enumerate((5, 1, 9)):
        call_in(made, call_id=str(number), status="finished", created_at=now - timedelta(age))
    calls = found(client, "/admin/chat/toolcall/")
    assert [call.call_id for call in calls] == ["1", "0", "2"]


def test_failures_are_ordered_by_time_and_show_the_year(client: Client) -> None:
    made = make(3, messages=2)
    for conversation, year in zip(made, (2024, 2026, 2025), strict=True):
        Turn.objects.filter(conversation=conversation).update(
            status="failed", ended_at=datetime(year, 5, 4, 12, tzinfo=UTC)
        )
    assert [turn.ended_at.year for turn in overview().failed if turn.ended_at] == [2026, 2025, 2024]
    text = client.get("/admin/").content.decode()
    with timezone.override(None):
        assert all(f"4 May {year}, " in text for year in (2024, 2025, 2026))


# --- who ran a command --------------------------------------------------------------------------


def test_a_command_records_who_ran_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    me = pwd.getpwuid(os.getuid()).pw_name
    make(1)
    call_command("prune_history", older_than=timedelta(0), yes=True, verbosity=0)
    assert Audit.objects.get().operator == me
    assert me in client.get("/admin/chat/audit/").content.decode()


@pytest.mark.parametrize(
    ("caller", "expected"),
    [("ann", "{me} (sudo by ann)"), ("", "{me}"), ("a\nb", "{me} (sudo by a?b)")],
)
def test_the_caller_of_sudo_is_recorded(
    monkeypatch: pytest.MonkeyPatch, caller: str, expected: str
) -> None:
    monkeypatch.setenv("SUDO_USER", caller)
    assert operator() == expected.format(me=pwd.getpwuid(os.getuid()).pw_name)


def test_dates_have_one_format(client: Client) -> None:
    (made,) = make(1)
    moment = datetime(2026, 3, 4, 15, 6, tzinfo=timezone.get_current_timezone())
    Conversation.objects.update(created_at=moment, updated_at=moment)
    Message.objects.update(created_at=moment)
    Turn.objects.update(created_at=moment, started_at=moment, ended_at=moment)
    ToolCall.objects.update(created_at=moment)
    lists = ("conversation", "message", "turn", "toolcall")
    for path in (*(f"{name}/" for name in lists), f"conversation/{made.pk}/change/"):
        assert "4 Mar 2026, 15:06" in client.get(f"/admin/chat/{path}").content.decode(), path
