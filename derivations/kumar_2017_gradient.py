"""Kumar, footnote 1: keeping the variance of the outputs does not keep the gradient.

Going back through a layer, the gradient of an input is a sum over the N neurons that it feeds: δ =
g'(y) Σ w δ'. By the argument of eq. (6), with the weights of mean 0 and variance v² (and taken as
independent of the gradients that come back, as is usual), the mean square is multiplied by χ₁ = N
v² E g'(y)². Nothing in "the variance of every layer's inputs is the same" makes this 1.

An example that can be done by hand, g(y) = y². It has a solution of the paper's condition without
any approximation: Var y² = 2u⁴ = 1 gives u² = 1/√2, the mean is μ = u², and N v² = u²/(1 + μ²) =
√2/3. But g' = 2y, and χ₁ = 4/3: the variance is the same in every layer, and the mean square of the
gradient is a third larger in each.

At the paper's own value for the sigmoid, N v² = 12.8, χ₁ = 0.3538: norms of gradients shrink to
0.595 in each layer.
"""

from __future__ import annotations

from sympy import Eq, Integer, Rational, Symbol, sqrt

from derivations.literate import Claim, Erratum, Measured, Paper, chain, then
from derivations.orbits import fixed_point
from initmath.derivation import Derivation, Number, Status
from initmath.integral import GaussianIntegral

PAPER = Paper(
    "Kumar", 2017, "On weight initialization in deep neural networks", "arXiv:1704.08863", "in full"
)
CLAIM = Claim(
    "footnote 1",
    "the factor of the gradient's mean square in a layer, where the variance of the inputs is kept "
    "('the gradient flows'); below for g(y) = y².",
    Integer(1),
    holds=False,
)

u = Symbol("u", positive=True)
v = Symbol("v", positive=True)
y = Symbol("y", real=True)
w1, w2 = Symbol("w_1", real=True), Symbol("w_2", real=True)
d1, d2 = Symbol("delta_1", real=True), Symbol("delta_2", real=True)
U2 = 1 / sqrt(2)

ERRATA = (
    Erratum(
        "Kumar 2017, footnote 1",
        "equal variances of the layers' inputs ensure that the gradient flows through in the backward pass",
        "they do not: the gradient's mean square is multiplied by χ₁ = N v² E g'², which is another number",
        "g(y) = y² keeps variance 1 exactly at u² = 1/√2, N v² = √2/3, and has χ₁ = (√2/3) · "
        "4u² = 4/3.  For the "
        "sigmoid at the recommended N v² = 12.8, χ₁ = 0.3538.",
        "in full",
    ),
)

REMARKS = (
    "For ReLU the two do agree: E g² = u²/2 and E g'² = 1/2, so N v² = 2 keeps both (he_2015_relu).",
    "Glorot and Bengio, and He et al., state the backward condition separately for this reason.",
)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Give the backward step; where g(y) = y² has variance 1."""

    def weights(body: object) -> GaussianIntegral:
        return GaussianIntegral(body, (w1, w2), (0, 0), ((v**2, 0), (0, v**2)))

    def own(weight: Symbol) -> GaussianIntegral:
        return GaussianIntegral(weight**2, weight, 0, v**2)

    square = weights((w1 * d1 + w2 * d2) ** 2)
    back = chain(
        square,
        then(
            "expand",
            square,
            d1**2 * own(w1) + 2 * d1 * d2 * weights(w1 * w2) + d2**2 * own(w2),
            "multiply out; the gradients that come back are constants here.",
        ),
        then("independence", weights(w1 * w2), Integer(0), "E w₁ · E w₂ = 0 for independent weights."),
        then("variance", own(w1), v**2, "a weight has mean 0, so E w² is its variance."),
        then("variance", own(w2), v**2, "a weight has mean 0, so E w² is its variance."),
    )

    def law(body: object) -> GaussianIntegral:
        return GaussianIntegral(body, y, 0, u**2)

    variance = law(y**4) - law(y**2) ** 2
    start = chain(
        variance,
        then("moment", law(y**4), 3 * u**4, "E y⁴ = 3u⁴ for a normal y of mean 0."),
        then("moment", law(y**2), u**2, "the variance, since y has mean 0."),
    )
    one = Eq(2 * u**4, 1)
    solve = chain(one, then("root", one, Eq(u**2, U2), "divide by 2 and take the positive root of u⁴ = 1/2."))
    scale = chain(
        U2 / (1 + law(y**2) ** 2).subs(u, sqrt(U2)),
        then("moment", law(y**2).subs(u, sqrt(U2)), U2, "μ = E y² = u² = 1/√2."),
    )
    return (
        (
            "One layer back, two neurons",
            back,
            "With N neurons: v² Σ δ².  Times g'(y)², on average: N v² E g'(y)² times the "
            "mean square of the "
            "gradients that came back.",
        ),
        ("Var y², for y ~ N(0, u²)", start, "E y⁴ less the squared mean."),
        ("Var y² = 1", solve, "The paper's condition, nothing neglected."),
        ("N v² = u²/(1 + μ²)", scale, "Eq. (6) with s² = 1, at u² = 1/√2."),
    )


def numbers() -> tuple[Measured, ...]:
    """χ₁ where the forward condition holds, or is meant to."""
    chi = fixed_point("sigmoid", Rational(64, 5))[2]
    norm = Number(Status.NUMERIC, chi.ball.sqrt(), None, "square root of the one above", 15)
    return (
        Measured("N v² of y²", sqrt(2) / 3, "kumar.exact.square.Nv2"),
        Measured("χ₁ of y²", Rational(4, 3), "kumar.exact.square.chi"),
        Measured("χ₁ of the sigmoid at N v² = 12.8", chi, "kumar.sigmoid.Nv2=12.8.chi"),
        Measured("its root: the factor of a gradient's norm", norm),
        Measured("χ₁ of ReLU at N v² = 2", Integer(1), "kumar.exact.relu.chi"),
    )


def derive() -> Derivation:
    """χ₁ = N v² E (2y)² at N v² = √2/3 and u² = 1/√2."""
    slope = GaussianIntegral((2 * y) ** 2, y, 0, U2)
    plain = GaussianIntegral(y**2, y, 0, U2)
    return chain(
        sqrt(2) / 3 * slope,
        then("constants", slope, 4 * plain, "(2y)² = 4y², and the factor comes out."),
        then("moment", plain, U2, "the variance, u² = 1/√2; then (√2/3) · 4/√2 = 4/3."),
    )
