"""AutoInit: dropout changes the variance by the mean, too; the rule in the code leaves that out.

Dropout sets an input to 0 with probability p and otherwise divides it by 1 − p, so that the mean stays.
For an input with mean μ and variance s² the output has the second moment (s² + μ²)/(1 − p) and the mean μ.
Its variance is therefore s²/(1 − p) + μ² p/(1 − p).  The code of AutoInit has only the first term: right
for inputs of mean 0, wrong after ReLU.  For the next layer only the second moment counts (see Kumar, the
variance of a pre-activation), and that is multiplied by 1/(1 − p) exactly.
"""

from __future__ import annotations

from sympy import Rational, Symbol, pi

from derivations.literate import Checked, Claim, Erratum, Paper, chain, then
from initmath.derivation import Derivation

PAPER = Paper(
    "Bingham & Miikkulainen",
    2023,
    "AutoInit: analytic signal-preserving weight initialization for neural networks",
    "arXiv:2109.08958; the public code, dropout.py, was read",
    "in part",
)
p, s2, m2 = Symbol("p", positive=True), Symbol("s", positive=True) ** 2, Symbol("mu", positive=True) ** 2
KEPT = (1 - p,)

TRUE = s2 / (1 - p) + m2 * p / (1 - p)
RELU = {p: Rational(1, 2), s2: Rational(1, 2) - 1 / (2 * pi), m2: 1 / (2 * pi)}

CLAIM = Claim("the code, dropout.py", "the variance after dropout with rescaling.", s2 / (1 - p), holds=False)
ALSO = (
    Checked(
        Claim(
            "the same rule for ReLU of N(0, 1), p = 1/2",
            "the variance after dropout",
            1 - 1 / pi,
            holds=False,
        ),
        TRUE.subs(RELU),
    ),
)
ERRATA = (
    Erratum(
        "AutoInit, public code: dropout.py (and the spatial variants)",
        "variance s²/(1 − p) after dropout",
        "s²/(1 − p) + μ² p/(1 − p); without rescaling (1 − p) s² + p (1 − p) μ²",
        "E y² = (1 − p) E x²/(1 − p)² and E y = μ.  For ReLU of a standard normal variable and p = ½ the "
        "rule gives "
        "1 − 1/π = 0.682, the truth is 1 − 1/(2π) = 0.841.",
        "in part",
    ),
)


def derive() -> Derivation:
    """Show the second moment less the squared mean."""
    second = (1 - p) * ((s2 + m2) / (1 - p) ** 2)
    return chain(
        second - m2,
        then(
            "collect",
            None,
            TRUE,
            "1 − p cancels once; μ²/(1 − p) − μ² = μ² (1 − (1 − p))/(1 − p) = μ² p/(1 − p).",
            positive=KEPT,
        ),
    )
