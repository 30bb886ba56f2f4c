"""Kumar: the variance of a pre-activation is N v² (s² + μ²); independence is not needed for it.

A neuron adds up N inputs, y = w₁x₁ + … + w_N x_N. The weights are independent of each other and of
the inputs, with mean 0 and variance v². Each input has mean μ and variance s²; the inputs may
depend on each other in any way.

First hold the inputs fixed: only the weights are random, and the products of two different weights
average to 0 (written out for two inputs; with N there are N squares and all cross terms vanish
alike). Then average over the inputs: only E x² is left to know, so that any law of x with this mean
and variance gives the same (a normal one stands for it below).

The paper then concludes from covariance 0 (eq. 7) that the products w₁x₁, w₂x₂, … are independent,
and from the central limit theorem that y is normal (Proposition 2). Covariance 0 is not
independence. With inputs that depend on each other y can stay far from normal at any N: if all
inputs are the same standard normal x, then E y⁴ = 9 (E y²)², where a normal y has 3. The right
argument: given its inputs, y is exactly normal for normal weights, with variance v² Σ x²; y is
nearly normal if the average of the x² hardly varies. In a wide network that is so: N independent
inputs give E y⁴ = 3 (1 + 2/N) (E y²)².
"""

from __future__ import annotations

from sympy import Integer, Symbol

from derivations.literate import Claim, Erratum, Measured, Paper, chain, then
from initmath.derivation import Derivation
from initmath.integral import GaussianIntegral

PAPER = Paper(
    "Kumar", 2017, "On weight initialization in deep neural networks", "arXiv:1704.08863", "in full"
)

N = Symbol("N", positive=True)
v = Symbol("v", positive=True)
s = Symbol("s", positive=True)
mu = Symbol("mu", real=True)
x = Symbol("x", real=True)
x1, x2 = Symbol("x_1", real=True), Symbol("x_2", real=True)
w1, w2 = Symbol("w_1", real=True), Symbol("w_2", real=True)

CLAIM = Claim("eq. (6)", "Var y, the variance u² of a pre-activation.", N * v**2 * (s**2 + mu**2))

ERRATA = (
    Erratum(
        "Kumar 2017, eq. (4), (5)",
        "E (W_m(i,j) x_m(j) W_m(k,l) x_m(l))",
        "E (W_m(i,j) x_m(j) W_m(i,l) x_m(l)), j ≠ l",
        "Both factors come from the square of one sum y_m(i), so the row of W is i in both; "
        "the value 0 stands.",
        "in full",
    ),
    Erratum(
        "Kumar 2017, eq. (7) and Proposition 2",
        "Covariance 0 'implies that p_i1, p_i2, … are independent'",
        "They are uncorrelated; independent only given the layer's inputs x.",
        "Two inputs that are the same standard normal x: E p₁²p₂² = 3v⁴, but E p₁² E p₂² = "
        "v⁴; for independent "
        "variables the two would be equal.  In the first layer, with independent inputs, the "
        "p's are independent; "
        "in the second they are not: with N linear neurons E p₁²p₂² = (1 + 2/N) E p₁² E p₂².",
        "in full",
    ),
)

REMARKS = (
    "Only the mean and the variance of the weights entered: uniform, truncated or normal "
    "weights give the same.",
    "A bias of variance σ_b², independent of the rest, adds σ_b².",
    "Orthogonal weights are not independent, but their products of two different entries of "
    "a row also average "
    "to 0, so the formula holds for them, too.",
)


def _weights(body: object) -> GaussianIntegral:
    return GaussianIntegral(body, (w1, w2), (0, 0), ((v**2, 0), (0, v**2)))


def _square(weight: Symbol) -> GaussianIntegral:
    return GaussianIntegral(weight**2, weight, 0, v**2)


