"""Glorot & Bengio: the common heuristic U[−1/√n, 1/√n] makes the variance fall by the factor 3 in each layer.

Near 0, tanh and softsign are their tangent x, and the layer is linear: the variance of its outputs
is n Var w times the variance of its inputs (kumar_2017_variance_of_a_layer with mean 0). A uniform
weight in [−a, a] has the variance a²/3, so that with a = 1/√n the factor is n · 1/(3n) = 1/3.
"""

from __future__ import annotations

from sympy import Integral, Rational, Symbol, sqrt

from derivations.literate import Claim, Measured, Paper, chain, then
from initmath.derivation import Derivation

PAPER = Paper(
    "Glorot, Bengio",
    2010,
    "Understanding the difficulty of training deep feedforward neural networks",
    "AISTATS 2010, PMLR 9, pp. 249-256",
    "in part",
)
CLAIM = Claim("eq. (1), (15)", "n Var w for w uniform in [−1/√n, 1/√n].", Rational(1, 3))

n = Symbol("n", positive=True)
w = Symbol("w", real=True)

REMARKS = (
    "PyTorch's default of nn.Linear is this heuristic: kaiming_uniform_ with a = √5 has "
    "gain² = 2/(1 + 5) = 1/3.",
    "Exactly, the variance falls faster than by 3 as long as tanh bends (kumar_2017_tanh).",
)


def numbers() -> tuple[Measured, ...]:
    """Give the factor, and what ten layers do."""
    return (
        Measured("n Var w", Rational(1, 3), "init.glorot_heuristic"),
        Measured("the variance after ten linear layers", Rational(1, 3) ** 10),
    )


def derive() -> Derivation:
    """Give n times the variance of a uniform weight."""
    end = 1 / sqrt(n)
    density = sqrt(n) / 2
    second = Integral(density * w**2, (w, -end, end))
    at_ends = density * (end**3 / 3 - (-end) ** 3 / 3)
    why = "the density is 1 over the length 2/√n, and w³/3 has the derivative w²: √n/2 · 2n^(−3/2)/3."
    return chain(n * second, then("antiderivative", second, at_ends, why))
