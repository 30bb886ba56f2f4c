"""Glorot & Bengio: the normalized initialization, Var w = 2/(n_in + n_out).

Where g is its tangent x, the outputs keep the variance of the inputs if n_in Var w = 1. Backwards a
gradient is a sum over the n_out units that a unit feeds, and keeps its variance if n_out Var w = 1.
Both hold only if n_in = n_out. The compromise asks for both on average: (n_in Var w + n_out Var
w)/2 = 1. As a uniform law in [−a, a], a²/3 being its variance, this is a = √6/√(n_in + n_out).
"""

from __future__ import annotations

from sympy import Eq, Integer, Integral, Symbol, sqrt, summation

from derivations.literate import Checked, Claim, Erratum, Measured, Paper, chain, then
from initmath.derivation import Derivation

PAPER = Paper(
    "Glorot, Bengio",
    2010,
    "Understanding the difficulty of training deep feedforward neural networks",
    "AISTATS 2010, PMLR 9, pp. 249-256",
    "in part",
)

n_in = Symbol("n_in", positive=True)
n_out = Symbol("n_out", positive=True)
v = Symbol("v", positive=True)
a = Symbol("a", positive=True)
w = Symbol("w", real=True)
i, d = Symbol("i", integer=True, positive=True), Symbol("d", integer=True, positive=True)
BACK = summation(1, (Symbol("j", integer=True), i, d - 1))
"""How many matrices lie between s^i and s^d: a factor for each of the layers i, …, d − 1."""

CLAIM = Claim("eq. (12)", "Var w.", 2 / (n_in + n_out))
ALSO = (
    Checked(
        Claim("eq. (16)", "the half width of the uniform law", sqrt(6) / sqrt(n_in + n_out)),
        sqrt(3 * 2 / (n_in + n_out)),
    ),
    Checked(
        Claim("eq. (6)", "how many factors n Var W from layer d back to layer i", d - i + 1, holds=False),
        BACK,
    ),
    Checked(Claim("eq. (7)", "the same number", d - i), BACK),
)
ERRATA = (
    Erratum(
        "Glorot & Bengio 2010, eq. (13)",
        "Var[∂Cost/∂s^i] = [n Var W]^(d−i) Var[x]",
        "[n Var W]^(d−i) Var[∂Cost/∂s^d]",
        "Eq. (6) with equal widths. Var[x] is a variance of signals, not of gradients: with i = d the line "
        "would say that the gradient at the end has the variance of the input. Eq. (14) has both factors.",
        "in part",
    ),
    Erratum(
        "Glorot & Bengio 2010, eq. (6)",
        "Var[∂Cost/∂s^i] = Var[∂Cost/∂s^d] ∏ n_(i'+1) Var W^(i') over i' = i, …, d",
        "over i' = i, …, d − 1",
        "From s^d back to s^i the error goes through d − i matrices; eq. (7) ends at d − 1, and the exponent "
        "of eq. (13) is d − i. At i = d the product has to be 1.",
        "in part",
    ),
)

REMARKS = (
    "In a layer with n_out = 4 n_in the forward factor is n_in Var w = 2/5 and the backward "
    "one 8/5: neither is "
    "kept.  Widening by 4 and narrowing again multiplies both by (2/5)(8/5) = 16/25.",
    "The tangent is taken at 0: for tanh the variance falls like 1/(2ℓ) at n Var w = 1 (kumar_2017_tanh).",
)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Give the variance of the uniform law, and its half width."""
    second = Integral(w**2 / (2 * a), (w, -a, a))
    why = "w³/3 has the derivative w²: (a³ + a³)/3 over 2a."
    variance = chain(second, then("antiderivative", second, a**2 / 3, why))
    equation = Eq(a**2 / 3, 2 / (n_in + n_out))
    solved = Eq(a, sqrt(6) / sqrt(n_in + n_out))
    width = chain(equation, then("root", equation, solved, "multiply by 3 and take the positive root."))
    return (
        ("The variance of a uniform weight in [−a, a]", variance, "The density is 1/(2a), the mean 0."),
        ("The half width", width, "a²/3 = 2/(n_in + n_out)."),
    )


def numbers() -> tuple[Measured, ...]:
    """Give a layer from 300 to 100 units."""
    both = Integer(400)
    return (
        Measured("half width, uniform, 300 to 100 units", sqrt(6 / both), "init.glorot_uniform"),
        Measured("standard deviation, 300 to 100 units", sqrt(2 / both), "init.glorot_normal"),
    )


def derive() -> Derivation:
    """Solve the average of the two conditions for Var w = v²."""
    start = Eq((n_in * v**2 + n_out * v**2) / 2, 1)
    factor = Eq(v**2 * (n_in + n_out) / 2, 1)
    return chain(
        start,
        then("common factor", start, factor, "both terms have the factor Var w = v²."),
        then("divide", factor, Eq(v**2, 2 / (n_in + n_out)), "divide by (n_in + n_out)/2."),
    )
