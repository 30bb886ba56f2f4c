"""Klambauer et al.: SELU's two constants, from mean 0 and variance 1.

SELU is g(x) = λ x for x > 0 and λ α (eˣ − 1) for x ≤ 0. The two constants are chosen so that a
standard normal input gives an output of mean 0 and variance 1. With weights of mean 0 and N v² = 1
the next layer's input then has variance 1 again.

The mean does not depend on λ except as a factor: E g = 0 fixes α. Then E g² = 1 fixes λ. All
integrals are of eˣ, e²ˣ and powers of x over x < 0, and completing the square, eˣ φ(x) = e^½ φ(x −
1), turns them into values of Φ: P(x < −1) = Φ(−1) = ½ erfc(1/√2) and Φ(−2) = ½ erfc(√2).
"""

from __future__ import annotations

from typing import Any

from sympy import Derivative, Eq, Rational, Symbol, erfc, exp, pi, sqrt

from derivations.literate import Checked, Claim, Erratum, Measured, Paper, at, chain, derived, then
from initmath.derivation import Derivation
from initmath.integral import Phi, q

PAPER = Paper(
    "Klambauer, Unterthiner, Mayr, Hochreiter",
    2017,
    "Self-normalizing neural networks",
    "arXiv:1706.02515",
    "in part",
)

alpha = Symbol("alpha", positive=True)
lam = Symbol("lambda", positive=True)

E1 = exp(Rational(1, 2)) * erfc(1 / sqrt(2))
"""2 e^½ Φ(−1)."""

E2 = exp(2) * erfc(sqrt(2))
"""2 e² Φ(−2)."""

ALPHA = sqrt(2 / pi) / (1 - E1)
LAMBDA = (1 - E1) * sqrt(2 * pi) / sqrt(2 * E2 + pi * E1**2 - 2 * (2 + pi) * E1 + pi + 2)

CLAIM = Claim("appendix A1, eq. (14), the constants α₀₁ and λ₀₁", "λ₀₁.", LAMBDA)


def _elu(moment: str) -> Any:
    """Give a moment of g/λ, which is ELU, in q and α."""
    return derived("elu", moment, alpha="symbol").value


def _slopes() -> tuple[Any, Any]:
    """Give the derivatives of mean and second moment in q at q = 1, for SELU."""
    mean, square = _elu("mean"), _elu("second_moment")
    values = {q: 1, alpha: ALPHA}
    return LAMBDA * mean.diff(q).subs(values), LAMBDA**2 * square.diff(q).subs(values)


def _next(mean: Any, variance: Any) -> tuple[Any, Any]:
    """Give mean and variance of the output for a normal input with any mean and variance."""
    sd = sqrt(variance)
    density = exp(-(mean**2) / variance / 2) / sqrt(2 * pi)
    left = Phi(-mean / sd)
    once = exp(mean + variance / 2) * Phi(-(mean + variance) / sd)
    twice = exp(2 * mean + 2 * variance) * Phi(-(mean + 2 * variance) / sd)
    first = mean * Phi(mean / sd) + sd * density + ALPHA * (once - left)
    second = (mean**2 + variance) * Phi(mean / sd) + mean * sd * density
    second += ALPHA**2 * (twice - 2 * once + left)
    return LAMBDA * first, LAMBDA**2 * (second - first**2)


J12, J22 = _slopes()
LOW = _next(Rational(-1, 100), Rational(19, 25))  # μω = −0.1 · 0.1, ντ = 0.8 · 0.95
HIGH = _next(Rational(1, 100), Rational(33, 20))  # 0.1 · 0.1, 1.5 · 1.1

ALSO = (
    Checked(Claim("section 2", "α₀₁", "1.6733"), ALPHA),
    Checked(Claim("section 2", "λ₀₁", "1.0507"), LAMBDA),
    Checked(Claim("appendix A1, eq. (14)", "α₀₁, closed form", sqrt(2 / pi) / (1 - E1)), ALPHA),
    Checked(Claim("section 2, eq. (6)", "∂mean/∂ν at (0, 1)", "0.088834"), J12),
    Checked(Claim("section 2, eq. (6)", "∂variance/∂ν at (0, 1)", "0.782648"), J22),
    Checked(Claim("section 2", "the spectral norm of that matrix", "0.7877"), sqrt(J12**2 + J22**2)),
    Checked(Claim("theorem 1", "the least mean", "-0.03106"), LOW[0]),
    Checked(Claim("theorem 1", "the largest mean", "0.06773"), HIGH[0]),
)

ERRATA = (
    Erratum(
        "Klambauer et al. 2017, theorem 1 and eq. (6): two printed numbers, taken as exact",
        "the variance stays in [0.80009, 1.48617]; ∂mean/∂ν = 0.088834",
        "Corners of the box have 0.803712 and 1.481575, the extremes on a grid of it; the derivative is "
        "0.088835, rounded.",
        "The variances at the two corners are certified in the table of numbers. The printed ones "
        "combine the extreme "
        "second moments with the largest squared mean, and so are valid bounds. 0.0888348 was cut off, "
        "not rounded. "
        "Neither touches the theorem.",
        "in part",
    ),
)

