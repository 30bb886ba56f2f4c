"""Glorot & Bengio: the normalized initialization, Var w = 2/(n_in + n_out).

Where g is its tangent x, the outputs keep the variance of the inputs if n_in Var w = 1. Backwards a
gradient is a sum over the n_out units that a unit feeds, and keeps its variance if n_out Var w = 1.
Both hold only if n_in = n_out. The compromise asks for both on average: (n_in Var w + n_out Var
w)/2 = 1. As a uniform law in [−a, a], a²/3 being its variance, this is a = √6/√(n_in + n_out).
"""

from __future__ import annotations

from sympy import Eq, Integer, Integral, Symbol, sqrt

from derivations.literate import Checked, Claim, Measured, Paper, chain, then
from initmath.derivation import Derivation

PAPER = Paper(
    "Glorot, Bengio",
    2010,
    "Understanding the difficulty of training deep feedforward neural networks",
    "AISTATS 2010, PMLR 9, pp. 249-256",
    "from memory",
)

n_in = Symbol("n_in", positive=True)
n_out = Symbol("n_out", positive=True)
v = Symbol("v", positive=True)
a = Symbol("a", positive=True)
w = Symbol("w", real=True)

CLAIM = Claim("eq. (12)", "Var w.", 2 / (n_in + n_out))
ALSO = (
    Checked(
        Claim("eq. (16)", "the half width of the uniform law", sqrt(6) / sqrt(n_in + n_out)),
        sqrt(3 * 2 / (n_in + n_out)),
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
