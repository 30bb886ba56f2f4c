"""The meeting of two routes: a closed form is shown only where an independent enclosure agrees with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from flint import arb
from sympy import Heaviside, KroneckerDelta, Piecewise, Rational, ceiling, floor, sign
from sympy.core.relational import Relational

from initmath.balls import evaluate_to, relative_error
from initmath.errors import Disagreement, Divergent, NotEnclosed
from initmath.integral import q
from initmath.moments.enclosed import enclosed, enclosed_slope
from initmath.moments.integrands import parameter_values

__all__ = [
    "CHECK_Q",
    "Agreement",
    "compare",
    "compare_slope",
    "confirm",
    "overlapping",
    "refuse_unless_analytic",
]

CHECK_Q = (Rational(3, 10), Rational(17, 5), Rational(1, 1009), Rational(41))
"""Where every closed form is compared, besides the q that is asked for."""

CHECK_DIGITS = 20

RANDOM_PARAMETERS = 2


@dataclass(frozen=True, slots=True)
class Agreement:
    """Where a closed form was compared with the enclosure, and why not where it was not."""

    compared: int
    reason: str = ""


def refuse_unless_analytic(activation: Any, name: str, value: Any) -> None:
    """Refuse a closed form that decides by cases in q.

    An expectation E f(√q z) is analytic in q > 0; agreement at a few points says something about all others
    only if the closed form is, too.  A case distinction could hide an error at a single q.

    Raises
    ------
    Disagreement
    """
    for node in value.atoms(Piecewise, Relational, KroneckerDelta, Heaviside, sign, floor, ceiling):
        if q in node.free_symbols:
            raise Disagreement(
                f"{name} of {activation.name}: the closed form decides by cases in q ({node}), "
                "which no Gaussian expectation does"
            )


def admissible_values(activation: Any, name: str) -> list[dict[Any, Any]]:
    """Return the parameter values of a comparison: those shown, then random ones near and far from them.

    Random, but the same in every run: the generator is seeded with the question.
    """
    shown = parameter_values(activation)
    if not shown:
        return [{}]
    chance = Random(f"{activation.name} {activation.expr} {name}")
    sets = [shown]
    for _ in range(RANDOM_PARAMETERS):
        sets.append({symbol: Rational(chance.randint(40, 2500), 1000) for symbol in shown})
    return sets


def confirm(activation: Any, name: str, value: Any) -> Agreement:
    """Compare a closed form with the enclosure at fixed q and at random values of the symbolic parameters.

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
    sets = admissible_values(activation, name)
    for index, at in enumerate(CHECK_Q):
        for values in sets if index < 2 else sets[:1]:
            try:
                compare(activation, name, value, at, CHECK_DIGITS, values)
                compared += 1
            except Divergent:
                continue
            except NotEnclosed as error:
                reasons.append(str(error))
    return Agreement(compared, reasons[0] if reasons else "")


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
