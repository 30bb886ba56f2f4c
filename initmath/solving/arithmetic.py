"""Arithmetic on `Number`: the same formula on the closed forms and on the balls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Integer, Pow, Rational, sqrt

from initmath.balls import bits, evaluate, relative_error, to_arb, working_precision
from initmath.derivation import Number, Status
from initmath.errors import NotEnclosed
from initmath.integral import q as Q
from initmath.moments import parameter_values
from initmath.moments.algebra import is_zero, tidy

__all__ = [
    "GUARD_DIGITS",
    "combine",
    "exact",
    "for_one_value",
    "given",
    "is_exact",
    "proven_positive",
    "settle",
    "square_root",
]

GUARD_DIGITS = 12

SHORT = 12

LARGEST_RATIONAL = 10**12
"""No larger number is recognised: it need not even fit into a double."""

METHOD = "closed form, evaluated in ball arithmetic"
BALLS = "ball arithmetic on certified moments"


def exact(value: Any, digits: int) -> Number:
    """Return an exact constant as a number."""
    expr = value if hasattr(value, "free_symbols") else Rational(value)
    prec = bits(digits + GUARD_DIGITS)
    return Number(Status.EXACT, evaluate(expr, {}, prec), expr, METHOD, digits)


def proven_positive(expr: Any, values: dict[Any, Any]) -> bool:
    """Decide the sign of a constant, with more precision as long as a ball contains 0.

    Raises
    ------
    NotEnclosed
        If it stays undecided: then neither answer may be given.

    Examples
    --------
    >>> proven_positive(sqrt(2) - Rational(1414213562373095, 10**15), {})
    True
    """
    for digits in (30, 60, 120, 240):
        ball = evaluate(expr, values, bits(digits))
        if ball > 0:
            return True
        if ball <= 0:
            return False
    if is_zero(expr):
        return False
    raise NotEnclosed(f"the sign of {expr} was not decided")


def for_one_value(activation: Any) -> str:
    """Say at which values of its free parameters an activation was looked at."""
    shown = ", ".join(f"{name} = {float(value):.6g}" for name, value in parameter_values(activation).items())
    return f"this was looked at for {shown} only: other values may differ"


def given(at: Any, digits: int) -> Number:
    """Return the asked q: the symbol q in closed forms, the rational in balls."""
    with working_precision(bits(digits + GUARD_DIGITS)):
        return Number(Status.EXACT, to_arb(at), Q, METHOD, digits)


def is_exact(*numbers: Number) -> bool:
    """Whether all of the numbers have confirmed closed forms."""
    return all(number.status is Status.EXACT and number.closed_form is not None for number in numbers)


def combine(formula: Callable[..., Any], *numbers: Number, digits: int) -> Number:
    """Apply a formula to numbers: exact if all of them are, rigorous in any case.

    Parameters
    ----------
    formula : callable
        Uses + − × ÷ only, so that it means the same for SymPy expressions and for balls.
    numbers : Number
    digits : int

    Examples
    --------
    >>> half = exact("1/2", 15)
    >>> combine(lambda m: 1 / m, half, digits=15).closed_form
    2
    """
    with working_precision(bits(digits + GUARD_DIGITS)):
        ball = formula(*(number.ball for number in numbers))
    certified = all(number.certified for number in numbers)
    if not is_exact(*numbers):
        return Number(Status.NUMERIC, ball, None, BALLS, digits, certified)
    closed = tidy(formula(*(number.closed_form for number in numbers)))
    return Number(Status.EXACT, ball, closed, METHOD, digits, certified)


def square_root(number: Number) -> Number:
    """Return the square root of a positive number."""
    with working_precision(bits(number.digits + GUARD_DIGITS)):
        ball = number.ball.sqrt()
    closed = number.closed_form
    if closed is not None:
        # SymPy decides the sign of every factor before it takes a root: seconds for a long expression.
        short = closed.count_ops() <= SHORT
        closed = sqrt(closed) if short else Pow(closed, Rational(1, 2), evaluate=False)
    return Number(number.status, ball, closed, number.method, number.digits, number.certified)


def settle(number: Number, at: Any) -> Number:
    """Recognise a small rational value at this q; if the identity is proven, show it as the closed form.

    SELU's second moment at q = 1 is a long expression in erfc(1/√2), e and π that equals 1 identically.
    """
    closed = number.closed_form
    if number.status is not Status.EXACT or closed is None or Q not in closed.free_symbols:
        return number
    candidate = small_rational(number.ball)
    if candidate is None or closed.free_symbols != {Q}:
        return number
    if closed.count_ops() > 12 and is_zero(closed.xreplace({Q: at}) - candidate):
        return exact(candidate, number.digits)
    return number


def small_rational(ball: Any, largest: int = 12) -> Any | None:
    """Return the fraction with a small denominator inside a narrow ball, or None."""
    if not ball.is_finite() or relative_error(ball + 1) > 1e-10 or not abs(ball) < LARGEST_RATIONAL:
        return None
    for denominator in range(1, largest + 1):
        numerator = (ball * denominator).unique_fmpz()
        if numerator is not None:
            return Rational(int(numerator), denominator)
        middle = Integer(round(float(ball.mid()) * denominator))
        if (ball * denominator).contains(int(middle)):
            return Rational(middle, denominator)
    return None
