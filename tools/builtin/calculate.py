"""Arithmetic, exact where possible."""

from __future__ import annotations

from tools import tool
from tools.sandbox.arithmetic import evaluate


@tool(approval=False, seconds=5, repeatable=True)
def calculate(expression: str) -> str:
    """Evaluate an arithmetic expression.

    Supports + - * / // % ** ( ), pi, e, tau, and abs, round, floor, ceil, min, max, sqrt, cbrt, exp,
    log(x, base), ln, log2, log10, sin, cos, tan, asin, acos, atan, degrees, radians, hypot,
    factorial, gcd, lcm. Angles are in radians; ^ is a power, % the remainder.

    Args:
        expression: For example `(1,250 + 3^2) / 4`.
    """
    return evaluate(expression)
