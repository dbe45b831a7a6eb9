"""Arguments that a model wrote are checked, and errors are explained so that it can correct them."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from tools.core.declaration import ToolContext, tool
from tools.core.registry import Registry
from tools.core.runner import Call, ToolOutcome, ToolRunner


class Place(BaseModel):
    city: str


@tool
def book(
    context: ToolContext,
    seats: Annotated[int, Field(ge=1)],
    name: str = "nobody",
    places: list[Place] | None = None,
) -> str:
    """Book seats."""
    return name


@tool
def ping() -> str:
    """Answer."""
    return "pong"


runner = ToolRunner(lambda: Registry([book, ping]))


def fits(arguments: str | dict[str, Any], name: str = "book") -> dict[str, Any]:
    call = runner.validate(name, arguments)
    assert isinstance(call, Call), call
    return dict(call.arguments)


def refused(arguments: Any, name: str = "book") -> str:
    outcome = runner.validate(name, arguments)
    assert isinstance(outcome, ToolOutcome)
    assert outcome.is_error
    return outcome.content


def test_values_arrive_as_the_function_takes_them() -> None:
    assert fits('{"seats": 2, "places": [{"city": "Rome"}]}') == {
        "seats": 2,
        "places": [Place(city="Rome")],
    }


def test_an_object_is_read_like_its_text() -> None:
    assert fits({"seats": 2}) == {"seats": 2}


@pytest.mark.parametrize("seats", ["5", 5.0, " 5 "])
def test_text_that_can_only_mean_a_number_is_one(seats: object) -> None:
    assert fits({"seats": seats}) == {"seats": 5}


def test_a_number_may_stand_for_text() -> None:
    assert fits({"seats": 1, "name": 7}) == {"seats": 1, "name": "7"}


@pytest.mark.parametrize("nothing", ["", "  ", "{}"])
def test_empty_text_is_an_empty_object(nothing: str) -> None:
    assert fits(nothing, "ping") == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "`seats` is missing"),
        ({"seats": "many"}, "`seats` should be a valid integer"),
        ({"seats": "many"}, 'not "many"'),
        ({"seats": 0}, "greater than or equal to 1, not 0"),
        ({"seats": 1, "sets": 2}, "`sets` is not an argument"),
        ({"seats": 1, "sets": 2}, "It takes `seats`, `name`, `places`."),
        ({"seats": 1, "context": {}}, "`context` is not an argument"),
        ({"seats": 1, "places": [{}]}, "`places[0].city` is missing"),
        ({"seats": 1, "name": None}, "`name` should be a valid string, not null"),
        ({"seats": "x" * 100_000}, "…"),
    ],
)
def test_each_problem_is_named(arguments: dict[str, Any], said: str) -> None:
    complaint = refused(arguments)
    assert complaint.startswith("Wrong arguments for `book`:")
    assert said in complaint
    assert len(complaint) < 2000
    complaint.encode()


def test_all_problems_are_named_at_once() -> None:
    complaint = refused({"name": [], "x": 1})
    assert all(name in complaint for name in ("`seats`", "`name`", "`x`"))


def test_many_problems_are_summed_up() -> None:
    assert "- and 91 more" in refused({f"x{n}": n for n in range(100)})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"seats": 2', "not valid JSON"),
        ("seats=2", "not valid JSON"),
        ('{"seats": NaN}', "NaN is not JSON"),
        ('{"seats": 1e999}', "a number that is too large"),
        ('{"seats": [-1e999]}', "a number that is too large"),
        ('{"seats": 1, "seats": 2}', "'seats' appears twice"),
        ("[2]", "not a list"),
        ('"2"', "not a string"),
        ("null", "not null"),
        ("2", "not a number"),
        ("true", "not true"),
        ("[" * 100_000, "nested deeper"),
        ('{"seats": 1, "name": "a\\u0000"}', "NUL"),
        ('{"\\ud800": 1}', "surrogate"),
        ('{"seats":' + "[" * 40 + "]" * 40 + "}", "nested deeper than 32"),
        (" " * 1024 * 1024 + "{}", "longer than"),
        ('{"seats": ' + "9" * 5000 + "}", "not valid JSON"),
    ],
)
def test_anything_but_an_object_is_refused(text: str, said: str) -> None:
    assert said in refused(text)


def test_depth_is_bounded_in_an_object_too() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    assert "nested deeper" in refused({"seats": deep})


def test_an_unknown_tool_lists_the_known_and_suggests_one() -> None:
    assert refused({}, "bok") == (
        "There is no tool named `bok`. Did you mean `book`? Known: `book`, `ping`."
    )


def test_an_absurd_name_is_cut() -> None:
    complaint = refused({}, "\ud800" + "x" * 100_000)
    assert len(complaint) < 300
    complaint.encode()


@given(st.text(max_size=200))
def test_any_text_is_answered(text: str) -> None:
    assert isinstance(runner.validate("book", text), Call | ToolOutcome)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["seats", "name", "places", "x"]), anything))
def test_any_object_is_answered_as_its_text_is(arguments: dict[str, Any]) -> None:
    text = json.dumps(arguments)
    assert runner.validate("book", text) == runner.validate("book", arguments)
