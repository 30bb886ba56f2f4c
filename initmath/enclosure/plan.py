"""What is known of the integrand once, for every q and precision: parity, stable form, singular points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sympy import Poly, Pow, S, cos, cosh, cot, coth, csc, csch, sin, sinh, tan

from initmath.balls.removable import fill_removable, vanishing_denominators
from initmath.balls.stable import stabilise
from initmath.piecewise import Piece, PiecewiseSmooth

__all__ = ["Plan", "plan"]


@dataclass(frozen=True)
class Plan:
    """An integrand made ready for ball arithmetic.

    Attributes
    ----------
    pieces : tuple of Piece
        In stable form, removable singularities filled in.
    parity : int
        +1 even, −1 odd, 0 neither or not recognised.
    """

    variable: Any
    pieces: tuple[Piece, ...]
    parity: int


@lru_cache(maxsize=1024)
def plan(f: PiecewiseSmooth) -> Plan:
    """Prepare an integrand.

    Raises
    ------
    Divergent
        A true pole lies inside a piece.

    Examples
    --------
    >>> from sympy import tanh
    >>> from initmath.integral import x
    >>> plan(PiecewiseSmooth.from_expr(x * tanh(x), x)).parity
    1
    """
    x = f.variable
    return Plan(x, tuple(Piece(p.lower, p.upper, _prepared(p, x)) for p in f.pieces), _parity(f))


def _parity(f: PiecewiseSmooth) -> int:
    """Mirror the pieces and compare them as expressions, without simplifying: a parity may be missed."""
    for sign in (1, -1):
        pairs = zip(f.pieces, reversed(f.pieces), strict=True)
        if all(_mirrors(left, right, f.variable, sign) for left, right in pairs):
            return sign
    return 0


def _mirrors(left: Piece, right: Piece, x: Any, sign: int) -> bool:
    if left.lower != -right.upper or left.upper != -right.lower:
        return False
    return bool(sign * left.expr.subs(x, -x) == right.expr)


def _prepared(piece: Piece, x: Any) -> Any:
    expr = piece.expr
    if expr.has(tan, cot, csc, coth, csch):
        # As quotients of entire functions, so that the zeros of the denominators show.
        expr = expr.replace(tan, lambda u: sin(u) / cos(u)).replace(cot, lambda u: cos(u) / sin(u))
        expr = expr.replace(csc, lambda u: 1 / sin(u)).replace(csch, lambda u: 1 / sinh(u))
        expr = expr.replace(coth, lambda u: cosh(u) / sinh(u))
    for point in _candidates(expr, x):
        inside = (piece.lower < point) is S.true and (point < piece.upper) is S.true
        if inside and vanishing_denominators(expr, x, point):
            expr = fill_removable(expr, x, point)
    return stabilise(expr)


def _candidates(expr: Any, x: Any) -> list[Any]:
    """Exact points where a denominator may vanish: zero, and rational zeros of polynomial denominators."""
    points = [S.Zero]
    for power in expr.atoms(Pow):
        base = power.base
        negative = power.exp.is_Integer and power.exp.is_negative
        if negative and base.free_symbols == {x} and base.is_polynomial(x):
            points += [root for root in Poly(base, x).ground_roots() if root not in points]
    return points
