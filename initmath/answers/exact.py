"""Numbers that a person types: decimals and fractions are exact, a Python float means its ``repr``."""

from __future__ import annotations

import operator
import re
from fractions import Fraction
from typing import Any

from initmath.errors import InputError

__all__ = ["counted", "digits_asked", "exact_number", "whole_number"]

MAX_LENGTH = 200
MAX_EXPONENT = 300

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)


def exact_number(value: Any, name: str, *, zero: bool = False) -> Fraction:
    """Return a positive finite number exactly.

    Parameters
    ----------
    value : int, float, str, Fraction, Decimal, SymPy Rational or NumPy scalar
        Text: ``"2"``, ``"0.05"``, ``"1e-3"``, ``"1/3"``.  A float stands for its shortest decimal.
    name : str
        What the number is, for the message.
    zero : bool
        Whether 0 is allowed.

    Returns
    -------
    Fraction

    Raises
    ------
    InputError
        If it is no number, not finite, or not positive.

    Examples
    --------
    >>> exact_number("1e-3", "q"), exact_number(0.1, "q"), exact_number("1/3", "q")
    (Fraction(1, 1000), Fraction(1, 10), Fraction(1, 3))
    >>> exact_number("-1", "q")
    Traceback (most recent call last):
    ...
    initmath.errors.InputError: q = -1: must be positive
    """
    text = (float.__repr__(value) if isinstance(value, float) else str(value)).strip()
    if isinstance(value, bool) or len(text) > MAX_LENGTH:
        raise InputError(f"{name} = {text[:40]}: is not a number such as 2, 0.05, 1e-3 or 1/3")
    parts = [_read(part.strip()) for part in text.split("/")]
    if len(parts) > 2 or any(part is None for part in parts):
        raise InputError(f"{name} = {text[:40]}: is not a finite number such as 2, 0.05, 1e-3 or 1/3")
    numbers = [part for part in parts if part is not None]
    if len(numbers) == 2 and numbers[1] == 0:
        raise InputError(f"{name} = {text}: is a division by zero")
    number = numbers[0] / numbers[1] if len(numbers) == 2 else numbers[0]
    if number < 0 or (number == 0 and not zero):
        raise InputError(f"{name} = {text}: must {'not be negative' if zero else 'be positive'}")
    return number


def _read(text: str) -> Fraction | None:
    match = _DECIMAL.match(text)
    # The size of the exponent is bounded before anything is computed with it.
    if not match or (match[2] and (len(match[2]) > 6 or abs(int(match[2][1:])) > MAX_EXPONENT)):
        return None
    return Fraction(text)


def whole_number(value: Any) -> int | None:
    """Return an integer of Python or NumPy as an int; None for anything else, bool included.

    Examples
    --------
    >>> whole_number(3), whole_number(3.0), whole_number(True)
    (3, None, None)
    """
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def counted(value: Any, name: str, least: int = 1) -> int:
    """Return a whole number that counts something, of Python or NumPy, as an int.

    Raises
    ------
    InputError
        If it is no integer, or smaller than ``least``.

    Examples
    --------
    >>> counted(512, "width")
    512
    >>> counted(1.5, "width")
    Traceback (most recent call last):
    ...
    initmath.errors.InputError: width must be an integer of at least 1, got 1.5
    """
    number = whole_number(value)
    if number is None or number < least:
        raise InputError(f"{name} must be an integer of at least {least}, got {value!r}")
    return number


def digits_asked(value: Any) -> int:
    """Return how many significant digits to print.

    Raises
    ------
    InputError
        If it is no integer from 1 to 1000.
    """
    number = whole_number(value)
    if number is None or not 1 <= number <= 1000:
        raise InputError(f"digits = {value}: must be an integer from 1 to 1000")
    return number
