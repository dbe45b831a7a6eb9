"""Reading foreign input takes time in proportion to its length, up to the longest allowed.

Bounds are ten times what it takes, of processor time. `tests/chaos/test_growth.py` looks for
more of the kind.
"""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import closing, suppress
from itertools import cycle, islice
from time import thread_time
from typing import Any
from uuid import UUID

import pytest

from chat.errors import ModelError
from chat.llm.failures import errors
from chat.llm.failures.redaction import Secrets
from chat.llm.litellm.thinking_blocks import PLACE, put_in_place
from chat.llm.openai.models import MAX_MODELS, parse_models
from chat.llm.stream.arguments import unwrap
from chat.llm.stream.chunks import Answer
from chat.llm.stream.code_marks import CodeMarks
from chat.llm.stream.fragments import ToolFragments
from chat.llm.stream.limits import Limits
from chat.llm.stream.patience import Patience
from chat.llm.stream.reading import ResponseBytes, read_answer
from chat.llm.stream.tool_call import MAX_NAME
from chat.models import ToolCall
from chat.protocol import MAX_FRAME_BYTES, arguments_object, parse
from chat.search import words as folding
from chat.search.excerpts import excerpt
from chat.search.query import _split
from chat.transfer.importers.chatgpt.marks import translate
from chat.transfer.importers.chatgpt.references import References
from chat.transfer.reading_order import places
from chat.turns import batches, calls, toolbox
from chat.turns import runner as runner_of_turns
from chat.turns.live import Entry, LiveTurn
from tests.support.growth import cpu_seconds, excess
from tests.tools.test_arguments import runner
from tests.transfer.shapes import export, tree
from tools.core.runner import ToolOutcome

KEYS = 31_000
"""Keys that fit into a call's 256 KiB."""


def keys(count: int = KEYS, *more: str) -> str:
    return "{" + ",".join([*(f'"k{number}":1' for number in range(count)), *more]) + "}"


@pytest.mark.parametrize("arguments", [keys(), keys(KEYS, '"k30999":2')])
def test_a_call_with_thousands_of_keys_is_refused_at_once(arguments: str) -> None:
    outcomes: list[Any] = []
    took = cpu_seconds(lambda: outcomes.append(runner.validate("book", arguments)))
    assert took < 0.3
    assert isinstance(outcomes[0], ToolOutcome)
    assert len(outcomes[0].content) < 200


def test_a_call_whose_values_are_all_wrong_is_told_so_in_one_line() -> None:
    arguments = json.dumps({"seats": 1, "places": [{}] * 60_000})
    outcomes: list[Any] = []
    took = cpu_seconds(lambda: outcomes.append(runner.validate("book", arguments)))
    assert took < 1.5
    assert "60,000 values are wrong" in outcomes[0].content


@pytest.mark.parametrize("piece", ["1,", "[],", "{},", '"a",', "1.5,"])
def test_many_values_are_looked_at_quickly(piece: str) -> None:
    arguments = f'{{"a":[{piece * (250_000 // len(piece))}1]}}'
    assert cpu_seconds(lambda: arguments_object(arguments)) < 0.3
    frame = f'{{"action":"cancel","a":[{piece * (MAX_FRAME_BYTES // len(piece) - 20)}1]}}'
    assert cpu_seconds(lambda: parse(frame)) < 1.5


