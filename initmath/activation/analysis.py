"""Parity, homogeneity and constancy, proven from the pieces of an activation.

A few sample points disprove quickly; only what survives them is worth an exact proof, and only a proof
counts.
"""

from __future__ import annotations

import math
from typing import Any

from sympy import Integer, Pow, S, expand, oo, together
from sympy import exp as sympy_exp

from initmath.activation.floats import SAMPLES, compile_floats
from initmath.piecewise import Piece, PiecewiseSmooth, sign_of

__all__ = ["homogeneity_degree", "is_constant", "parity", "sample_function"]


def sample_function(pieces: PiecewiseSmooth) -> Any:
    """Return g as a float function, with generic numbers for the parameters."""
    x = pieces.variable
    symbols: set[Any] = set()
    for piece in pieces.pieces:
        symbols |= piece.expr.free_symbols | piece.lower.free_symbols | piece.upper.free_symbols
    parameters = sorted(symbols - {x}, key=lambda s: s.name)
    values = [0.37 + 0.41 * k for k in range(1, len(parameters) + 1)]
    parts = [
        (compile_floats(piece.upper, tuple(parameters))(*values) if piece.upper != oo else math.inf)
        for piece in pieces.pieces
    ]
    functions = [compile_floats(piece.expr, (x, *parameters)) for piece in pieces.pieces]

    def evaluate(point: float) -> Any:
        for upper, function in zip(parts, functions, strict=True):
            if point < upper:
                return function(point, *values)
        return functions[-1](point, *values)

    return evaluate


def is_zero(expr: Any, x: Any = None) -> bool:
    """Prove that an expression vanishes identically (False: not proven)."""
    if expr == 0:
        return True
    if expand(expr) == 0:
        return True
    if expand(_numerator(expr)) == 0:
        return True
    if x is None or x not in expr.free_symbols:
        return False
    # constant, and zero at one point
    return bool(expand(_numerator(expr.diff(x))) == 0 and sign_of(expr.subs(x, 0)) == 0)


def _numerator(expr: Any) -> Any:
    return together(expr.rewrite(sympy_exp)).as_numer_denom()[0]


def parity(pieces: PiecewiseSmooth) -> str:
    """Return ``"odd"`` or ``"even"`` if it is proven from the pieces, else ``"none"``."""
    evaluate = sample_function(pieces)
    candidates = {"odd": 1, "even": -1}
    for point in (abs(p) for p in SAMPLES):
        left, right = evaluate(-point), evaluate(point)
        if isinstance(left, complex) or isinstance(right, complex) or not math.isfinite(left * right):
            continue
        scale = abs(left) + abs(right)
        candidates = {k: s for k, s in candidates.items() if abs(right + s * left) <= 1e-9 * scale + 1e-300}
        if not candidates:
            return "none"
    x = pieces.variable
    mirrored = [Piece(-p.upper, -p.lower, p.expr.subs(x, -x)) for p in reversed(pieces.pieces)]
    for name, orientation in candidates.items():
        if all(
            (here.lower == there.lower or is_zero(here.lower - there.lower))
            and is_zero(here.expr + orientation * there.expr, x)
            for here, there in zip(pieces.pieces, mirrored, strict=True)
        ):
            return name
    return "none"


def homogeneity_degree(pieces: PiecewiseSmooth) -> Any:
    """Return the k with g(λx) = λᵏ g(x) for every λ > 0, or None."""
    x = pieces.variable
    if any(point != 0 for point in pieces.breakpoints):
        return None
    degrees = set()
    for piece in pieces.pieces:
        expr = piece.expr if piece.upper == oo else piece.expr.subs(x, -x)
        if expr == 0:
            continue
        degrees.add(_monomial_degree(expr, x))
        if piece.lower == -oo and piece.upper == oo:
            degrees.add(_monomial_degree(piece.expr.subs(x, -x), x))
    return degrees.pop() if len(degrees) == 1 else None


def _monomial_degree(expr: Any, x: Any) -> Any:
    """Return k if the expression is c·xᵏ, else None."""
    for form in (expr, expand(expr)):
        _, power = form.as_independent(x, as_Add=False)
        if power == 1:
            return S.Zero
        if power == x:
            return Integer(1)
        if isinstance(power, Pow) and power.base == x and x not in power.exp.free_symbols:
            return power.exp
    return None


def is_constant(pieces: PiecewiseSmooth) -> bool:
    """Tell whether g is one constant almost everywhere."""
    x = pieces.variable
    values = {piece.expr for piece in pieces.pieces}
    if all(x not in value.free_symbols for value in values):
        first, *others = values
        return all(is_zero(first - other) for other in others)
    evaluate = sample_function(pieces)
    seen = [v for v in map(evaluate, SAMPLES) if not isinstance(v, complex) and math.isfinite(v)]
    if not seen or max(seen) - min(seen) > 1e-11 * max(map(abs, seen)):
        return False
    from sympy import simplify

    return len({simplify(value) for value in values}) == 1 and all(simplify(v.diff(x)) == 0 for v in values)
