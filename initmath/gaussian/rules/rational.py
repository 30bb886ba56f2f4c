"""RATIONAL: a pole on the other side of a half-line, by the Goodwin–Staton integral."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from sympy import Add, Ei, S, binomial, erfi, exp, expand, pi, sqrt

from initmath.derivation import Declined, Step
from initmath.gaussian.atoms import only_atom
from initmath.gaussian.references import GOODWIN
from initmath.integral import GaussianIntegral

__all__ = ["apply"]

NAME = "rational"


def apply(node: GaussianIntegral) -> Step | Declined:
    """E[xⁿ (c + x)^{−m} θ(x)] with c > 0, and its mirror image.

    Examples
    --------
    >>> from sympy import Heaviside
    >>> from initmath.integral import GaussianIntegral, q, x
    >>> from initmath.gaussian.rules.rational import apply
    >>> step = apply(GaussianIntegral(Heaviside(x) / (1 + x) ** 2, x, 0, q))
    >>> step.after
    E[Heaviside(x)/(x + 1); x ~ N(0, q)]/q - 1/(2*q) + sqrt(2)/(2*sqrt(pi)*sqrt(q))
    """
    if len(node.variables) != 1 or node.mean[0] != 0:
        return Declined(NAME, "only about mean zero in one dimension")
    atom = only_atom(node)
    if atom is None or atom.kernel.rest == 1:
        return Declined(NAME, "there is no pole")
    (x,), s = node.variables, node.covariance[0][0]
    kernel = atom.kernel
    if kernel != replace(kernel, quadratic=None, linear=None, wave=None) or len(kernel.factors) != 1:
        return Declined(NAME, "a pole beside an exponential or a wave, or not on a half-line")
    (factor,) = kernel.factors
    if not factor.hard or factor.offset != 0:
        return Declined(NAME, "a half-line that does not start at the centre")
    side = S.One if factor.slope[0].is_positive else S.NegativeOne
    pole = _pole(kernel.rest, x, side)
    if pole is None:
        return Declined(NAME, "the other factor is not a negative integer power of c + x with c > 0")
    scale, c, order = pole
    # u = side·x runs over (0, ∞); write the polynomial in y = u + c
    powers: dict[int, Any] = {}
    for (p,), a in atom.polynomial.items():
        for j in range(p + 1):
            key = j - order
            powers[key] = powers.get(key, S.Zero) + scale * a * side**p * binomial(p, j) * (-c) ** (p - j)
    if powers.keys() == {-1}:
        z = c / sqrt(2 * s)
        value = exp(-(c**2) / (2 * s)) * (pi * erfi(z) - Ei(c**2 / (2 * s))) / (2 * sqrt(2 * pi * s))
        return Step(
            NAME,
            node,
            powers[-1] * value,
            "Goodwin–Staton integral: ∫₀^∞ e^(−t²)/(t + z) dt = ½ e^(−z²) (π erfi z − Ei "
            "z²), with z = c/√(2q)",
            (),
            (GOODWIN,),
        )
    constant, weight = S.Zero, S.Zero
    for key, a in powers.items():
        k, w = _ladder(key, c, s)
        constant += a * k
        weight += a * w
    f = kernel.factors[0].as_expr((x,)) / (c + side * x)
    after = expand(constant) + expand(weight) * node.func(f, node.variables, node.mean, node.covariance)
    return Step(
        NAME,
        node,
        Add(after),
        "Divide by y = c + x, then lower the order of the pole by parts: with R_m = E[y^(−m) θ(x)], "
        "(m − 1) R_m = c^(1−m)/√(2πq) − (R_(m−2) − c R_(m−1))/q",
        (),
        (GOODWIN,),
    )


def _pole(rest: Any, x: Any, side: Any) -> tuple[Any, Any, int] | None:
    base, exponent = rest.as_base_exp()
    if not (exponent.is_Integer and exponent < 0):
        return None
    constant, linear = base.as_independent(x, as_Add=True)
    slope, variable = linear.as_independent(x, as_Add=False)
    if variable != x:
        return None
    slope = slope * side
    c = constant / slope
    return (slope**exponent, c, -int(exponent)) if c.is_positive else None


@lru_cache(maxsize=256)
def _ladder(power: int, c: Any, s: Any) -> tuple[Any, Any]:
    """E[(c + x)^power θ(x)] = constant + weight · E[θ(x)/(c + x)]."""
    if power == -1:
        return S.Zero, S.One
    if power == 0:
        return S.One / 2, S.Zero
    if power > 0:
        # y^k = y^{k-1} (x + c); E[x y^{k−1} θ] = q (c^{k−1} φ(0) + (k−1) E[y^{k−2} θ])
        first = _ladder(power - 1, c, s)
        second = _ladder(power - 2, c, s) if power > 1 else (S.Zero, S.Zero)
        boundary = s * c ** (power - 1) / sqrt(2 * pi * s)
        return (
            expand(c * first[0] + boundary + s * (power - 1) * second[0]),
            expand(c * first[1] + s * (power - 1) * second[1]),
        )
    m = -power
    one, two = _ladder(1 - m, c, s), _ladder(2 - m, c, s)
    boundary = c ** (1 - m) / sqrt(2 * pi * s)
    return (
        expand((boundary - (two[0] - c * one[0]) / s) / (m - 1)),
        expand(-(two[1] - c * one[1]) / s / (m - 1)),
    )
