"""Kumar: the general rule for activations differentiable at 0, and what it leaves out.

Replace g by its tangent at 0, g(y) ≈ g(0) + g'(0) y (eq. 8). Then the outputs of a layer have mean
g(0) and variance g'(0)² u², where u² = N v² (s² + μ²) is the variance of y (eq. 6). Ask that the
variance is 1 in every layer, with the mean g(0) in every layer, and solve for v². Below, g₀ and g₁
stand for g(0) and g'(0).

Two things are left out. The inputs of the first layer have mean 0, not g(0) (the paper says so
itself in section 2), so for g(0) ≠ 0 even the tangent's network does not keep variance 1 there. And
"the higher order terms can be ignored" cannot be repaired by taking more of them: at a fixed
variance the expansion of E g² in powers of u² diverges for tanh, the sigmoid, SiLU and others that
have poles in the complex plane.
"""

from __future__ import annotations

from sympy import Eq, Integer, Rational, Symbol, sqrt

from derivations.literate import Checked, Claim, Erratum, Measured, Paper, chain, then
from derivations.orbits import orbit
from initmath.derivation import Derivation
from initmath.integral import GaussianIntegral

PAPER = Paper(
    "Kumar", 2017, "On weight initialization in deep neural networks", "arXiv:1704.08863", "in full"
)

g0 = Symbol("g_0", real=True)
g1 = Symbol("g_1", positive=True)
N = Symbol("N", positive=True)
v = Symbol("v", positive=True)
y = Symbol("y", real=True)
u = Symbol("u", positive=True)

CLAIM = Claim("eq. (12)", "v², for any g with g'(0) ≠ 0.", 1 / (N * g1**2 * (1 + g0**2)))


ALSO = (
    Checked(
        Claim(
            "eq. (11), (12)",
            "Var of the first layer's output for the sigmoid, in the model",
            Integer(1),
            holds=False,
        ),
        Rational(64, 5) / 16,
    ),
)

ERRATA = (
    Erratum(
        "Kumar 2017, eq. (10)",
        "μ_j = g(0) for all j ≥ 1",
        "for all j ≥ 2; μ₁ = 0",
        "Section 2 calls the network's inputs x₁ and gives them mean 0, and the sentence "
        "before eq. (10) says "
        "'barring the first'.  With μ₁ = 0 the sigmoid's rule, N v² = 12.8, gives the first "
        "layer's output the "
        "variance g'(0)² N v² (1 + 0) = 12.8/16 = 0.8, not 1, within the paper's own linear model.",
        "in full",
    ),
    Erratum(
        "Kumar 2017, eq. (8)",
        "'Assuming that the higher order terms can be ignored', for weights that keep the variance at 1",
        "They cannot: at N v² = 1 tanh gives the variance 0.394 instead of 1 in the first layer already.",
        "E tanh(z)² = 0.39429… < 1 = E z² (tanh² y < y² for y ≠ 0); and the Taylor series of "
        "E tanh² at u² = 1 has "
        "the partial sums 1, −1, 14/3, −16, …, which do not approach it.",
        "in full",
    ),
)

REMARKS = (
    "Why the series diverges: the coefficient of y^(2k) in tanh² y shrinks like (2/π)^(2k) "
    "(the pole at iπ/2), but "
    "E z^(2k) = (2k − 1)!! grows faster than any power.  The series is asymptotic: good for "
    "small u², useless at 1.",
    "Where g'(0) = 0 (cos) the rule divides by 0; where g has a kink at 0 (ReLU, SELU) it does not apply.",
    "initmath's criterion `taylor` is this rule; `variance` asks for the same without "
    "replacing g by its tangent.",
)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Give the tangent's mean and variance; then how the series of tanh goes on."""
    tangent = g0 + g1 * y

    def law(body: object) -> GaussianIntegral:
        return GaussianIntegral(body, y, 0, u**2)

    mean = chain(
        law(tangent),
        then("linearity", law(tangent), g0 + g1 * law(y), "a constant and a factor come out."),
        then("mean", law(y), Integer(0), "y has mean 0 (eq. 3)."),
    )
    variance = chain(
        law((tangent - g0) ** 2),
        then(
            "centre", law((tangent - g0) ** 2), g1**2 * law(y**2), "the mean g(0) cancels, g'(0)² comes out."
        ),
        then("variance", law(y**2), u**2, "y has mean 0 and variance u²."),
    )
    return (
        ("The mean of the tangent's output, eq. (9)", mean, "y ~ N(0, u²)."),
        ("Its variance, eq. (11)", variance, "About the mean g(0)."),
        ("The series of tanh to the third term, squared: E tanh² for y ~ N(0, u²)", _series(), _WHY_SERIES),
    )


_WHY_SERIES = (
    "tanh y = y − y³/3 + 2y⁵/15 − …, so tanh² y = y² − (2/3)y⁴ + (17/45)y⁶ − … (the "
    "coefficient of y⁶ is "
    "1/9 + 2 · 2/15).  At u² = 1 the three terms are 1, −2 and 17/3: each is larger than the "
    "one before."
)


def _series() -> Derivation:
    def power(k: int) -> GaussianIntegral:
        return GaussianIntegral(y**k, y, 0, u**2)

    body = y**2 - Rational(2, 3) * y**4 + Rational(17, 45) * y**6
    whole = GaussianIntegral(body, y, 0, u**2)
    linear = power(2) - Rational(2, 3) * power(4) + Rational(17, 45) * power(6)
    why = "E y^(2k) = (2k − 1)(2k − 3)⋯1 u^(2k) for a normal y of mean 0."
    return chain(
        whole,
        then("linearity", whole, linear, "term by term."),
        then("moment", power(2), u**2, why),
        then("moment", power(4), 3 * u**4, why),
        then("moment", power(6), 15 * u**6, why),
    )


def numbers() -> tuple[Measured, ...]:
    """Give the rule's value for some activations, and what tanh's partial sums and truth are."""
    sums, total = [], Integer(0)
    for k, term in enumerate((1, -2, Rational(17, 3), Rational(-62, 3)), start=1):
        total = total + term
        sums.append(Measured(f"E tanh(z)² from {k} term{'s' if k > 1 else ''} of its series", total))
    ((_, true),) = orbit("tanh", 1, 1, 1)
    return (
        Measured("N v² for the sigmoid: g(0) = 1/2, g'(0) = 1/4", Rational(64, 5), "kumar.eq12.sigmoid"),
        Measured("v √N for the sigmoid", 8 / sqrt(5), "kumar.eq19.sigmoid_v"),
        Measured("N v² for SiLU and GELU: g(0) = 0, g'(0) = 1/2", Integer(4), "kumar.taylor.silu"),
        *sums,
        Measured("E tanh(z)², true", true, "kumar.tanh.v2=1/N.var.1"),
    )


def derive() -> Derivation:
    """g'(0)² u² = 1 with u² = N v² (s² + μ²), s² = 1 and μ = g(0): eq. (11) to (12)."""
    start = Eq(g1**2 * N * v**2 * (1 + g0**2), 1)
    solved = Eq(v**2, 1 / (N * g1**2 * (1 + g0**2)))
    why = "divide by the factors beside v²; none is 0 because g'(0) ≠ 0."
    return chain(start, then("divide", start, solved, why))
