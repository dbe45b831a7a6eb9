"""Sums, worked out exactly where that is possible."""

from __future__ import annotations

from tools import tool
from tools.sandbox.arithmetic import calculated


@tool(approval=False, seconds=5, repeatable=True)
def calculate(expression: str) -> str:
    """Work out an arithmetic expression.

    It knows + - * / // % ** ( ), pi, e, tau, and abs, round, floor, ceil, min, max, sqrt, cbrt, exp,
    log(x, base), ln, log2, log10, sin, cos, tan, asin, acos, atan, degrees, radians, hypot,
    factorial, gcd, lcm. Angles are in radians; ^ is a power, and % the remainder.

    Args:
        expression: For example `(1,250 + 3^2) / 4`.
    """
    return calculated(expression)
