"""Saxe et al.: how long a linear network of two layers takes to learn one mode, in closed form.

A network with two weight matrices learns a linear map by gradient flow, from a start that is aligned with
the map's singular vectors, on whitened inputs.  Then every mode learns alone: with the same strength a in
both layers, the loss is (s − a²)²/2 and τ ȧ = a (s − a²), s the singular value to be learned.  The mode's
strength u = a² obeys τ u̇ = 2a · τ ȧ = 2a² (s − a²) = 2u (s − u).  Time is du over its speed: t/τ = ½ ∫
du/(u (s − u)).
"""

from __future__ import annotations

from sympy import Integral, Symbol, log

from derivations.literate import Claim, Measured, Paper, chain, then
from initmath.derivation import Derivation

PAPER = Paper(
    "Saxe, McClelland & Ganguli",
    2014,
    "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
    "arXiv:1312.6120",
    "from memory",
)
s, u0, uf, u = (Symbol(n, positive=True) for n in ("s", "u_0", "u_f", "u"))
BETWEEN = (uf - u0, s - uf)

CLAIM = Claim(
    "the learning time of a mode",
    "t/τ, the time from strength u₀ to u_f, 0 < u₀ < u_f < s.",
    log(uf * (s - u0) / (u0 * (s - uf))) / (2 * s),
)
REMARKS = (
    "Strong modes are learned first: the time is 1/s times a logarithm that hardly depends on s.",
    "A start at u₀ = 0 never learns (the logarithm is infinite): all-zero weights are a saddle. Starting "
    "twice as "
    "small costs only τ ln 2/(2s) more.",
    "Two assumptions carry the result: whitened inputs, and an aligned start; small random starts come "
    "close to the "
    "second while they grow.",
)


def derive() -> Derivation:
    """Show the integral by partial fractions."""
    whole = Integral(1 / (u * (s - u)), (u, u0, uf))
    split = Integral((1 / u + 1 / (s - u)) / s, (u, u0, uf))
    return chain(
        whole / 2,
        then(
            "partial fractions",
            whole,
            split,
            "1/u + 1/(s − u) = s/(u (s − u)).",
            positive=BETWEEN,
        ),
        then(
            "antiderivative",
            split,
            (log(uf) - log(s - uf) - log(u0) + log(s - u0)) / s,
            "(ln u − ln(s − u))/s has the derivative (1/u + 1/(s − u))/s; between u₀ and u_f.",
            positive=BETWEEN,
        ),
        then(
            "logarithm",
            None,
            CLAIM.value,
            "sums of logarithms are logarithms of products, differences of quotients.",
            positive=BETWEEN,
        ),
    )


def numbers() -> tuple[Measured, ...]:
    """Show times from initmath's own formulas, in any depth."""
    from initmath.dynamics import time_to_learn

    return (
        Measured(
            "t for s = 3, τ = 1, from 0.001 to 2.9",
            time_to_learn(3, "0.001", "2.9"),
            "saxe.t.s=3.u0=0.001.uf=2.9",
        ),
        Measured(
            "t for s = 1, τ = 1, from 0.01 to 0.99",
            time_to_learn(1, "0.01", "0.99"),
            "saxe.t.s=1.u0=0.01.uf=0.99",
        ),
    )
