"""Glorot & Bengio: tanh layers saturate one after the other; what theory says of the start.

They train deep tanh networks from the habit W ~ U(±1/√n) and see the layers saturate in order, the first
one first; they call the reason not understood.  The theory of the start says this much: N v² = 1/3, and
tanh² y < y², so the variance of y falls at least by the factor 3 in each layer.  At the start no layer is
saturated, the first is the nearest to it by far, and the deep ones are linear.

The gradients of the weights do not fall: what the signal loses on the way up, the gradient loses on the way
down, and the gradient of a weight is the product of both, about the same in all layers.  So all weights
begin to move by about the same amount, and the layer whose y is largest is the first to reach the flat part
of tanh.  That is an argument about the first steps; how training goes on from there, the theory of the
start does not say.
"""

from __future__ import annotations

from sympy import Limit, Rational, Symbol, tanh

from derivations.literate import Claim, Measured, Paper, chain, then
from derivations.orbits import orbit
from initmath.derivation import Derivation
from initmath.integral import GaussianIntegral, q

PAPER = Paper(
    "Glorot & Bengio",
    2010,
    "Understanding the difficulty of training deep feedforward neural networks",
    "AISTATS 2010, section 3.2 (tanh) and eq. (1), (15)",
    "in part",
)
CLAIM = Claim(
    "eq. (15): n Var W = 1/3 for U(±1/√n)",
    "the ratio of the variances of y in successive deep layers of tanh.",
    Rational(1, 3),
)
y = Symbol("y", real=True)
REMARKS = (
    "The ratio is below 1/3 in every layer, and tends to 1/3 as q falls: tanh² y ≤ y² ≤ tanh² y + (2/3) y⁴.",
    "With Glorot's own scheme N v² is 1 (equal widths): the variance still falls, but like 1/(2l) (see "
    "Roberts 2022).",
    "The logistic function's last layer, which the paper sees stuck at 0, has another reason: its outputs "
    "have the "
    "mean ½ at the start and carry no information, so the layer above first learns to switch them off.",
)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Show the bound for a layer."""
    tangent = GaussianIntegral(y**2, y, 0, q) / 3
    bound = chain(tangent, then("variance", GaussianIntegral(y**2, y, 0, q), q, "E y² is the variance q."))
    return (
        (
            "An upper bound for the next layer's variance: E y²/3",
            bound,
            "q' = ⅓ E tanh² y < ⅓ E y², because |tanh y| < |y| for y ≠ 0.",
        ),
    )


def derive() -> Derivation:
    """Show tanh² y/(3y²) as y → 0; E tanh² y/(3q) has the same limit as q → 0 (dominated convergence)."""
    ratio = Limit(tanh(y) ** 2 / (3 * y**2), y, 0)
    return chain(
        ratio,
        then("tangent", ratio, Rational(1, 3), "tanh y / y tends to the slope of tanh at 0, which is 1."),
    )


def numbers() -> tuple[Measured, ...]:
    """Follow q and Var tanh from q₁ = 1/3 (inputs of variance 1)."""
    layers = orbit("tanh", Rational(1, 3), Rational(1, 3), 5)
    rows = []
    for index, (length, variance) in enumerate(layers, start=1):
        rows.append(Measured(f"variance of y in layer {index}", length))
        rows.append(Measured(f"variance of tanh y in layer {index}", variance))
    return tuple(rows)