REMARKS = (
    "Theorem 1 takes μ and ω in [−0.1, 0.1], ν in [0.8, 1.5], τ in [0.95, 1.1]; the next "
    "layer's input then has a mean "
    "μω within ±0.01 and a variance ντ in [0.76, 1.65]. At two corners of this box the "
    "output has the means and "
    "variances in the table. The theorem's bounds for the variance, [0.80009, 1.48617], hold "
    "but are wider: they are "
    "the extreme second moments, the lower one less the largest squared mean.",
    "For an input of mean μ and variance ν, E g has the terms λ (μ Φ(μ/√ν) + √ν φ(μ/√ν)) from the right and "
    "λ α (e^(μ + ν/2) Φ(−(μ + ν)/√ν) − Φ(−μ/√ν)) from the left, by completing the square in e^y; E g² "
    "likewise, with e^(2y): the corners of Theorem 1 are these at its corners.",
    "At mean 0 and variance 1, with weights of sum 0, the mean of the next layer does not "
    "depend on the mean of this "
    "one; the two derivatives by the variance ν form a column of length 0.7877 < 1, so small "
    "deviations shrink.",
    "The gradient is not kept at the same point: χ₁ = E g'² = 1.0716, so that its mean "
    "square grows by 7 % a layer.",
)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Show α from the mean, and the second moment that fixes λ."""
    mean = at(derived("elu", "mean", alpha="symbol"), {q: 1})
    zero = chain(
        Eq(mean.problem, 0),
        *mean.steps,
        then(
            "solve",
            None,
            Eq(alpha, ALPHA),
            "with 2Φ(−1) = erfc(1/√2) this reads α (1 − e^½ erfc(1/√2))/2 = 1/√(2π): divide "
            "by the factor of α.",
        ),
    )
    square = at(derived("elu", "second_moment", alpha="symbol"), {q: 1})
    value = Rational(1, 2) + alpha**2 * (Rational(1, 2) - E1 + E2 / 2)
    second = chain(
        square.problem,
        *square.steps,
        then("error function", None, value, "2Φ(−1) = erfc(1/√2) and 2Φ(−2) = erfc(√2); collect α²."),
    )
    elu_mean, elu_square = _elu("mean"), _elu("second_moment")
    why = "product and chain rule; Φ' = φ, and e^(q/2) φ(√q) = e^(2q) φ(2√q) = 1/√(2π) at every q."
    slope = chain(Derivative(elu_mean, q), then("differentiate", None, elu_mean.diff(q), why))
    steep = chain(Derivative(elu_square, q), then("differentiate", None, elu_square.diff(q), why))
    return (
        ("Mean 0 gives α", zero, "g/λ, which is ELU with α, at q = 1."),
        ("The second moment of g/λ", second, "λ² times this is to be 1."),
        (
            "∂mean/∂ν of g/λ",
            slope,
            "q is the input's variance ν. At q = 1, with α, and times λ, this is the 0.0888 of eq. (6).",
        ),
        (
            "∂(second moment)/∂ν of g/λ",
            steep,
            "At q = 1 and times λ² this is 0.7826: at mean 0 the variance has the same derivative, since "
            "that of the squared mean is 2 · 0 · ∂mean/∂ν.",
        ),
    )


def numbers() -> tuple[Measured, ...]:
    """Give both constants, the Jacobian at (0, 1) and χ₁."""
    slope = _elu("derivative_second_moment")
    return (
        Measured("α", ALPHA, "selu.alpha"),
        Measured("λ", LAMBDA, "selu.lambda"),
        Measured("∂mean/∂ν at (0, 1)", J12, "selu.jac12"),
        Measured("∂variance/∂ν at (0, 1)", J22, "selu.jac22"),
        Measured("spectral norm of the Jacobian at (0, 1)", sqrt(J12**2 + J22**2), "selu.jac_norm"),
        Measured("mean at μω = −0.01, ντ = 0.76", LOW[0], "selu.theorem1.mu_min"),
        Measured("variance at μω = −0.01, ντ = 0.76", LOW[1], "selu.theorem1.nu_min"),
        Measured("mean at μω = 0.01, ντ = 1.65", HIGH[0], "selu.theorem1.mu_max"),
        Measured("variance at μω = 0.01, ντ = 1.65", HIGH[1], "selu.theorem1.nu_max"),
        Measured("χ₁ at q = 1, N v² = 1", LAMBDA**2 * slope.subs({q: 1, alpha: ALPHA}), "selu.chi"),
    )


def derive() -> Derivation:
    """Solve λ² E (g/λ)² = 1 with α inserted."""
    inner = Rational(1, 2) + ALPHA**2 * (Rational(1, 2) - E1 + E2 / 2)
    start = Eq(lam**2 * inner, 1)
    common = (pi * (1 - E1) ** 2 + 2 * (1 - 2 * E1 + E2)) / (2 * pi * (1 - E1) ** 2)
    fraction = Eq(lam**2 * common, 1)
    return chain(
        start,
        then(
            "common denominator",
            start,
            fraction,
            "α² = 2/(π (1 − A)²) with A = e^½ erfc(1/√2); bring both terms over 2π (1 − A)².",
        ),
        then(
            "root",
            fraction,
            Eq(lam, LAMBDA),
            "take the positive root of the inverse, and multiply out: π(1 − A)² + 2 − 4A + 2B = "
            "2B + πA² − 2(2 + π)A + π + 2 with B = e² erfc(√2).",
        ),
    )
