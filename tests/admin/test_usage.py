"""Usage by day, model and owner: the page, its chart and its CSV agree with the rows."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from chat.admin.chart import HEIGHT, chart
from chat.admin.usage import Period, Usage, summary
from chat.admin.usage_page import cell
from chat.models import Turn
from tests.support.histories import make

pytestmark = pytest.mark.django_db

PAGE = "/admin/chat/turn/usage/"
CSV = "/admin/chat/turn/usage.csv"
DAYS = "since=2026-01-01&until=2026-03-31"


@pytest.fixture
def used() -> None:
    """Usage of two users and two models over three months."""
    ann = User.objects.create(username="ann")
    for owner, model, moment, cost in (
        (None, "demo", datetime(2026, 1, 1, 12, tzinfo=UTC), None),
        (None, "gpt", datetime(2026, 2, 10, 12, tzinfo=UTC), "0.5"),
        (ann, "gpt", datetime(2026, 2, 10, 12, tzinfo=UTC), "0.25"),
        (ann, "=cmd()", datetime(2026, 3, 31, 12, tzinfo=UTC), None),
        (ann, "gpt", datetime(2025, 12, 1, 12, tzinfo=UTC), "9"),
    ):
        (made,) = make(1, owner=owner, messages=4)
        Turn.objects.filter(conversation=made).update(model=model, ended_at=moment, cost=cost)


def lines(client: Client, query: str) -> list[list[str]]:
    answer: Any = client.get(f"{CSV}?{query}")
    assert answer.status_code == 200, answer.content
    assert answer.headers["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(_body(answer).decode())))


def _body(answer: Any) -> bytes:
    return b"".join(answer)


@pytest.mark.usefixtures("used")
def test_days_models_and_owners_have_the_same_total(client: Client) -> None:
    found = summary(Period(date(2026, 1, 1), date(2026, 3, 31)))
    assert (found.total.answers, found.total.read, found.total.written) == (8, 800, 160)
    assert found.total.cost == Decimal("1.5")
    assert len(found.days) == 90
    for groups in (found.days, found.models, found.owners):
        assert sum(each.answers for each in groups) == 8
        assert sum(each.tokens for each in groups) == 960
    assert {each.name: each.answers for each in found.models} == {"demo": 2, "gpt": 4, "=cmd()": 2}
    assert {each.name: each.answers for each in found.owners} == {"owner": 4, "ann": 4}
    text = client.get(f"{PAGE}?{DAYS}").content.decode()
    assert "10 Feb 2026" in text
    assert re.search(r">Total</th><td class=\"number\">8</td>", text)


@pytest.mark.usefixtures("used")
def test_owner_and_model_filters(client: Client) -> None:
    for query, answers in (
        ("username=ann", 4),
        ("model=gpt", 4),
        ("username=ann&model=gpt", 2),
        (f"owner={User.objects.get(username='ann').pk}", 4),
    ):
        assert client.get(f"{PAGE}?{DAYS}&{query}").context["usage"].total.answers == answers


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("since=2026-02-01&until=2026-01-01", "The first day must not be after the last."),
        ("since=2020-01-01&until=2026-01-01", "at most 366 days"),
        ("since=0001-01-01", "Enter days from 1970 to 2999."),
        ("since=2026-01-01&until=9999-12-31", "Enter days from 1970 to 2999."),
        ("since=nonsense", "Enter a valid date."),
    ],
)
def test_invalid_periods_are_explained(client: Client, query: str, words: str) -> None:
    page = client.get(f"{PAGE}?{query}")
    assert page.status_code == 200
    assert words in page.content.decode()
    assert page.content.count(b'class="errornote"') == 1
    assert client.get(f"{CSV}?{query}").status_code == 400


@pytest.mark.usefixtures("used")
def test_a_chart_has_a_description_and_no_inline_style(client: Client) -> None:
    text = client.get(f"{PAGE}?{DAYS}").content.decode()
    svg = re.search(r"<svg.*?</svg>", text, re.DOTALL)
    assert svg is not None
    assert 'role="img" aria-labelledby="chart-title chart-desc"' in svg[0]
    assert "Busiest: 10 Feb 2026 with 480 tokens." in svg[0]
    assert "style" not in svg[0]
    assert svg[0].count('<rect class="read"') == 3


def test_the_bar_of_the_busiest_day_has_the_height_of_the_chart() -> None:
    drawn = chart([Usage(date(2026, 1, 2), 1, 0, 30, 10), Usage(date(2026, 1, 1), 1, 0, 10, 0)])
    low, high = drawn.bars
    assert (high.read + high.written, high.written_top) == (HEIGHT, 0)
    assert (low.read, low.written) == (HEIGHT / 4, 0)
    assert chart([Usage(date(2026, 1, 1))]).busiest is None


@pytest.mark.usefixtures("used")
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_the_csv_has_a_line_per_day_model_and_owner(client: Client) -> None:
    head, *rows = lines(client, DAYS)
    assert head == [
        "day", "model", "owner", "answers", "failed", "tokens_in", "tokens_out", "cost_usd",
    ]  # fmt: skip
    assert rows == [
        ["2026-03-31", "'=cmd()", "ann", "2", "0", "200", "40", ""],
        ["2026-02-10", "gpt", "ann", "2", "0", "200", "40", "0.5"],
        ["2026-02-10", "gpt", "owner", "2", "0", "200", "40", "1"],
        ["2026-01-01", "demo", "owner", "2", "0", "200", "40", ""],
    ]
    head, *rows = lines(client, f"{DAYS}&by=model")
    assert head[0] == "model"
    assert {row[0]: row[1] for row in rows} == {"gpt": "4", "demo": "2", "'=cmd()": "2"}
    assert [row[0] for row in lines(client, f"{DAYS}&by=owner")] == ["owner", "ann", "owner"]
    assert len(lines(client, f"{DAYS}&by=day")) == 4


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "\uff1d1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["gpt-5", "qwen2.5:7b", "a=b", ""])
def test_other_cells_are_unchanged(text: str) -> None:
    assert cell(text) == text


def test_days_follow_the_pages_time_zone() -> None:
    with timezone.override("Pacific/Kiritimati"):
        (made,) = make(1, messages=2)
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        Turn.objects.filter(conversation=made).update(ended_at=midnight - timedelta(seconds=1))
        today, yesterday = summary(Period(*_last_two())).days
        assert (today.answers, yesterday.answers) == (0, 1)


def _last_two() -> tuple[date, date]:
    today = timezone.localdate()
    return today - timedelta(1), today
