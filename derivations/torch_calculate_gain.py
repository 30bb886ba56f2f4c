"""PyTorch's calculate_gain: exact for ReLU, conventions for tanh, the sigmoid and SELU.

The gain that keeps the variance of pre-activations at 1 is 1/√E g(z)², z ~ N(0, 1): q = N v² E g² with q =
1 and N v² = gain².  For ReLU that is √2.  The table says 5/3 for tanh, 1 for the sigmoid and 3/4 for SELU.
Those are no gains in this sense: with them a network settles at another variance, where χ₁ says what
becomes of gradients.
"""

from __future__ import annotations

from functools import cache

from sympy import Integer, Rational, sqrt

from derivations.literate import Checked, Claim, Erratum, Measured, Paper, at, chain, derived
from derivations.orbits import enclosed
from initmath.balls import bits, working_precision
from initmath.derivation import Derivation, Number
from initmath.integral import q

PAPER = Paper(
    "PyTorch developers",
    2016,
    "torch.nn.init.calculate_gain",
    "public source code, torch/nn/init.py",
    "in part",
)
CLAIM = Claim("'relu'", "the gain of ReLU.", sqrt(2))


@cache
def gain(activation: str) -> Number:
    """Return 1/√E g(z)², certified."""
    from flint import arb

    from initmath import moments
    from initmath.activation import resolve

    with working_precision(bits(25)):
        square = moments.ball(resolve(activation), "second_moment", arb(1), 25)
        return enclosed(1 / square.sqrt(), "certified moment")


ISSUE = (
    ("tanh", "1.5975916385650635"),
    ("sigmoid", "4.809119701385498"),
    ("relu", "1.7068026065826416"),
    ("elu", "1.2694571018218994"),
    ("selu", "1.0002975463867188"),
)


@cache
def deviation(activation: str) -> Number:
    """Return 1/√Var g(z), certified."""
    from flint import arb

    from initmath import moments
    from initmath.activation import resolve

    g = resolve(activation)
    with working_precision(bits(25)):
        square, mean = (moments.ball(g, name, arb(1), 25) for name in ("second_moment", "mean"))
        return enclosed(1 / (square - mean**2).sqrt(), "certified moments")


ALSO = (
    Checked(Claim("'tanh'", "the gain of tanh", Rational(5, 3), holds=False), gain("tanh")),
    Checked(Claim("'sigmoid'", "the gain of the sigmoid", Integer(1), holds=False), gain("sigmoid")),
    Checked(Claim("'selu'", "the gain of SELU", Rational(3, 4), holds=False), gain("selu")),
    *(
        Checked(Claim("issue #24991", f"1/√Var g(z) of {name}", value, holds=False), deviation(name))
        for name, value in ISSUE
    ),
)
ERRATA = (
    Erratum(
        "torch.nn.init.calculate_gain, read as the gain that keeps the variance of N(0, 1) pre-activations",
        "tanh 5/3, sigmoid 1, selu 3/4",
        "tanh 1.592537, sigmoid 1.846229, selu 1",
        "1/√E g(z)², certified; SELU's constants are made so that E g(z)² = 1.  The table does not claim "
        "this meaning: the numbers are conventions, and the documentation itself says of SELU's that a "
        "variance of 1/N (nonlinearity 'linear') is needed for a stable fixed point, and that 3/4 gives this "
        "up for gradients that are more stable in rectangular layers. With 3/4 SELU's outputs settle near a "
        "standard deviation of 0.2.",
        "in part",
    ),
    Erratum(
        "PyTorch, issue #24991: proposed gains 1/√Var g(z)",
        "tanh 1.59759, sigmoid 4.80912, relu 1.70680, elu 1.26946, selu 1.00030",
        "tanh 1.592537, sigmoid 4.801313, relu 1.712859, elu 1.270843, selu 1",
        "Certified integrals. The numbers of the issue are estimates from 10⁵ samples, each within 2.6 "
        "of their standard "
        "errors; and 1/√Var g is the right gain only if the rows of the weights sum to 0.",
        "in part",
    ),
)


def derive() -> Derivation:
    """Show ReLU's gain from its second moment at q = 1."""
    square = at(derived("relu", "second_moment"), {q: Integer(1)})
    return chain(1 / sqrt(square.problem), *square.steps)  # 1/√½ is √2


@cache
def numbers() -> tuple[Measured, ...]:
    """Show where networks with the table's gains settle."""
    from initmath import mean_field

    rows = [
        Measured("tanh: 1/√E g(z)²", gain("tanh"), "gain.tanh.he_gain"),
        Measured("sigmoid: 1/√E g(z)²", gain("sigmoid"), "gain.sigmoid.he_gain"),
    ]
    for name, weights in (("tanh", Rational(25, 9)), ("selu", Rational(9, 16))):
        for point in mean_field(name, sigma_w2=weights, sigma_b2=0).fixed_points:
            if point.stability == "stable":
                rows.append(Measured(f"{name} with N v² = {weights}: q*", point.q_star))
                rows.append(Measured(f"{name} with N v² = {weights}: χ₁", point.chi_1))
    return tuple(rows)
