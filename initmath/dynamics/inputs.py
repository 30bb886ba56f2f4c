"""Numbers that a user gives: exact rationals, checked."""

from __future__ import annotations

from fractions import Fraction
from numbers import Integral, Rational, Real
from typing import Any

from initmath.errors import InputError

__all__ = ["layers", "positive", "rational"]

LONGEST = 400
"""Characters of a number, so that no text stands for an integer of a billion digits."""

LARGEST_EXPONENT = 400


def rational(value: Any, name: str) -> Fraction:
    """Return the rational that was meant: decimals in text are exact, a Python float means its ``repr``.

    Examples
    --------
    >>> rational("0.001", "u0"), rational(0.1, "u0")
    (Fraction(1, 1000), Fraction(1, 10))
    """
    if isinstance(value, Rational):  # int, Fraction, NumPy integers
        if not isinstance(value, bool):
            return Fraction(int(value.numerator), int(value.denominator))
    elif isinstance(value, str | Real):
        text = value.strip() if isinstance(value, str) else repr(float(value))
        exponent = text.lower().partition("e")[2]
        try:
            if len(text) <= LONGEST and abs(int(exponent or 0)) <= LARGEST_EXPONENT:
                return Fraction(text)
        except (ValueError, ZeroDivisionError):
            pass
    elif getattr(value, "is_Rational", False):
        return Fraction(int(value.p), int(value.q))
    raise InputError(f"{name} must be a finite real number such as 0.1 or '1/3', got {value!r}")


def positive(value: Any, name: str) -> Fraction:
    """Return a rational > 0."""
    number = rational(value, name)
    if number <= 0:
        raise InputError(f"{name} must be greater than 0, got {value!r}")
    return number


def layers(value: Any) -> int:
    """Return the number of weight matrices, at least 1."""
    if isinstance(value, bool) or not isinstance(value, Integral) or not 1 <= int(value) <= 10**9:
        raise InputError(f"depth is the number of weight matrices, an integer from 1 to 10^9, got {value!r}")
    return int(value)
