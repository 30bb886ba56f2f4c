"""Numbers that the arguments speak of, certified: a variance followed through the layers, fixed points."""

from __future__ import annotations

from typing import Any

from sympy import sympify

from initmath.balls import bits, evaluate, working_precision
from initmath.derivation import Number, Status

__all__ = ["enclosed", "fixed_point", "orbit"]

DIGITS = 25


def enclosed(ball: Any, method: str) -> Number:
    """Return a certified ball as a Number with fifteen digits to show."""
    return Number(Status.NUMERIC, ball, None, method, 15)


def orbit(activation: str, sigma_w2: Any, first: Any, layers: int) -> tuple[tuple[Number, Number], ...]:
    """Follow a network of infinite width: (q, Var g) of layers 1, 2, …, where layer 1 has q = ``first``.

    The next q is σ_w² E g(√q z)²; every number is an enclosure.
    """
    from initmath import moments
    from initmath.activation import resolve

    g = resolve(activation)
    found = []
    with working_precision(bits(DIGITS)):
        factor, q = (evaluate(sympify(a), {}, bits(DIGITS)) for a in (sigma_w2, first))
        for _ in range(layers):
            square = moments.ball(g, "second_moment", q, DIGITS)
            mean = moments.ball(g, "mean", q, DIGITS)
            method = "certified moments, layer by layer"
            found.append((enclosed(q, method), enclosed(square - mean**2, method)))
            q = factor * square
    return tuple(found)


def fixed_point(activation: str, sigma_w2: Any) -> tuple[Number, Number, Number]:
    """Return q*, Var g there and χ₁ of the only stable fixed point without biases."""
    from initmath import mean_field, moments
    from initmath.activation import resolve

    found = mean_field(activation, sigma_w2=sigma_w2, sigma_b2=0).fixed_points
    (point,) = (each for each in found if each.stability == "stable")
    with working_precision(bits(DIGITS)):
        q = point.q_star.ball
        g = resolve(activation)
        variance = q / evaluate(sympify(sigma_w2), {}, bits(DIGITS)) - moments.ball(g, "mean", q, DIGITS) ** 2
    return point.q_star, enclosed(variance, "q*/σ_w² less the squared mean"), point.chi_1
