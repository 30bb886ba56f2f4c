"""Two pre-activations: their law, as exact numbers and as symbols, and what is asked about them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sympy import Rational, S, Symbol, sqrt

from initmath.integral import GaussianIntegral, x
from initmath.piecewise import PiecewiseSmooth

__all__ = ["KINDS", "Pair", "c", "function", "problem", "q1", "q2"]

KINDS = ("kernel", "derivative_kernel")
"""E g(y₁) g(y₂), and E g′(y₁) g′(y₂) (the almost-everywhere part)."""

q1 = Symbol("q_1", positive=True)
"""Var y₁."""

q2 = Symbol("q_2", positive=True)
"""Var y₂."""

c = Symbol("c", real=True)
"""The correlation of y₁ and y₂, −1 ≤ c ≤ 1."""

_Y1, _Y2 = Symbol("y_1", real=True), Symbol("y_2", real=True)


@dataclass(frozen=True, slots=True)
class Pair:
    """(y₁, y₂) ~ N(0, [[q₁, c√(q₁q₂)], [c√(q₁q₂), q₂]]), in exact numbers.

    Attributes
    ----------
    q1, q2 : Rational
        Variances, > 0.
    c : Rational
        Correlation, −1 ≤ c ≤ 1.
    """

    q1: Any
    q2: Any
    c: Any

    @property
    def values(self) -> dict[Any, Any]:
        """From the symbols of a closed form to these numbers."""
        return {q1: self.q1, q2: self.q2, c: self.c}

    @property
    def proportional(self) -> bool:
        """Whether |c| = 1: y₂ = ±√(q₂/q₁) y₁, one variable."""
        return bool(abs(self.c) == 1)

    def __str__(self) -> str:
        """Name the point."""
        return f"q1 = {self.q1}, q2 = {self.q2}, c = {self.c}"


def function(activation: Any, kind: str) -> PiecewiseSmooth:
    """Return g, or g′ almost everywhere."""
    found: PiecewiseSmooth = activation.pieces if kind == "kernel" else activation.derivative
    return found


@lru_cache(maxsize=512)
def problem(activation: Any, kind: str, pair: Pair | None = None) -> Any:
    """Return the question as an inert Gaussian integral in two variables.

    With a pair whose variables are proportional the integral has one variable.
    """
    body = activation.expr if kind == "kernel" else function(activation, kind).as_expr()
    if pair is not None and pair.proportional:
        ratio = pair.c * sqrt(Rational(pair.q2) / pair.q1)
        return GaussianIntegral(body * body.subs(x, ratio * x), x, S.Zero, pair.q1)
    covariance = c * sqrt(q1) * sqrt(q2)
    both = body.xreplace({x: _Y1}) * body.xreplace({x: _Y2})
    return GaussianIntegral(both, (_Y1, _Y2), (S.Zero, S.Zero), ((q1, covariance), (covariance, q2)))
