"""From the constants to the activation ĝ, and the check that the conditions hold for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flint import arb
from sympy import Function, Rational

from initmath.activation import Activation, Parameter, resolve
from initmath.balls import bits, evaluate, working_precision
from initmath.derivation import Number, Status
from initmath.errors import Disagreement, Divergent, NotEnclosed
from initmath.integral import x
from initmath.transformation.conditions import CONDITIONS, FREE
from initmath.transformation.numeric import residuals
from initmath.transformation.problem import Asked, Problem
from initmath.transformation.result import Met, Transformed

__all__ = ["transformed"]

EXTRA_DIGITS = 3
"""Digits of a rounded constant beyond the ones that are shown."""

EXACT_PROOF = "the equations solved in closed form; the conditions checked by certified quadrature"
FORMULA_PROOF = "the solution's formula on certified moments; the conditions checked by certified quadrature"


def transformed(problem: Problem, label: str, values: dict[str, Number], proof: str | None) -> Transformed:
    """Make ĝ from the solution's numbers and check it.

    Raises
    ------
    Disagreement
        If a condition is certainly missed by more than the rounding of the constants explains.
    """
    exact = {name: _constant(number) for name, number in values.items()}
    every = {**problem.fixed, **{name: value for name, value in exact.items() if name in FREE}}
    activation = _activation(problem, label, every, {n: exact[n] for n in problem.own})
    point = {name: _point(value, problem.digits) for name, value in exact.items()}
    met = _check(problem, point, values)
    if proof is None:
        closed = all(number.status is Status.EXACT for number in values.values())
        proof = EXACT_PROOF if closed else FORMULA_PROOF
    numbers = {name: values.get(name) or _given(every[name], problem.digits) for name in FREE}
    return Transformed(
        activation,
        numbers["input_scale"],
        numbers["input_shift"],
        numbers["output_scale"],
        numbers["output_shift"],
        tuple((name, values[name]) for name in problem.own),
        met,
        _diagnostic(problem, "slope", point),
        _diagnostic(problem, "length_slope", point),
        proof,
    )


def _constant(number: Number) -> Any:
    """Return the exact constant, or its decimal rounding."""
    # A form that SymPy cannot evaluate (logistic_L) would be no constant for NumPy.
    if _kept(number):
        return number.closed_form
    digits = number.digits + EXTRA_DIGITS
    with working_precision(bits(digits + 5)):
        return Rational(arb(number.ball.mid()).str(digits, radius=False))


def _kept(number: Number) -> bool:
    """Whether the closed form itself goes into the activation."""
    form = number.closed_form if number.status is Status.EXACT else None
    # Each function by itself: SymPy takes long over a whole nested constant.
    return form is not None and all(f.evalf(20).is_Number for f in form.atoms(Function))


def _given(value: Any, digits: int) -> Number:
    return Number(Status.EXACT, evaluate(value, {}, bits(digits + 5)), value, "as given", digits)


def _point(value: Any, digits: int) -> arb:
    with working_precision(bits(digits + 30)):
        return evaluate(value, {}, bits(digits + 30))


def _activation(problem: Problem, label: str, outer: dict[str, Any], own: dict[str, Any]) -> Activation:
    """Write γ·(g(αx + β) + δ), leaving out what does nothing; the constants are its parameters."""
    base = problem.activation
    base = resolve(base, own) if own else base
    generic = base.generic_expr if base.generic_expr is not None else base.expr
    kept = [name for name in FREE if name in problem.free or outer[name] != _NEUTRAL[name]]
    symbols = {name: FREE[name] if name in kept else _NEUTRAL[name] for name in FREE}

    def written(expr: Any, constants: dict[str, Any]) -> Any:
        place = constants["input_scale"] * x + constants["input_shift"]
        moved = expr if place == x else expr.subs(x, place)
        return constants["output_scale"] * (moved + constants["output_shift"])

    parameters = tuple(
        Parameter(
            name, outer[name], _NEUTRAL_DEFAULT.get(name), "positive" if FREE[name].is_positive else "real"
        )
        for name in kept
    )
    return Activation(
        f"{label}({base.name})",
        written(base.expr, outer),
        (*base.parameters, *parameters),
        base.references,
        generic_expr=written(generic, symbols),
    )


_NEUTRAL: dict[str, Any] = {
    "input_scale": Rational(1),
    "input_shift": Rational(0),
    "output_scale": Rational(1),
    "output_shift": Rational(0),
}
_NEUTRAL_DEFAULT: dict[str, Any] = {}


def _check(problem: Problem, point: dict[str, arb], values: dict[str, Number]) -> tuple[Met, ...]:
    digits = problem.digits
    balls = residuals(problem, point, digits + 5)
    met = []
    closed = all(_kept(number) for number in values.values())
    for asked, ball in zip(problem.asked, balls, strict=True):
        # Rounded constants miss by a little; a closed form by nothing at all.
        allowed = arb(0) if closed else arb(10) ** -max(1, digits // 2)
        if not abs(ball).lower() <= allowed:
            raise Disagreement(
                f"{asked.condition.name}: the solution misses {asked.condition.equation} by {ball.str(5)}"
            )
        number = Number(Status.NUMERIC, ball, None, "certified quadrature of ĝ", 3)
        c = asked.condition
        met.append(Met(c.name, c.equation, asked.target, number, c.source))
    return tuple(met)


def _diagnostic(problem: Problem, name: str, point: dict[str, arb]) -> Number | None:
    """Enclose E ĝ'² or Q'(q); None where it is infinite, or was not enclosed."""
    c = CONDITIONS[name]
    if c.continuous and problem.activation.jumps:
        return None
    other = replace(problem, asked=(Asked(c, Rational(0)),))
    try:
        (ball,) = residuals(other, point, problem.digits + 3)
    except (Divergent, NotEnclosed):
        return None
    return Number(Status.NUMERIC, ball, None, "certified quadrature of ĝ", problem.digits)
