"""A tool is its function; a wrong declaration is refused with file, function and hint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from tools.core.declaration import ToolContext, ToolDeclarationError, tool


class Place(BaseModel):
    city: str
    floor: int = 0


@tool
def book(
    context: ToolContext,
    json: str,
    kind: Literal["room", "desk"],
    place: Place,
    seats: Annotated[int, Field(ge=1, description="How many people.")] = 1,
    days: list[str] | None = None,
) -> str:
    """Book a place.

    For one day or several.

    Args:
        json: Named like a method
            of pydantic's.
        seats: Not this: the field says it.

    Nobody is told.
    """
    return f"{seats} {kind} in {place.city}"


def test_name_description_and_schema_come_from_the_function() -> None:
    assert book.name == "book"
    assert book.description == "Book a place.\n\nFor one day or several.\n\nNobody is told."
    assert book.summary == "Book a place."
    properties = book.parameters["properties"]
    assert list(properties) == ["json", "kind", "place", "seats", "days"]
    assert properties["json"] == {
        "type": "string", "description": "Named like a method of pydantic's."
    }  # fmt: skip
    assert properties["kind"] == {"type": "string", "enum": ["room", "desk"]}
    assert properties["seats"] == {
        "type": "integer", "minimum": 1, "default": 1, "description": "How many people."
    }  # fmt: skip
    assert book.parameters["required"] == ["json", "kind", "place"]
    assert book.parameters["additionalProperties"] is False


def test_by_default_each_call_needs_approval() -> None:
    assert (book.approval, book.repeatable, book.may_remember) == (True, False, True)


def test_options_are_kept() -> None:
    @tool(approval=False, seconds=1, output_limit=10, repeatable=True, may_remember=False)
    def quick() -> None:
        """Be quick."""

    assert (quick.approval, quick.repeatable, quick.may_remember) == (False, True, False)
    assert (quick.seconds, quick.output_limit) == (1, 10)


def test_it_is_still_the_function(context: ToolContext) -> None:
    assert book(context, "{}", "desk", Place(city="Rome"), seats=2) == "2 desk in Rome"


def test_a_tool_without_arguments_takes_an_empty_object() -> None:
    @tool
    def ping() -> str:
        """Answer."""
        return "pong"

    assert ping.parameters == {"type": "object", "properties": {}, "additionalProperties": False}


def undocumented(text: str) -> str:
    return text


def untyped(text) -> str:  # type: ignore[no-untyped-def]
    """Has no type."""
    return str(text)


def starred(*texts: str) -> str:
    """Takes any number."""
    return "".join(texts)


def keywords(**texts: str) -> str:
    """Takes any name."""
    return "".join(texts)


def nameless(text: str, /) -> str:
    """Takes it by its place."""
    return text


def callback(then: Callable[[], None]) -> str:
    """Takes a function."""
    return str(then)


class Handle:
    pass


def handle(of: Handle) -> str:
    """Takes an object."""
    return str(of)


def unknown_type(text: Nowhere) -> str:  # type: ignore[name-defined]  # noqa: F821
    """Takes what does not exist."""
    return str(text)


def stray(text: str) -> str:
    """Describes too much.

    Args:
        txt: A slip.
    """
    return text


def yields() -> Any:
    """Yields."""
    yield 1


def café() -> None:
    """Has an accent."""


@pytest.mark.parametrize(
    ("function", "problem", "hint"),
    [
        (undocumented, "no docstring", "say what it does"),
        (untyped, "'text' has no type", "`text: str`"),
        (starred, "'texts' cannot be passed", "by name"),
        (keywords, "'texts' cannot be passed", "by name"),
        (nameless, "cannot be passed", "by name"),
        (callback, "JSON cannot carry", "pydantic model"),
        (handle, "JSON cannot carry", "pydantic model"),
        (unknown_type, "Nowhere", "top of the module"),
        (stray, "describes txt", "Correct"),
        (yields, "it yields", "Return"),
        (café, "not accepted by all models", "a-z"),
    ],
)
def test_a_wrong_declaration_is_refused(
    function: Callable[..., Any], problem: str, hint: str
) -> None:
    with pytest.raises(ToolDeclarationError, match=problem) as refused:
        tool(function)
    assert hint in refused.value.hint
    assert f"{__file__}:" in refused.value.where
    assert f"{function.__name__}()" in refused.value.where


def test_a_long_name_is_refused() -> None:
    namespace: dict[str, Any] = {}
    exec(f"def {'a' * 65}():\n    'Do.'", namespace)  # noqa: S102  # a name too long for a line
    with pytest.raises(ToolDeclarationError, match="not accepted by all models"):
        tool(namespace["a" * 65])


def test_only_functions_can_be_tools() -> None:
    with pytest.raises(ToolDeclarationError, match="takes a function"):
        tool(Place)


def test_a_second_tool_of_the_same_name_is_refused() -> None:
    def twin() -> None:
        """Do the same."""

    twin.__name__ = twin.__qualname__ = "book"
    with pytest.raises(ToolDeclarationError, match="another tool named 'book'"):
        tool(twin)


@pytest.mark.parametrize("options", [{"seconds": 0}, {"seconds": 1e6}, {"output_limit": 0}])
def test_a_limit_must_be_within_bounds(options: dict[str, Any]) -> None:
    def quick() -> None:
        """Be quick."""

    with pytest.raises(ToolDeclarationError, match="se at most"):
        tool(**options)(quick)
