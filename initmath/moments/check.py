"""The meeting of two routes: a closed form is shown only where an independent enclosure agrees with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from flint import arb
from sympy import (
    Abs,
    Heaviside,
    KroneckerDelta,
    Max,
    Min,
    Mod,
    Piecewise,
    Rational,
    Sum,
    arg,
    ceiling,
    floor,
    im,
    re,
    sign,
)
from sympy.core.relational import Relational

from initmath.balls import evaluate, evaluate_to, relative_error
from initmath.errors import Disagreement, Divergent, NotEnclosed
from initmath.integral import q
from initmath.moments.enclosed import enclosed, enclosed_slope
from initmath.moments.integrands import parameter_values

__all__ = [
    "CHECK_Q",
    "Agreement",
    "compare",
    "compare_slope",
    "conditions_text",
    "confirm",
    "holds",
    "overlapping",
    "refuse_unless_analytic",
]

CHECK_Q = (Rational(3, 10), Rational(17, 5), Rational(1, 1009), Rational(41))
"""Where every closed form is compared, besides the q that is asked for."""

FAR_Q = (Rational(1, 10007), Rational(1009))
"""Where it is compared, too, if the enclosure reaches that far."""

LEAST_POINTS = 2
"""One point alone confirms nothing: a wrong factor is right somewhere."""

INSIDE = (Rational(31, 32), Rational(1, 2), Rational(1, 9))
"""Where a closed form that holds up to a threshold only is compared, in units of the threshold."""

CHECK_DIGITS = 20

RANDOM_PARAMETERS = 3

CONDITION_BITS = 80

BY_CASES = (
    Piecewise,
    Relational,
    KroneckerDelta,
    Heaviside,
    sign,
    floor,
    ceiling,
    Abs,
    Max,
    Min,
    re,
    im,
    arg,
    Mod,
)
"""What is not analytic; of a constant it is only a number."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Where a closed form was compared with the enclosure, and why not where it was not."""

    compared: int
    reason: str = ""


def holds(domain: tuple[Any, ...], at: Any, values: dict[Any, Any]) -> bool:
    """Whether every condition is certainly true: on all of a ball, if q is one.

    Examples
    --------
    >>> holds((2 - q,), arb(1), {}), holds((2 - q,), arb(2, 0.1), {}), holds((), arb(5), {})
    (True, False, True)
    """
    try:
        return all(bool(evaluate(condition, {q: at, **values}, CONDITION_BITS) > 0) for condition in domain)
    except (NotEnclosed, ZeroDivisionError):
        return False


def conditions_text(domain: tuple[Any, ...]) -> str:
    """Write the conditions for a reader."""
    return " and ".join(f"{condition} > 0" for condition in domain)


def threshold(domain: tuple[Any, ...], values: dict[Any, Any]) -> Any | None:
    """Return a q just below the smallest at which a condition fails, or None where none does up to 4²⁵.

    Conditions hold for all small q: they say how much of an exponential the normal density can carry.
    """
    if not domain:
        return None
    low = Rational(1)
    while not holds(domain, low, values):
        low /= 4
        if low < Rational(1, 4**25):
            return None
    high = 4 * low
    while holds(domain, high, values):
        low, high = high, 4 * high
        if high > 4**25:
            return None
    for _ in range(8):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(domain, middle, values) else (low, middle)
    return low


def refuse_unless_analytic(activation: Any, name: str, value: Any) -> None:
    """Refuse a closed form that decides by cases in q or in a parameter.

    An expectation E f(√q z) is analytic in q > 0; agreement at a few points says something about all others
    only if the closed form is, too.  A case distinction could hide an error at a single q.

    Raises
    ------
    Disagreement
    """
    for node in value.atoms(*BY_CASES):
        for symbol in sorted(node.free_symbols, key=str):
            raise Disagreement(
                f"{name} of {activation.name}: the closed form decides by cases in {symbol} ({node}), "
                "which no Gaussian expectation does"
            )


def admissible_values(activation: Any, name: str) -> list[dict[Any, Any]]:
    """Return the parameter values of a comparison: those shown, then random ones near and far from them.

    Log-uniform over six decades, of both signs where the symbol may be negative.  Random, but the same in
    every run: the generator is seeded with the question.
    """
    shown = parameter_values(activation)
    if not shown:
        return [{}]
    chance = Random(f"{activation.name} {activation.expr} {name}")
    sets = [shown]
    for k in range(RANDOM_PARAMETERS):
        # One draw from each third of the decades, in random order, for every symbol.
        chosen = {}
        for symbol in shown:
            size = 10 ** chance.uniform(-3 + 2 * k, -1 + 2 * k)
            drawn = Rational(round(size * 10**6), 10**6)
            chosen[symbol] = -drawn if not symbol.is_nonnegative and chance.random() < 0.5 else drawn
        sets.append(chosen)
    return sets


