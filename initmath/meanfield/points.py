"""A moment of an activation at a fixed point: at a rational, a solved closed form, or a certified root."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flint import arb

from initmath import moments
from initmath.balls import bits, evaluate, working_precision
from initmath.derivation import Number, Status
from initmath.errors import Disagreement, Divergent, NotEnclosed
from initmath.integral import q as Q
from initmath.moments.algebra import is_zero, tidy
from initmath.solving.arithmetic import GUARD_DIGITS, combine

__all__ = ["against_one", "infinite", "moment_at", "product", "shown"]

UNDECIDED_DIGITS = 60
"""With so many digits a number is told from 1 before it is said to be undecided."""


def shown(number: Number, digits: int) -> Number:
    """Return the number with as many digits as were asked."""
    return replace(number, digits=digits)


def infinite(digits: int, method: str = "", sign: int = 1) -> Number:
    """Return ±∞ as a number."""
    return Number(Status.NUMERIC, arb.pos_inf() if sign > 0 else arb.neg_inf(), None, method, digits)


def moment_at(activation: Any, name: str, q: Number, digits: int, *, slope: bool = False) -> Number:
    """Return a moment, or its derivative in q, at a fixed point q > 0.

    Parameters
    ----------
    activation : Activation
    name : str
        One of `initmath.moments.NAMES`.
    q : Number
        With a rational closed form both routes are compared there; otherwise on the ball.
    digits : int
    slope : bool

    Returns
    -------
    Number
        Infinite where E g'² diverges.
    """
    deep = digits + GUARD_DIGITS
    where = q.closed_form
    if where is not None and getattr(where, "is_Rational", False):
        if slope:
            return _here(moments.slope(activation, name, where, deep), where, digits)
        return _here(moments.moment(activation, name, where, deep).number, where, digits)
    closed = moments.closed_slope(activation, name) if slope else moments.closed_value(activation, name)
    confirm = moments.slope_ball_confirmed if slope else moments.ball_confirmed
    enclose = moments.slope_ball if slope else moments.ball
    try:
        ball = confirm(activation, name, q.ball, deep)
        second = enclose(activation, name, q.ball, deep)
    except Divergent as error:
        if name != "derivative_second_moment" or slope:
            raise
        return infinite(digits, f"diverges: {error}")
    if ball.is_finite() and second.is_finite():
        if not ball.overlaps(second):
            raise Disagreement(f"two enclosures of {name} at a fixed point do not meet: {ball} and {second}")
        ball = ball.intersection(second)
    elif second.is_finite():
        ball = second
    if closed is None or where is None:
        return Number(Status.NUMERIC, ball, None, q.method, digits)
    return Number(Status.EXACT, ball, tidy(closed.subs(Q, where)), q.method, digits)


def _here(number: Number, at: Any, digits: int) -> Number:
    """Put the rational q into a closed form that is written in the symbol q."""
    closed = number.closed_form
    if closed is not None and Q in closed.free_symbols:
        closed = closed.xreplace({Q: at})
    return replace(number, closed_form=closed, digits=digits)


def product(first: Number, second: Number, digits: int) -> Number:
    """Return the product of two numbers; an infinite factor gives infinity."""
    if not (first.ball.is_finite() and second.ball.is_finite()):
        return infinite(digits, first.method if not first.ball.is_finite() else second.method)
    return combine(lambda a, b: a * b, first, second, digits=digits)


def against_one(number: Number) -> int | None:
    """Return the sign of |number| − 1; 0 only if equality is proven, None if it is not decided.

    Examples
    --------
    >>> from initmath.solving.arithmetic import exact
    >>> [against_one(exact(value, 15)) for value in ("1/2", "1", "-1", "7/3")]
    [-1, 0, 0, 1]
    """
    size = abs(number.ball)
    if size < 1:
        return -1
    if size > 1:
        return 1
    closed = number.closed_form
    if closed is None or closed.free_symbols:
        return None
    if is_zero(closed**2 - 1):
        return 0
    try:
        with working_precision(bits(UNDECIDED_DIGITS)):
            ball = abs(evaluate(closed, {}, bits(UNDECIDED_DIGITS)))
    except NotEnclosed:
        return None
    return -1 if ball < 1 else 1 if ball > 1 else None
