"""Kumar: no variance of the weights keeps variance 1 for tanh or the sigmoid: their range is too short.

Let the outputs lie between a and b, with mean m and variance s². Then (b − X)(X − a) ≥ 0 for every
output X, so its mean is not negative: s² ≤ (b − m)(m − a). The right side is largest for m in the
middle: s² ≤ (b − a)²/4 (Popoviciu). Equality needs (b − X)(X − a) = 0 always, an output that is a
or b and nothing between, half and half.

For the sigmoid the bound is ¼, for tanh 1; both are continuous, so neither reaches its bound at any
u. As u → ∞ the sigmoid of u z tends to a step, whose variance is exactly ¼: the bound is
approached. The paper's condition s² = 1 therefore has no solution v² for tanh (eq. 14) and the
sigmoid (eq. 19), the two examples it gives.
"""

from __future__ import annotations

from sympy import Integer, Rational, Symbol, pi

from derivations.literate import Claim, Erratum, Measured, Paper, chain, derived, then
from initmath.derivation import Derivation
from initmath.integral import GaussianIntegral

PAPER = Paper(
    "Kumar", 2017, "On weight initialization in deep neural networks", "arXiv:1704.08863", "in full"
)
CLAIM = Claim(
    "section 2, the goal, and eq. (19)",
    "a variance of the sigmoid's outputs that some v² keeps; below, the least upper bound of all of them.",
    Integer(1),
    holds=False,
)

a, b, m = (Symbol(name, real=True) for name in "abm")
s = Symbol("s", positive=True)
X = Symbol("X", real=True)

ERRATA = (
    Erratum(
        "Kumar 2017, section 2 with eq. (14) and (19)",
        "there is a v² with s₁² ≈ s₂² ≈ … = 1 for tanh and for the sigmoid",
        "there is none: Var tanh < 1 and Var sigmoid < 1/4 at every u",
        "For outputs in [a, b] the mean of (b − X)(X − a) ≥ 0 is (b − m)(m − a) − s², so "
        "s² ≤ (b − m)(m − a) ≤ (b − a)²/4.",
        "in full",
    ),
)

REMARKS = (
    "With |g| ≤ 1 the variance 1 needs |g| = 1 always and mean 0, as for sign, at every u: "
    "then all v² will do.",
    "arctan has the bound π²/4 > 1 and does have a solution: N v² = 6.2438. So does LeCun's "
    "1.7159 tanh(2x/3).",
    "sin: Var sin(u z) = (1 − e^(−2u²))/2, so that ½ is its least upper bound, below the "
    "bound 1 for its range.",
)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Give the mean of (b − X)(X − a); the middle."""

    def law(body: object) -> GaussianIntegral:
        return GaussianIntegral(body, X, m, s**2)

    body = (b - X) * (X - a)
    spread = chain(
        law(body),
        then(
            "about the mean",
            law(body),
            (b - m) * (m - a) + (a + b - 2 * m) * law(X - m) - law((X - m) ** 2),
            "write X = m + (X − m) in both factors and multiply out; constants come out.",
        ),
        then("mean", law(X - m), Integer(0), "X − m has mean 0."),
        then("variance", law((X - m) ** 2), s**2, "the definition of the variance."),
    )
    square = chain(
        (b - m) * (m - a),
        then(
            "complete the square",
            None,
            (b - a) ** 2 / 4 - (m - (a + b) / 2) ** 2,
            "with the middle c = (a + b)/2 and half length h = (b − a)/2: (h − (m − c))(h + "
            "(m − c)) = h² − (m − c)².",
        ),
    )
    return (
        (
            "The mean of (b − X)(X − a)",
            spread,
            "Only mean and variance of X enter, so a normal X stands for any law.",
        ),
        ("Where it is largest", square, "The square is not negative: at most (b − a)²/4, at m = (a + b)/2."),
    )


def numbers() -> tuple[Measured, ...]:
    """(b − a)²/4 for some ranges."""
    quarter = Rational(1, 4)
    return (
        Measured("sigmoid, range (0, 1)", quarter, "kumar.varbound.sigmoid"),
        Measured("tanh, erf, softsign, hard tanh, range (−1, 1)", Integer(1), "kumar.varbound.tanh"),
        Measured("arctan, range (−π/2, π/2)", pi**2 / 4, "kumar.varbound.arctan"),
        Measured("1.7159 tanh(2x/3)", Rational(17159, 10000) ** 2, "kumar.varbound.lecun_tanh"),
    )


def derive() -> Derivation:
    """Give the variance of the sigmoid's limit as u → ∞, the step."""
    return derived("heaviside", "variance")
