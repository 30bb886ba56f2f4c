"""Numbers in and out of ball arithmetic."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from flint import arb, fmpq
from sympy import Float, Integer, Rational

__all__ = ["accurate", "bits", "relative_error", "to_arb"]

#: Bits beyond the asked digits: rounding in a few dozen operations, and mild cancellation.
GUARD_BITS = 24


def bits(digits: int) -> int:
    """Working precision for ``digits`` decimal digits, guard bits included.

    Examples
    --------
    >>> bits(15)
    74
    """
    return int(digits * 3.3219281) + 1 + GUARD_BITS


def to_arb(value: Any) -> arb:
    """Turn a number (int, Fraction, Rational, float, ball) into a ball at the current precision.

    A Python float stands for the double that it is; decimals that the user typed arrive here as rationals.

    Examples
    --------
    >>> from fractions import Fraction
    >>> to_arb(Fraction(1, 2))
    0.500000000000000
    """
    if isinstance(value, arb):
        return value
    if isinstance(value, (int, float)):
        return arb(value)
    if isinstance(value, Integer):
        return arb(int(value))
    if isinstance(value, (Fraction, fmpq)):
        return arb(fmpq(int(value.numerator), int(value.denominator)))
    if isinstance(value, Rational):
        return arb(fmpq(int(value.p), int(value.q)))
    if isinstance(value, Float):
        sign, mantissa, exponent, _ = value._mpf_
        return arb((-int(mantissa) if sign else int(mantissa), int(exponent)))
    raise TypeError(f"not a number that a ball can hold: {value!r}")


def accurate(ball: arb, digits: int) -> bool:
    """Whether the relative radius is at most 10^-digits, for any number of digits (no float underflows).

    Examples
    --------
    >>> accurate(arb(2, 1e-9), 9), accurate(arb(2, 1e-9), 10), accurate(arb(1), 5000)
    (True, False, True)
    """
    return bool(ball.is_finite() and ball.rad() * arb(10) ** digits <= ball.abs_lower())


def relative_error(ball: arb) -> float:
    """Radius over the smallest magnitude in the ball; 0 for an exact ball, inf when the ball contains zero.

    Examples
    --------
    >>> relative_error(arb(2, 0.002)) < 0.0011
    True
    """
    if not ball.is_finite():
        return float("inf")
    radius = ball.rad()
    if radius.is_zero():
        return 0.0
    lower = ball.abs_lower()
    if lower.is_zero():
        return float("inf")
    return float((radius / lower).upper())
