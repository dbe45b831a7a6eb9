"""The functions and constants of the calculator. Every function is quick for all bounded numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

Number = int | float

MAX_BITS = 4096
"""Bits of a whole number: about 1,200 digits."""
_MAX_FACTORIAL = 500
_MANY = 100

CONSTANTS: dict[str, Number] = {"pi": math.pi, "e": math.e, "tau": math.tau}


def power(base: Number, exponent: Number) -> Number:
    """Return Python's power; a huge one is refused before it is computed."""
    if isinstance(base, int) and isinstance(exponent, int):
        if abs(base) > 1 and exponent * base.bit_length() > 2 * MAX_BITS:
            raise OverflowError
        if exponent < 0:
            return float(base) ** exponent
    result: Number = base**exponent
    return result


def _factorial(number: Number) -> int:
    if number > _MAX_FACTORIAL:
        raise OverflowError
    return math.factorial(_whole(number))


def _round(number: Number, digits: Number = 0) -> Number:
    if abs(digits) > 300:
        raise ValueError("that many digits cannot be kept")
    return round(number, _whole(digits)) if digits else round(number)


def _log(number: Number, base: Number = math.e) -> float:
    return math.log(number) if base == math.e else math.log(number, base)


def _cbrt(number: Number) -> float:
    return math.cbrt(number)


def _gcd(first: Number, second: Number) -> int:
    return math.gcd(_whole(first), _whole(second))


def _lcm(first: Number, second: Number) -> int:
    return math.lcm(_whole(first), _whole(second))


def _whole(number: Number) -> int:
    if number != int(number):
        raise ValueError(f"{number:g} is not a whole number")
    return int(number)


FUNCTIONS: dict[str, tuple[Callable[..., Number], int, int]] = {
    "abs": (abs, 1, 1),
    "round": (_round, 1, 2),
    "floor": (math.floor, 1, 1),
    "ceil": (math.ceil, 1, 1),
    "min": (min, 2, _MANY),
    "max": (max, 2, _MANY),
    "sqrt": (math.sqrt, 1, 1),
    "cbrt": (_cbrt, 1, 1),
    "exp": (math.exp, 1, 1),
    "log": (_log, 1, 2),
    "ln": (math.log, 1, 1),
    "log2": (math.log2, 1, 1),
    "log10": (math.log10, 1, 1),
    "sin": (math.sin, 1, 1),
    "cos": (math.cos, 1, 1),
    "tan": (math.tan, 1, 1),
    "asin": (math.asin, 1, 1),
    "acos": (math.acos, 1, 1),
    "atan": (math.atan, 1, 1),
    "degrees": (math.degrees, 1, 1),
    "radians": (math.radians, 1, 1),
    "hypot": (math.hypot, 2, _MANY),
    "factorial": (_factorial, 1, 1),
    "gcd": (_gcd, 2, 2),
    "lcm": (_lcm, 2, 2),
}
"""The function by name, with the fewest and the most numbers that it takes."""
