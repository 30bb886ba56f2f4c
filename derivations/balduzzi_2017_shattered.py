"""Balduzzi et al.: shattered gradients: 2^−L and (3/4)^L in the model, a power of L in the real network.

The gradients of a ReLU network with respect to two inputs have a correlation that falls with the depth.
The model takes, in every layer, each unit active for an input with probability ½ and for both inputs with
probability ¼, as if the two were uncorrelated.  With He's weights, W_ij of variance 2/N, the covariance of
the gradients is then multiplied by 2 · ¼ and their variance by 2 · ½ in each layer.  A residual layer x + W
ρ(x) adds 1 to both.

In a network without normalization the assumption ¼ does not stay true.  The correlation c = cos θ of the
inputs themselves rises to 1 with depth, θ_l ~ 3π/l (see Hayou 2019), and both inputs activate the same
units: the factor of a layer is 1 − θ_l/π ~ 1 − 3/l, and the product falls like L^−3.  Gradients become
uncorrelated, but slowly.
"""

from __future__ import annotations

from functools import cache

from sympy import Heaviside, Integer, Rational, Symbol, factorial

from derivations.literate import Checked, Claim, Measured, Paper, chain, then
from derivations.orbits import enclosed
from initmath.balls import working_precision
from initmath.derivation import Derivation
from initmath.integral import GaussianIntegral, q

PAPER = Paper(
    "Balduzzi, Frean, Leary, Lewis, Ma & McWilliams",
    2017,
    "The shattered gradients problem: if resnets are the answer, then what is the question?",
    "arXiv:1702.08591",
    "from memory",
)
L = Symbol("L", positive=True)
y1, y2 = (Symbol(name, real=True) for name in ("y_1", "y_2"))
active, both = Rational(1, 2), Rational(1, 4)

CLAIM = Claim(
    "plain networks", "the correlation of the gradients after L layers, in the model.", Rational(1, 2) ** L
)
ALSO = (
    Checked(
        Claim("residual networks", "the same with skip connections, in the model", Rational(3, 4) ** L),
        ((1 + 2 * both) / (1 + 2 * active)) ** L,
    ),
)
REMARKS = (
    "Batch normalization makes the model's assumption true: it keeps the inputs of a large batch, if they "
    "are alike, "
    "uncorrelated, so that a plain network with it does have 2^−L.",
    "The paper's 1/√L for residual networks with batch normalization is not derived here; see the "
    "docstring of "
    "initmath.architectures.gradient_laws for that model, and for what a mean shared by the branches "
    "changes.",
    "Residual networks without normalization have θ_l ~ 6π/l and the factor 1 − θ/(2π) ~ 1 − 3/l: the "
    "power −3 again, "
    "with a larger constant.",
)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Show the product of the real network's factors."""
    product = chain(
        factorial(L - 3) * factorial(3) / factorial(L),
        then(
            "factorial",
            factorial(L),
            L * (L - 1) * (L - 2) * factorial(L - 3),
            "the three last factors apart; then (L − 3)! cancels, and 3! = 6: close to 6/L³.",
        ),
    )
    return (
        (
            "The real network: ∏ (1 − 3/l) for l = 4, …, L",
            product,
            "The factors (l − 3)/l have the numerators 1 · 2 ⋯ (L − 3) and the denominators 4 · 5 ⋯ L = "
            "L!/3!.  (The "
            "true factors differ from 1 − 3/l by terms of order ln l/l², whose product converges: the "
            "power stays, "
            "the constant changes.)",
        ),
    )


def derive() -> Derivation:
    """Show P(both active) over P(active), L times; the factors 2 of He's variance cancel."""
    one = GaussianIntegral(Heaviside(y1), y1, 0, q)
    two = GaussianIntegral(Heaviside(y1) * Heaviside(y2), (y1, y2), (0, 0), ((q, 0), (0, q)))
    return chain(
        (two / one) ** L,
        then("independence", two, one**2, "the model's assumption: y₁ and y₂ uncorrelated, and normal."),
        then("half", one, active, "a normal variable of mean 0 is positive with probability ½; (½)²/½ = ½."),
    )


@cache
def numbers() -> tuple[Measured, ...]:
    """Show the real network from uncorrelated inputs, against the model."""
    from flint import arb

    found = []
    with working_precision(9000):
        angle, circle, correlation = arb.pi() / 2, arb.pi(), arb(1)
        for layer in range(1, 1001):
            correlation *= 1 - angle / circle
            c = (angle.sin() + (circle - angle) * angle.cos()) / circle
            angle = c.acos()
            if layer in (10, 100, 1000):
                what = f"ReLU, orthogonal inputs: correlation of the gradients at L = {layer}"
                found.append(Measured(what, enclosed(correlation, "the recursion in ball arithmetic")))
    return (*found, Measured("the model, 2^−L, at L = 10", Rational(1, 2) ** Integer(10)))
