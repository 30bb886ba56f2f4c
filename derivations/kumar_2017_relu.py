"""Kumar: the weight variance that keeps the variance of ReLU's output is He's, exactly.

A layer's pre-activation y = Σ w x + b is nearly normal for many inputs, with mean 0 and variance u²
= N v² (s² + μ²), where s² and μ are variance and mean of the layer's inputs. The question is for
which N v² the outputs of every layer have variance s² = 1 again.

The paper computes with rounded numbers, u² ≈ 3 and μ ≈ 0.7, and arrives at N v² ≈ 2. Without
rounding it is 2 exactly: E g² = u²/2, so that u²/(1 + μ²) = u²/E g² = 2 at every u. Kumar's
condition and He's are one.
"""

from __future__ import annotations

from sympy import Eq, Integer, pi, simplify

from derivations.literate import Checked, Claim, Erratum, Paper, at, chain, derived, then
from initmath.derivation import Derivation
from initmath.integral import q

PAPER = Paper(
    "Kumar", 2017, "On weight initialization in deep neural networks", "arXiv:1704.08863", "in full"
)
CLAIM = Claim("eq. (25)", "N v², the weight variance times the number of inputs.", Integer(2))

U2 = 2 * pi / (pi - 1)  # u², where Var g = 1
MEAN = derived("relu", "mean").value.subs(q, U2)

ALSO = (
    Checked(Claim("eq. (23)", "u², where the output has variance 1", "3"), U2),
    Checked(Claim("eq. (24)", "μ, the mean of the output there", "0.7"), MEAN),
    Checked(Claim("eq. (24)", "μ², from the rounded mean", "0.49", holds=False), simplify(MEAN**2)),
)

ERRATA = (
    Erratum(
        "Kumar 2017, eq. (24)",
        "μ² = 0.49",
        "μ² = 1/(π − 1) = 0.4669…",
        "The square of the mean that was rounded to 0.7; E g = u/√(2π) with u² = 2π/(π − 1) gives 1/(π − 1). "
        "Rounding on the way, and harmless: the result, N v² = 2, is right, and exact.",
        "in full",
    ),
)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Where the variance of the output is 1."""
    variance = derived("relu", "variance")
    problem = Eq(variance.problem, 1)
    solved = then("solve", None, Eq(q, U2), "linear in q = u²: divide by its factor (π − 1)/(2π).")
    text = "In the steps x stands for the pre-activation y and q for its variance u²."
    return (("Var g = 1 gives u²", chain(problem, *variance.steps, solved), text),)


def derive() -> Derivation:
    """N v² = u²/(1 + μ²), eq. (6) with s² = 1, at that u²."""
    mean = at(derived("relu", "mean"), {q: U2})
    end = then("fractions", None, Integer(2), "u² = 2π/(π − 1) over 1 + 1/(π − 1) = π/(π − 1).")
    return chain(U2 / (1 + mean.problem**2), *mean.steps, end)
