r"""An activation near 0: its one-sided Taylor series, exact, and a proven bound of what they leave out.

For y ~ N(0, q), small q sees only the two series

.. math:: g(\pm t) = \sum_{k=0}^{n} a_k^{\pm} t^k + r_{\pm}(t), \qquad t \ge 0,

so E g² has an expansion in √q, whether 0 is a kink or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import acb, arb
from sympy import Rational, gamma, oo, pi, sqrt

from initmath.balls import compile_ball, evaluate, working_precision
from initmath.errors import NotEnclosed
from initmath.integral import x
from initmath.moments.algebra import is_zero
from initmath.solving.arithmetic import proven_positive
from initmath.taylor import NotAnalytic, taylor_coefficients

__all__ = [
    "Model",
    "absolute_moment",
    "coefficients_at_zero",
    "models_at_zero",
    "reach",
    "sides",
    "sign_of_constant",
]

PREC = 100

ENOUGH, DEEPEST = 4, 7
"""The disc around 0 is covered by squares of side ρ 2^{2-depth}, halved until g is seen to be analytic."""


def absolute_moment(k: int) -> Any:
    """Return E|z|^k = 2^{k/2} Γ((k+1)/2)/√π, exactly.

    Examples
    --------
    >>> absolute_moment(4), absolute_moment(1)
    (3, sqrt(2)/sqrt(pi))
    """
    return sqrt(2) ** k * gamma(Rational(k + 1, 2)) / sqrt(pi)


def sign_of_constant(expr: Any, values: dict[Any, Any]) -> int | None:
    """Return −1, 0 or 1 if that is proven, else None."""
    if is_zero(expr):
        return 0
    try:
        return 1 if proven_positive(expr, values) else -1
    except (NotEnclosed, ZeroDivisionError):
        return None


def sides(activation: Any, values: dict[Any, Any]) -> tuple[Any, Any]:
    """Return the expressions of g(t) and g(−t), t > 0 small."""
    pieces = activation.pieces.subs(values) if values else activation.pieces
    right: Any = None
    left: Any = None
    for piece in pieces.pieces:
        if right is None and (piece.upper == oo or sign_of_constant(piece.upper, {}) == 1):
            right = piece.expr
        if piece.lower == -oo or sign_of_constant(piece.lower, {}) == -1:
            left = piece.expr
    return right, left.subs(x, -x)


def reach(activation: Any, values: dict[Any, Any]) -> Any:
    """Return the distance from 0 of the nearest other breakpoint, or ∞."""
    distances = [abs(point.subs(values)) for point in activation.pieces.breakpoints]
    return min((d for d in distances if d != 0), default=oo)


def coefficients_at_zero(
    activation: Any, order: int, values: dict[Any, Any] | None = None
) -> tuple[list[Any], list[Any]] | None:
    """Return the exact Taylor coefficients of g(t) and of g(−t) in t ≥ 0; None where there are none.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> coefficients_at_zero(resolve("elu"), 2)
    ([0, 1, 0], [0, -1, 1/2])
    """
    right, left = sides(activation, values or {})
    try:
        return taylor_coefficients(right, x, order), taylor_coefficients(left, x, order)
    except NotAnalytic:
        return None


@dataclass(frozen=True, slots=True)
class Model:
    """g(±t) = Σ exact[k] t^k + r, |r| ≤ rest·t^{n+1} and |r'| ≤ slope_rest·t^n on 0 ≤ t ≤ radius.

    Attributes
    ----------
    exact : tuple of Expr
    radius, rest, slope_rest : arb
    """

    exact: tuple[Any, ...]
    radius: arb
    rest: arb
    slope_rest: arb


def models_at_zero(activation: Any, order: int, values: dict[Any, Any]) -> tuple[Model, Model] | None:
    """Return both one-sided Taylor models on a common radius, or None.

    If g is analytic on |z| ≤ ρ and |g| ≤ S there, Cauchy's estimate |a_k| ≤ S ρ^{-k} bounds the rest for t ≤
    R = ρ/3 by S (t/ρ)^{n+1}/(1 − R/ρ), and its derivative by S (n+1) ρ^{-n-1} t^n/(1 − R/ρ)².
    """
    found = coefficients_at_zero(activation, order, values)
    if found is None:
        return None
    nearest = reach(activation, values)
    with working_precision(PREC):
        limit = arb(4) if nearest == oo else evaluate(nearest, {}, PREC).lower()
        for halvings in range(-1, 5):
            rho = arb(2) ** -halvings
            radius = (rho / 3).min(limit).lower()
            models = []
            for expr, exact in zip(sides(activation, values), found, strict=True):
                size = _largest_on_disc(expr, rho)
                if size is None:
                    break
                ratio = 1 - radius / rho
                power = size / rho ** (order + 1)
                rest, slope = (power / ratio).upper(), (power * (order + 1) / ratio**2).upper()
                models.append(Model(tuple(exact), radius, rest, slope))
            if len(models) == 2:
                return models[0], models[1]
    return None


def _largest_on_disc(expr: Any, rho: arb) -> arb | None:
    """Bound |f| on |z| ≤ ρ, if f is analytic there; None if that was not seen."""
    if x not in expr.free_symbols:
        return abs(evaluate(expr, {}, PREC)).upper()
    function = compile_ball(expr, x)
    top = arb(0)
    # g is real on the line: the lower half of the disc mirrors the upper one.
    stack = [(arb(side), arb(1), 1) for side in (-1, 1)]
    while stack:
        a, b, depth = stack.pop()  # the square around a + ib with sides 2·2^{1-depth}, in units of ρ
        half = arb(2) ** (1 - depth)
        if (abs(a) - half) ** 2 + (b - half) ** 2 > 1:
            continue
        value = function(
            acb(arb((rho * a).mid(), (rho * half).upper()), arb((rho * b).mid(), (rho * half).upper())), True
        )
        if value.is_finite() and depth > ENOUGH:
            top = top.max(abs(value).upper())
            continue
        if depth > DEEPEST:
            return None
        quarter = half / 2
        stack += [(a + i * quarter, b + j * quarter, depth + 1) for i in (-1, 1) for j in (-1, 1)]
    return top