def test_long_arguments_are_checked_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are answered meanwhile; for short ones a thread would take longer than the check."""
    checked: list[threading.Thread] = []

    class Runner:
        def validate(self, name: str, arguments: str) -> ToolOutcome:
            checked.append(threading.current_thread())
            return ToolOutcome(name)

    monkeypatch.setattr(toolbox, "runner", Runner)
    for arguments in ("{}", keys()):
        asyncio.run(calls._validate(ToolCall(name="book", arguments=arguments)))
    assert [thread is threading.main_thread() for thread in checked] == [True, False]


def test_a_torn_name_is_not_joined_for_ever() -> None:
    fragments = ToolFragments()
    pieces = [{"index": 0, "function": {"name": name}} for name in islice(cycle("ab"), 5_000)]
    for piece in pieces:
        fragments.add([piece])
    assert len(fragments.requests()[0].name) == MAX_NAME


def test_all_calls_of_an_answer_have_a_bound_together() -> None:
    fragments = ToolFragments()
    with pytest.raises(ModelError, match="larger than Talos accepts"):
        for index in range(8):
            fragments.add([{"index": index, "function": {"name": "a", "arguments": "a" * 200_000}}])


@pytest.mark.parametrize("value", ["{} ", '{"a":1} ', "1 ", '"a" ', "[] "])
def test_arguments_that_come_again_and_again_are_left_as_they_are(value: str) -> None:
    text = value * (250_000 // len(value))
    assert cpu_seconds(lambda: unwrap(text)) < 0.05
    assert unwrap(text) == text


def test_many_code_spans_behind_a_long_fence() -> None:
    def read(fence: int) -> float:
        text = "~" * fence + " " + "` " * 50_000
        return cpu_seconds(lambda: CodeMarks().read(text), tries=2)

    assert read(500_000) < 3 * read(10)


def test_a_backlog_in_which_text_and_reasoning_take_turns() -> None:
    def drained(count: int) -> float:
        one = UUID(int=1)
        turn = LiveTurn(1, one, one, 1, None, "model", None, 0, True)
        turn.entries = [each for _ in range(count) for each in ("a", Entry(reasoning="b" * 100))]
        return cpu_seconds(lambda: batches.drain(turn))

    def least(count: int) -> float:
        return min(drained(count) for _ in range(5))

    drained(1000)
    assert least(16_000) < 6 * max(least(4_000), 0.02)


def test_versions_of_one_question_are_put_in_order() -> None:
    said = tree("Q" * 16_000)
    assert cpu_seconds(lambda: places(*said)) < 2


def test_an_answer_of_many_nodes_is_read() -> None:
    from chat.transfer.importers.chatgpt import conversation

    def prepare(nodes: int) -> Any:
        data = json.dumps(json.loads(export("a" * nodes))[0]).encode()
        return lambda: conversation(data)

    assert excess(prepare, least=500, most=8_000) is None


ALMOST = " ".join(f"{first}{'x' * 50}" for first in "abcdefghijklmnopqrstuvwxyz")


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("bx " * 300_000, ALMOST),
        ("ア" * 300_000 + "イ", f"{'ア' * 900}イ {'ア' * 900}ウ"),
        ("a" * 1_000_000, " ".join("a" * length + "b" for length in range(1, 30))),
    ],
)
def test_a_long_query_that_all_but_stands_there(text: str, query: str) -> None:
    sought = _split(query)
    assert cpu_seconds(lambda: excerpt(text, sought)) < 3


def test_a_text_of_noise_slows_no_later_one_down() -> None:
    folding.fold("".join(map(chr, range(0x3400, 0xD800))))
    folding.fold("".join(map(chr, range(0x20000, 0x20000 + folding._MOST_FOLDED + 1000))))
    assert cpu_seconds(lambda: folding.fold("\ufdfa" * 100_000)) < 0.5


def test_blocks_that_say_they_stood_elsewhere_repeat_no_text() -> None:
    """An archive may contain any places, even negative ones."""
    blocks = [{"type": "thinking", "thinking": "t", PLACE: (-1, -1)} for _ in range(20_000)]
    message = {"content": [*blocks, {"type": "text", "text": "words " * 20_000}]}
    assert cpu_seconds(lambda: put_in_place({"messages": [message]})) < 1
    assert len(message["content"]) == 20_001


def test_a_list_of_models_has_an_end() -> None:
    body = json.dumps([f"model-{number}" for number in range(100_000)]).encode()
    assert cpu_seconds(lambda: parse_models(body)) < 0.5
    assert len(parse_models(body)) == MAX_MODELS


@pytest.mark.parametrize("text", ["a一" * 250_000, "\ufdfa" * 340_000, "word of some " * 80_000])
def test_words_of_a_long_answer(text: str) -> None:
    assert cpu_seconds(lambda: folding.words(text)) < 3


def test_the_words_of_a_long_answer_are_looked_for_in_a_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither other answers nor the writer wait for it."""
    looked: list[threading.Thread] = []

    def words(text: str) -> list[str]:
        looked.append(threading.current_thread())
        return []

    monkeypatch.setattr(runner_of_turns, "words", words)
    one = UUID(int=1)
    for text in ("short", "long " * 1000):
        turn = LiveTurn(1, one, one, 1, None, "model", None, 0, True, parts=[text])
        asyncio.run(runner_of_turns._words(turn))
    assert [thread is threading.main_thread() for thread in looked] == [True, False]


def test_a_message_of_many_texts_and_citations_is_read() -> None:
    def prepare(count: int) -> Any:
        found = References()
        found.citations += [(number, "(words)") for number in range(10**6, 10**6 + count)]
        return lambda: [translate("【1†a】", found) for _ in range(count)]

    assert excess(prepare, least=500, most=8_000) is None


def test_a_short_mark_for_a_long_text_may_not_come_any_number_of_times() -> None:
    mark = "\ue200cite\ue202a\ue201"
    found = References(by_mark={mark: "x" * 100_000})
    assert len(translate(mark * 10_000, found)) < 3_000_000


def test_tiny_events_of_a_large_read_do_not_hold_the_loop() -> None:
    async def longest() -> float:
        reads = iter([b"data: {}\n\n" * 50_000, b""])
        held = 0.0

        async def read() -> bytes:
            return next(reads)

        async def asked() -> Any:
            with closing(Patience(Limits())) as patience:
                yield ResponseBytes(read, patience)

        async def look() -> None:
            nonlocal held
            while True:
                before = thread_time()
                await asyncio.sleep(0)
                held = max(held, thread_time() - before)

        others = asyncio.create_task(look())
        with suppress(ModelError):
            secrets, names = Secrets(None), errors.OPENAI
            async for _ in read_answer(asked(), Answer(), names=names, secrets=secrets):
                pass
        await asyncio.sleep(0)
        others.cancel()
        return held

    assert asyncio.run(longest()) < 0.05
