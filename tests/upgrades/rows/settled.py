"""Conversations at rest: texts, branches, settings and every end of a turn."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

from django.contrib.auth.models import User

from chat.models import Conversation, KeptRender, Message, Turn
from tests.upgrades.rows.talk import Talk

ARABIC = "مرحبا بالعالم، كيف الحال؟"
JAPANESE = "東京の天気はどうですか"
PERSON = Conversation.TitledBy.PERSON


def make(owner: User, other: User) -> None:
    _with_settings(owner)
    _with_branches(owner)
    _in_many_scripts(owner)
    _long(owner)
    _with_every_end(owner)
    _of_somebody_else(other)
    Talk("empty", owner, title="")


def _with_settings(owner: User) -> None:
    talk = Talk(
        "with-settings", owner, titled_by=PERSON, pinned=True, model="demo",
        instructions="Answer in one sentence.\nNo “lists”.", temperature=0.7, max_output_tokens=500,
        offers_tools=False,
    )  # fmt: skip
    talk.ask("What is a turn?", client_id="client-1")
    talk.answer(
        "A *row*; a page is a view of it.\n\n```python\nprint('kept')\n```",
        reasoning="They ask for the one idea.", client_id="client-1", model="demo", context=20,
        input_tokens=1200, output_tokens=34, cached_tokens=1024, cost=Decimal("0.00123456"),
        note="This model's server does not take tools: answered without.",
        context_tokens=1234, context_window=128_000,
    )  # fmt: skip
    _keep(talk.last)
    talk.end(seq=5)


def _keep(message: Message | None) -> None:
    """Renderings of its last answer: a permanent one, and one that took too long."""
    assert message is not None
    for begin, until in ((0, None), (33, message.created_at)):
        KeptRender.objects.create(
            message=message, begin=begin, key="0" * 32, html="<p>Kept.</p>", until=until
        )


def _with_branches(owner: User) -> None:
    """Versions of a question and of an answer; the current branch shows none of the newest."""
    talk = Talk("with-branches", owner, titled_by=PERSON)
    first = talk.ask("Name a colour.")
    talk.answer("Red.")
    chosen = talk.ask("Another one.")
    leaf = talk.answer("Blue.").message
    talk.last = chosen
    talk.answer("Green.", model="demo")
    talk.last = first.parent
    talk.ask("Name a number.")
    talk.answer("Seven.")
    talk.end(leaf=leaf, seq=20)


def _in_many_scripts(owner: User) -> None:
    talk = Talk(
        "in-many-scripts", owner, title="旅行の計画 ✈️",
        titled_by=Conversation.TitledBy.MODEL, unread=True,
    )  # fmt: skip
    talk.ask(f"{JAPANESE} {ARABIC} שלום")
    talk.answer("Un café crème à Orléans, naïve cœur, Ελλάδα, хорошо, 👩‍👩‍👧‍👦 🏳️‍🌈 🇯🇵.")
    talk.ask(
        "e\u0301 is é, Z\u0351\u036b\u0343\u033balgo; \u202eturned\u202c; \U0001d518\U0001d52b\U0001d526; สวัสดีชาวโลก"
    )
    talk.answer("Tab\there, 'quotes', \"more\", back\\slash, %s, $1, <b>&amp;</b>, \r\n--\n\\N;")
    talk.end(seq=12)


def _long(owner: User) -> None:
    talk = Talk("long", owner, archived=True)
    pick = random.Random(1).choice
    words = ("answer", "begin", "carry", "durable", "ever", "folder", "grow", "house", "ink")
    talk.ask(" ".join(pick(words) for _ in range(3000)))
    talk.answer("That was long.")
    talk.end(seq=4)


def _with_every_end(owner: User) -> None:
    talk = Talk("with-every-end", owner, unread=True)
    talk.ask("One")
    talk.answer("Whole.", input_tokens=10, output_tokens=2, cached_tokens=0)
    talk.ask("Two")
    talk.answer("Cut sh", error="The answer was cut off by its output limit.")
    talk.ask("Three")
    asked = talk.begun + timedelta(minutes=5, seconds=4)
    talk.answer("Stopp", status=Turn.Status.CANCELLED, cancel_requested_at=asked)
    talk.ask("Four")
    talk.answer(
        status=Turn.Status.FAILED,
        error_code="model_error",
        error="The model refused: no credit.",
        error_details="402: Insufficient Balance",
    )
    talk.ask("Five", client_id="client-5")
    leaf = talk.answer("Half a sen", status=Turn.Status.INTERRUPTED, client_id="client-5").message
    talk.ask("Six, no, never mind", client_id="client-6", withdrawn=True)
    taken_back = talk.answer(status=Turn.Status.CANCELLED, client_id="client-6", started_at=None)
    Message.objects.filter(turn=taken_back).update(withdrawn=True)
    talk.end(leaf=leaf, seq=31)


def _of_somebody_else(other: User) -> None:
    talk = Talk("of-somebody-else", other)
    talk.ask("Who may read this?", client_id="client-1")
    talk.answer("You.")
    talk.end(seq=4)
