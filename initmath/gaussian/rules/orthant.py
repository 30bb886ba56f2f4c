r"""ORTHANT: products of Φ's and indicators are probabilities that a few normal variables are all positive.

Φ(l·x + d) = P(W < l·x + d) with W standard normal and independent of x, and 1(x > c) is the same
with W = 0.  So the expectation of a product of k such factors is P(U₁ > 0, …, U_k > 0) with U =
l·x + d − W normal.
"""

from __future__ import annotations

from typing import Any

from sympy import Add, Rational, S, asin, cos, erfi, exp, pi, sin, sqrt

from initmath.derivation import Declined, Step
from initmath.gaussian.atoms import Factor, only_atom
from initmath.gaussian.law import bilinear
from initmath.gaussian.references import DAVID, OWEN, SHEPPARD, TONG
from initmath.integral import GaussianIntegral, Phi
from initmath.piecewise import sign_of

__all__ = ["apply"]

NAME = "orthant"


def apply(node: GaussianIntegral) -> Step | Declined:
    """One factor: Φ(h); two: ¼ + asin ρ/2π or Owen's T; three about the mean: ⅛ + Σ asin ρ/4π.

    Examples
    --------
    >>> from initmath.integral import GaussianIntegral, Phi, q, x
    >>> from initmath.gaussian.rules.orthant import apply
    >>> apply(GaussianIntegral(Phi(x) ** 2, x, 0, q)).after
    asin(q/(q + 1))/(2*pi) + 1/4
    """
    atom = only_atom(node)
    if atom is None:
        return Declined(NAME, "several kernels: expand first")
    kernel = atom.kernel
    if kernel.tilts or kernel.rest != 1 or atom.degree or not kernel.factors:
        return Declined(NAME, "the integrand is not a product of Φ's and indicators alone")
    ((constant,),) = (tuple(atom.polynomial.values()),)
    factors = kernel.factors
    if kernel.wave is not None:
        found = _with_wave(node, factors, kernel.wave)
        if isinstance(found, Declined):
            return found
        return Step(
            NAME,
            node,
            constant * found,
            "Multiply the wave by the normal density: the mean becomes iωS, and Φ at i·t is "
            "½ + (i/2) erfi(t/√2)",
            (),
            (TONG,),
        )
    mean = [f.offset + sum((a * m for a, m in zip(f.slope, node.mean, strict=True)), S.Zero) for f in factors]
    spread = [_variance(f, node) for f in factors]
    if len(factors) == 1:
        after = constant * Phi(_height(mean[0], spread[0]))
        return Step(NAME, node, after, _REASON[1], (), (TONG,))
    if len(factors) == 2:
        value = _two(mean, spread, _correlation(factors[0], factors[1], spread[0], spread[1], node))
        sources = (SHEPPARD,) if mean == [0, 0] else (OWEN,)
        return Step(NAME, node, constant * value, _REASON[2] if mean == [0, 0] else _REASON[0], (), sources)
    if len(factors) == 3 and mean == [0, 0, 0]:
        pairs = ((0, 1), (0, 2), (1, 2))
        angles = [asin(_correlation(factors[i], factors[j], spread[i], spread[j], node)) for i, j in pairs]
        after = constant * (Rational(1, 8) + sum(angles, S.Zero) / (4 * pi))
        return Step(NAME, node, after, _REASON[3], (), (DAVID,))
    return Declined(
        NAME, f"an orthant probability in {len(factors)} dimensions has no closed form known here"
    )


_REASON = {
    0: "Both factors are probabilities, so this is P(U₁ > 0, U₂ > 0) for two correlated "
    "normals whose means are not "
    "zero: Owen's T function gives it, or Φ₂ itself where the signs of the thresholds are not known",
    1: "Φ(lx + d) is P(W < lx + d) with W an independent normal (an indicator has W = "
    "0), so the expectation is the "
    "probability that one normal variable is positive",
    2: "Each factor is a probability given x, so this is P(U₁ > 0, U₂ > 0) for two "
    "normals of mean 0 and correlation "
    "ρ: a quadrant, ¼ + asin(ρ)/(2π)",
    3: "Three normals of mean 0 are all positive with probability ⅛ + (asin ρ₁₂ + asin ρ₁₃ + asin ρ₂₃)/(4π)",
}


def _variance(factor: Factor, node: GaussianIntegral) -> Any:
    value = bilinear(factor.slope, node.covariance, factor.slope)
    return value if factor.hard else _one_plus(value)


def _one_plus(value: Any) -> Any:
    """1 + n/d as one fraction, so that square roots of it cancel."""
    numerator, denominator = value.as_numer_denom()
    return 1 + value if denominator == 1 else (denominator + numerator) / denominator


def _height(mean: Any, variance: Any) -> Any:
    return S.Zero if mean == 0 else mean / _root(variance)


def _root(variance: Any) -> Any:
    numerator, denominator = variance.as_numer_denom()
    return sqrt(numerator) / sqrt(denominator)


def _correlation(a: Factor, b: Factor, variance_a: Any, variance_b: Any, node: GaussianIntegral) -> Any:
    covariance = bilinear(a.slope, node.covariance, b.slope)
    if variance_a == variance_b:
        numerator, denominator = covariance.as_numer_denom()
        top, bottom = variance_a.as_numer_denom()
        return numerator * bottom / (denominator * top)
    return covariance / (_root(variance_a) * _root(variance_b))


def _two(mean: list[Any], variance: list[Any], rho: Any) -> Any:
    """P(U₁ > 0, U₂ > 0)."""
    if mean == [0, 0]:
        return Rational(1, 4) + asin(rho) / (2 * pi)
    from initmath.gaussian.special import owens_t
    from initmath.gaussian.special_bivariate import Phi2

    h, k = _height(mean[0], variance[0]), _height(mean[1], variance[1])
    slant = sqrt(1 - rho**2)
    if h == k:
        return Phi(h) - 2 * owens_t(h, sqrt((1 - rho) / (1 + rho)))
    if h == 0 or k == 0:
        k = k if h == 0 else h
        return Phi(k) / 2 + owens_t(k, rho / slant)
    sign_h, sign_k = sign_of(h), sign_of(k)
    if sign_h is None or sign_k is None:
        # Owen's formula goes by the signs; the distribution function itself does not.
        return Phi2(h, k, rho)
    a = (k / h - rho) / slant
    b = (h / k - rho) / slant
    correction = S.Zero if sign_h * sign_k > 0 else Rational(1, 2)
    return (Phi(h) + Phi(k)) / 2 - owens_t(h, a) - owens_t(k, b) - correction


def _with_wave(node: GaussianIntegral, factors: tuple[Factor, ...], wave: Any) -> Any:
    """E[cos(ωx + φ) H] for one factor H about the mean."""
    if len(factors) != 1:
        return Declined(NAME, "a wave beside two indicators needs a complex orthant")
    (factor,) = factors
    function, frequency, phase = wave
    centre = factor.offset + sum((a * m for a, m in zip(factor.slope, node.mean, strict=True)), S.Zero)
    if centre != 0:
        return Declined(NAME, "a wave on a shifted half-line needs erf of a complex number")
    t = bilinear(factor.slope, node.covariance, frequency) / _root(_variance(factor, node))
    angle = Add(phase, *(w * m for w, m in zip(frequency, node.mean, strict=True)))
    real, unreal = Rational(1, 2), erfi(t / sqrt(2)) / 2
    damping = exp(-bilinear(frequency, node.covariance, frequency) / 2)
    if function is cos:
        return damping * (real * cos(angle) - unreal * sin(angle))
    return damping * (real * sin(angle) + unreal * cos(angle))