def _one(body: object, variance: object = 1, mean: object = 0) -> GaussianIntegral:
    return GaussianIntegral(body, x, mean, variance)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Give the inputs held fixed; then the slip: uncorrelated is not independent."""
    square = _weights((w1 * x1 + w2 * x2) ** 2)
    fixed = chain(
        square,
        then(
            "expand",
            square,
            x1**2 * _square(w1) + 2 * x1 * x2 * _weights(w1 * w2) + x2**2 * _square(w2),
            "multiply out the square; the inputs are constants here and come out of the expectation.",
        ),
        then(
            "independence",
            _weights(w1 * w2),
            Integer(0),
            "different weights are independent, so this is E w₁ · E w₂ = 0 · 0.",
        ),
        then("variance", _square(w1), v**2, "a weight has mean 0, so E w² is its variance."),
        then("variance", _square(w2), v**2, "a weight has mean 0, so E w² is its variance."),
    )
    slip = chain(
        v**4 * _one(x**4) / (v**2 * _one(x**2)) ** 2,
        then("moment", _one(x**4), Integer(3), "E z⁴ = 3 · 1 for a standard normal z."),
        then("moment", _one(x**2), Integer(1), "E z² = 1 for a standard normal z."),
    )
    same = chain(
        3 * _one((N * v**2 * x**2) ** 2) / _one(N * v**2 * x**2) ** 2,
        then(
            "constants",
            _one((N * v**2 * x**2) ** 2),
            N**2 * v**4 * _one(x**4),
            "the constant (N v²)² comes out of the expectation.",
        ),
        then("constants", _one(N * v**2 * x**2), N * v**2 * _one(x**2), "the constant N v² comes out."),
        then("moment", _one(x**4), Integer(3), "E z⁴ = 3 · 1 for a standard normal z."),
        then("moment", _one(x**2), Integer(1), "E z² = 1 for a standard normal z."),
    )
    wide = chain(
        3 * (N * _one(x**4) + N * (N - 1) * _one(x**2) ** 2) / (N * _one(x**2)) ** 2,
        then("moment", _one(x**4), Integer(3), "E z⁴ = 3 · 1 for a standard normal z."),
        then("moment", _one(x**2), Integer(1), "E z² = 1 for a standard normal z."),
        then(
            "divide",
            None,
            3 * (1 + 2 / N),
            "3N + N(N − 1) = N² + 2N; divide each term by N².",
        ),
    )
    return (
        ("Given the inputs: E y² over the weights, two inputs", fixed, "With N inputs: v² (x₁² + … + x_N²)."),
        (
            "Uncorrelated is not independent",
            slip,
            "E p₁²p₂² over E p₁² E p₂² for p₁ = w₁x, p₂ = w₂x with one and the same standard "
            "normal x; the weights "
            "are averaged already, E w₁²w₂² = v⁴.  Independent p's would give 1.",
        ),
        (
            "All inputs the same: E y⁴ over (E y²)²",
            same,
            "Given x, y is normal with variance N v²x², so its fourth moment is 3 (N v²x²)². "
            " A normal y would "
            "give 3, whatever N.",
        ),
        (
            "Independent inputs: E y⁴ over (E y²)²",
            wide,
            "The inputs are N independent standard normal numbers.  Given them, y is normal "
            "with variance v² Σ x², "
            "so E y⁴ = 3v⁴ E (Σ x²)², which has N terms x⁴ and N(N − 1) terms x_i² x_j².  "
            "The excess over the "
            "normal law's 3 falls like 1/N: this is what makes y normal in a wide network.  "
            "Each further "
            "layer of N linear neurons multiplies by 1 + 2/N once more, for the same reason.",
        ),
    )


def numbers() -> tuple[Measured, ...]:
    """Give the two fourth moments."""
    return (
        Measured("E y⁴/(E y²)², all inputs the same, any N", Integer(9)),
        Measured("E y⁴/(E y²)², independent inputs, N = 100", 3 * (1 + Integer(2) / 100)),
    )


def derive() -> Derivation:
    """Average v² (x₁² + … + x_N²) over the inputs."""
    problem = N * v**2 * _one(x**2, s**2, mu)
    split = mu**2 + 2 * mu * _one(x - mu, s**2, mu) + _one((x - mu) ** 2, s**2, mu)
    return chain(
        problem,
        then(
            "about the mean",
            _one(x**2, s**2, mu),
            split,
            "x² = (μ + (x − μ))² = μ² + 2μ(x − μ) + (x − μ)²; the constants come out of the expectation.",
        ),
        then("mean", _one(x - mu, s**2, mu), Integer(0), "x has the mean μ, so x − μ has the mean 0."),
        then("variance", _one((x - mu) ** 2, s**2, mu), s**2, "this is the definition of the variance."),
        then("order", None, N * v**2 * (s**2 + mu**2), "the same sum in the paper's order."),
    )