def confirm(activation: Any, name: str, value: Any, domain: tuple[Any, ...] = ()) -> Agreement:
    """Compare a closed form with the enclosure at fixed q and at random values of the symbolic parameters.

    Where the form holds only under conditions, points that violate one are passed over and points just
    inside are added.

    Parameters
    ----------
    activation : Activation
    name : str
    value : Expr
    domain : tuple of Expr
        What must be positive for the form to hold.

    Returns
    -------
    Agreement
        ``compared`` is the number of points at which both balls were tight and overlapped.

    Raises
    ------
    Disagreement
    """
    refuse_unless_analytic(activation, name, value)
    compared, reasons = 0, []
    for at, values in _points(activation, name, value, domain):
        if not holds(domain, at, values):
            continue
        try:
            compare(activation, name, value, at, CHECK_DIGITS, values)
            compared += 1
        except Divergent:
            continue
        except NotEnclosed as error:
            reasons.append(str(error))
    return Agreement(compared, reasons[0] if reasons else "")


def _points(
    activation: Any, name: str, value: Any, domain: tuple[Any, ...]
) -> list[tuple[Any, dict[Any, Any]]]:
    """List where to compare: every fixed q at the shown parameters, two of them at the others."""
    sets = admissible_values(activation, name)
    cheap = not value.has(Sum)
    points = [(at, sets[0]) for at in (*CHECK_Q, *(FAR_Q if cheap else ()))]
    points += [(at, values) for at in CHECK_Q[:2] for values in sets[1:]]
    for values in sets if domain else ():
        edge = threshold(domain, values)
        points += [(edge * part, values) for part in INSIDE] if edge is not None else []
    return points


def compare(
    activation: Any, name: str, value: Any, at: Any, digits: int, values: dict[Any, Any]
) -> tuple[arb, arb]:
    """Return the balls of the closed form and of the enclosure at one q, which overlap and are tight.

    Raises
    ------
    Disagreement
        The two balls have no point in common.
    NotEnclosed
        One of them is too wide to say anything.
    """
    formula = evaluate_to(value, {q: at, **values}, digits)
    independent = enclosed(activation, name, at, digits, values)
    _overlap(activation, name, at, values, formula, independent)
    _tight(formula, independent, digits)
    return formula, independent


def compare_slope(
    activation: Any, name: str, slope: Any, at: Any, digits: int, values: dict[Any, Any]
) -> tuple[arb, arb]:
    """`compare` for d/dq of a moment."""
    formula = evaluate_to(slope, {q: at, **values}, digits)
    independent = enclosed_slope(activation, name, at, digits, values)
    _overlap(activation, f"d/dq {name}", at, values, formula, independent)
    _tight(formula, independent, digits)
    return formula, independent


def overlapping(
    activation: Any,
    name: str,
    formula: arb,
    at: arb,
    digits: int,
    values: dict[Any, Any],
    enclose: Callable[..., arb] = enclosed,
) -> arb:
    """Compare a closed form's ball at a solved q with the enclosure's; return it.

    Raises
    ------
    Disagreement
    """
    try:
        independent = enclose(activation, name, at, digits, values)
    except NotEnclosed:
        return formula
    _overlap(activation, name, at.str(20), values, formula, independent)
    return formula


def _overlap(activation: Any, name: str, at: Any, values: dict[Any, Any], formula: arb, other: arb) -> None:
    if formula.is_finite() and other.is_finite() and not formula.overlaps(other):
        where = "".join(f", {symbol} = {number}" for symbol, number in values.items())
        raise Disagreement(
            f"{name} of {activation.name} at q = {at}{where}: the closed form gives {formula.str(30)}, "
            f"the enclosure {other.str(30)}"
        )


def _tight(formula: arb, other: arb, digits: int) -> None:
    for ball in (formula, other):
        absolute = ball.is_finite() and ball.abs_upper() < arb(10) ** (2 - digits)
        if not absolute and relative_error(ball) > 10.0 ** (3 - digits):
            raise NotEnclosed(f"a comparison to {digits} digits needs a tighter ball than {ball.str(10)}")
