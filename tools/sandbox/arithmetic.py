"""Evaluate arithmetic from text without `eval`.

Python's parser builds the tree; each node is either known and cheap, or refused. Nothing can take
long: text, depth and numbers are bounded, and a huge power or factorial is refused up front.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable

from tools.core.errors import ToolError
from tools.sandbox.functions import CONSTANTS, FUNCTIONS, MAX_BITS, Number, power

MAX_CHARACTERS = 2000
MAX_DEPTH = 50

_SPELLINGS = str.maketrans(
    {
        "\N{MULTIPLICATION SIGN}": "*",
        "\N{DOT OPERATOR}": "*",
        "\N{MIDDLE DOT}": "*",
        "\N{DIVISION SIGN}": "/",
        "\N{MINUS SIGN}": "-",
        "\N{EN DASH}": "-",
        "\N{GREEK SMALL LETTER PI}": "pi",
        "\N{NO-BREAK SPACE}": " ",
        "\N{NARROW NO-BREAK SPACE}": " ",
        "^": "**",
        "[": "(",
        "]": ")",
        "\n": " ",
        "\t": " ",
    }
)
_KNOWN = re.compile(r"[\w .,+\-*/%()]*", re.ASCII)
_GROUPED = re.compile(r"(?<![\w.])\d{1,3}(?:,\d{3})+(?![\w,])", re.ASCII)

_BINARY: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: power,
}
_UNARY: dict[type[ast.unaryop], Callable[[Number], Number]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}


def evaluate(expression: str) -> str:
    """Return the value in decimal. Raises `ToolError` with an explanation."""
    tree = _parse(_as_python(expression))
    try:
        return _format(_evaluate(tree, MAX_DEPTH))
    except ZeroDivisionError:
        raise ToolError("This divides by zero.") from None
    except OverflowError:
        raise ToolError("The numbers become too large.") from None
    except (ValueError, TypeError) as error:
        raise ToolError(f"This has no value: {error}.") from None


def _as_python(expression: str) -> str:
    """Translate people's spelling to Python's."""
    if len(expression) > MAX_CHARACTERS:
        raise ToolError(f"The expression is longer than {MAX_CHARACTERS:,} characters.")
    text = expression.translate(_SPELLINGS).rstrip(" =?").lstrip()
    if not text:
        raise ToolError("The expression is empty.")
    if (known := _KNOWN.match(text)) and known.end() < len(text):
        raise ToolError(f"The character {text[known.end()]!r} has no meaning here.")
    return _join_thousands(text)


def _join_thousands(text: str) -> str:
    """Read 1,234 as 1234; max(1,234) keeps its two arguments."""
    separates: list[bool] = []
    calls = [False]
    for index, char in enumerate(text):
        if char == "(":
            calls.append(bool(re.search(r"[a-z_]\w*\s*$", text[:index][-20:], re.I)))
        elif char == ")" and len(calls) > 1:
            calls.pop()
        separates.append(calls[-1])
    return _GROUPED.sub(
        lambda found: found[0] if separates[found.start()] else found[0].replace(",", ""), text
    )


def _parse(text: str) -> ast.expr:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        raise ToolError(
            f"{text!r} is not an expression: use numbers, + - * / // % ** and parentheses."
        ) from None


def _evaluate(node: ast.expr, depth: int) -> Number:
    if depth == 0:
        raise ToolError(f"The expression is nested deeper than {MAX_DEPTH} levels.")
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _checked(value)
        case ast.Name(id=name) if name.lower() in CONSTANTS:
            return CONSTANTS[name.lower()]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            return _UNARY[type(op)](_evaluate(operand, depth - 1))
        case ast.BinOp():
            return _chain(node, depth)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _call(name.lower(), [_evaluate(argument, depth - 1) for argument in arguments])
        case ast.Name(id=name):
            raise ToolError(f"{name!r} has no value here. Known: {', '.join(CONSTANTS)}.")
        case ast.Tuple():
            raise ToolError("There is a comma between numbers: write decimals with a point.")
        case _:
            raise ToolError("Only numbers, operators and known functions are allowed.")


def _chain(node: ast.expr, depth: int) -> Number:
    """Evaluate a chain of operators in a loop: a long sum is deep only in Python's tree."""
    links: list[ast.BinOp] = []
    while isinstance(node, ast.BinOp):
        links.append(node)
        node = node.left
    value = _evaluate(node, depth - 1)
    for link in reversed(links):
        value = _apply(link.op, value, _evaluate(link.right, depth - 1))
    return value


def _apply(op: ast.operator, left: Number, right: Number) -> Number:
    if isinstance(op, ast.Div):
        is_whole = isinstance(left, int) and isinstance(right, int) and right and not left % right
        return _checked(left // right if is_whole else left / right)
    if type(op) not in _BINARY:
        raise ToolError("Only + - * / // % and ** are known.")
    return _checked(_BINARY[type(op)](left, right))


def _call(name: str, arguments: list[Number]) -> Number:
    if name not in FUNCTIONS:
        raise ToolError(f"There is no function {name!r}. Known: {', '.join(FUNCTIONS)}.")
    function, least, most = FUNCTIONS[name]
    if not least <= len(arguments) <= most:
        raise ToolError(f"{name} takes {least if least == most else f'{least} to {most}'} numbers.")
    return _checked(function(*arguments))


def _checked(value: Number) -> Number:
    """Check every intermediate value, so none exceeds the product of two allowed ones."""
    if isinstance(value, complex):
        raise ToolError("This has no real value: an even root of a negative number.")
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise OverflowError
    elif not math.isfinite(value):
        raise OverflowError
    return value


def _format(value: Number) -> str:
    """Format a value; floats get 15 digits, so that 0.1 + 0.2 is 0.3."""
    if isinstance(value, int):
        return str(value)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
