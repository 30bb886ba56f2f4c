"""Certified values of closed forms: one pass, or as many as the digits need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flint import acb, arb

from initmath.balls.numbers import accurate, bits
from initmath.balls.precision import working_precision
from initmath.balls.program import program
from initmath.errors import NotEnclosed

__all__ = ["evaluate", "evaluate_to"]

#: Below this absolute size, relative to the working precision, a value is reported as zero within its radius.
ZERO_BITS = 4000


def evaluate(expr: Any, values: Mapping[Any, Any] | None = None, prec: int = 74) -> arb:
    """Enclose a real closed form in one pass of ball arithmetic with ``prec`` bits; the ball may be wide.

    Parameters
    ----------
    expr : Expr
    values : mapping of Symbol to int, Fraction, Rational or arb
        An `arb` with a radius stands for every number in it.
    prec : int
        Working precision in bits.

    Raises
    ------
    NotEnclosed
        A symbol without a value, or a function without a ball evaluation.

    Examples
    --------
    >>> from sympy import Symbol, asin, pi
    >>> q = Symbol("q", positive=True)
    >>> evaluate(2 / pi * asin(2 * q / (1 + 2 * q)), {q: 1}).str(12, radius=False)
    '0.464559054398'
    """
    with working_precision(prec):
        value = program(expr).bind(values or {}, prec)(None, False)
        if isinstance(value, acb):
            if value.imag.is_finite() and not value.imag.contains(0):
                raise NotEnclosed(f"{expr} is not real here")
            value = value.real
        return value


def evaluate_to(
    expr: Any, values: Mapping[Any, Any] | None = None, digits: int = 15, max_prec: int = 16384
) -> arb:
    """Enclose a real closed form to a relative accuracy of 10^-digits, doubling the precision until it holds.

    Cancellation costs time, never digits.  A value that stays indistinguishable from zero is returned as a
    ball around zero of radius below 2^-4000 (or as the exact zero).

    Raises
    ------
    NotEnclosed
        ``max_prec`` bits do not suffice, or the value is not finite there.

    Examples
    --------
    >>> from sympy import Rational, Symbol, erfc, exp, pi, sqrt
    >>> q = Symbol("q", positive=True)
    >>> isru = 1 - sqrt(pi / (2 * q)) * exp(1 / (2 * q)) * erfc(1 / sqrt(2 * q))
    >>> evaluate_to(isru, {q: Rational(1, 10**8)}, 15).str(15, radius=False)
    '9.99999970000001e-9'
    """
    prec = bits(digits)
    while True:
        ball = evaluate(expr, values, prec)
        if accurate(ball, digits):
            return ball
        if ball.is_finite() and abs(ball) < arb(2) ** -ZERO_BITS:
            return ball
        wide = [v for v in (values or {}).values() if isinstance(v, arb) and not v.is_exact()]
        if prec >= max_prec or (wide and prec >= 4 * bits(digits)):
            if wide and ball.is_finite():
                return ball
            raise NotEnclosed(f"{digits} digits not reached with {prec} bits: {ball.str(8)}")
        prec = min(2 * prec, max_prec)
