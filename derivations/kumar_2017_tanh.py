"""Kumar: for tanh the rule gives Xavier's variance 1/N; but the variance then falls like 1/(2ℓ).

With g(0) = 0 and g'(0) = 1 the general rule (eq. 12) is N v² = 1 (eq. 14), and "the variance is the
same in every layer". It is not: tanh² y < y², so every layer's output has less variance than its
input, and nothing puts it back. With N v² = 1 the variance of y in the next layer is q' = E
tanh²(√q z).

How fast it falls can be seen by hand. Look at 1/q instead of q: 1/q' − 1/q = (q − q')/(q q'). For
small q the numerator is (2/3) E y⁴ = 2q² and the denominator q², so 1/q grows by 2 a layer, and q_ℓ
~ 1/(2ℓ). This is a proof and no estimate: y² − (2/3) y⁴ ≤ tanh² y ≤ y² makes (q − q')/q² at most 2
and lets the limit be taken under the integral; q falls to a fixed point, and q = 0 is the only one;
averages of 1/q_{ℓ+1} − 1/q_ℓ then tend to 2 with it.

With the uniform weights U[−1/√N, 1/√N] of Glorot and Bengio, N v² = 1/3, and eq. (15) says that the
variance falls to 1/3 in each layer. That is the rate of the last layers (the slope of the length
map at 0); the first ones fall faster.
"""

from __future__ import annotations

from sympy import Derivative, Integer, Integral, Limit, Rational, Symbol, sqrt, tanh

from derivations.kumar_2017_taylor import N, g0, g1, v, y
from derivations.kumar_2017_taylor import derive as taylor
from derivations.literate import Checked, Claim, Erratum, Measured, Paper, at, chain, then
from derivations.orbits import orbit
from initmath.derivation import Derivation
from initmath.integral import GaussianIntegral

PAPER = Paper(
    "Kumar", 2017, "On weight initialization in deep neural networks", "arXiv:1704.08863", "in full"
)
CLAIM = Claim("eq. (14)", "v² = 1/N, by the tangent at 0.", 1 / N)

z = Symbol("z", real=True)
w = Symbol("w", real=True)
UNIFORM = Integral(sqrt(N) / 2 * w**2, (w, -1 / sqrt(N), 1 / sqrt(N)))
ORBIT = orbit("tanh", 1, 1, 10)

ALSO = (
    Checked(
        Claim("before eq. (15)", "N Var w for w uniform in [−1/√N, 1/√N]", Rational(1, 3)),
        (N * UNIFORM).doit(),
    ),
    Checked(
        Claim("section 2, the goal", "s₂², the first layer's output", Integer(1), holds=False), ORBIT[0][1]
    ),
    Checked(
        Claim("section 2, the goal", "s₁₁², the tenth layer's output", Integer(1), holds=False), ORBIT[9][1]
    ),
)

ERRATA = (
    Erratum(
        "Kumar 2017, eq. (14): what the rule keeps",
        "s₁² ≈ s₂² ≈ … ≈ 1 for tanh with v² = 1/N",
        "s² falls like 1/(2ℓ): 0.394, 0.236, 0.167, … 0.0522 in the tenth layer",
        "tanh² y < y² for y ≠ 0, so E tanh² < u² in every layer; and 1/u² grows by an amount "
        "that tends to 2.",
        "in full",
    ),
    Erratum(
        "Kumar 2017, eq. (15)",
        "s²_{m+1} = s²_m/3 with U[−1/√N, 1/√N]",
        "less than s²_m/3 in every layer; the ratio tends to 1/3 only as s² → 0",
        "s²_{m+1} = E tanh²(√(s²_m/3) z) < s²_m/3, because tanh² y < y².  The paper's "
        "conclusion, that the "
        "variance decreases, is right.",
        "in full",
    ),
)

REMARKS = (
    "No N v² keeps variance 1: |tanh| < 1, so its variance is below 1 whatever u is "
    "(kumar_2017_no_solution).",
    "The same 1/(2ℓ) is the universality class K* = 0 of Roberts, Yaida and Hanin, with a₁ = "
    "g'''(0)/g'(0) = −2.",
)


def _normal(body: object) -> GaussianIntegral:
    return GaussianIntegral(body, z, 0, 1)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """How much 1/q grows in a layer when q is small; the variance of a uniform weight."""
    body = Rational(2, 3) * z**4
    growth = chain(
        _normal(body),
        then("constants", _normal(body), Rational(2, 3) * _normal(z**4), "the factor 2/3 comes out."),
        then("moment", _normal(z**4), Integer(3), "E z⁴ = 3 · 1 for a standard normal z."),
    )
    height = sqrt(N) / 2
    uniform = chain(
        N * UNIFORM,
        then(
            "antiderivative",
            UNIFORM,
            height * (1 / sqrt(N)) ** 3 / 3 - height * (-1 / sqrt(N)) ** 3 / 3,
            "the density is 1 over the length 2/√N, and w³/3 is an antiderivative of w²: put "
            "in both ends, "
            "√N/2 · 2N^(−3/2)/3.",
        ),
    )
    slope = chain(
        Limit(Derivative(tanh(y), y), y, 0),
        then(
            "quotient rule",
            None,
            Limit(1 - tanh(y) ** 2, y, 0),
            "tanh = sinh/cosh, so its derivative is (cosh² − sinh²)/cosh² = 1 − tanh².",
        ),
        then("continuity", None, Integer(1), "tanh 0 = 0: g(0) = 0 and g'(0) = 1."),
    )
    square = GaussianIntegral(y**2, y, 0, N * v**2)
    tangent = chain(
        square,
        then("variance", square, N * v**2, "y has mean 0, and the second moment is then the variance."),
    )
    return (
        ("g'(0)", slope, "The tangent of g at 0 is g(0) + g'(0) y."),
        (
            "The variance of the tangent's output",
            tangent,
            "The tangent is y itself.  By eq. (6), with inputs of variance s² = 1 and mean μ = g(0) = 0, "
            "y has the "
            "variance N v² (1 + 0).  The output is to have the variance 1 again: N v² = 1.",
        ),
        (
            "The limit of (q − q')/q² as q → 0",
            growth,
            "y = √q z, and tanh² y = y² − (2/3)y⁴ + …, so (q − E tanh² y)/q² is the mean of "
            "(y² − tanh² y)/q², which tends to (2/3) z⁴ for each z and is never larger.",
        ),
        ("N times the variance of a uniform weight", uniform, "w uniform in [−1/√N, 1/√N] has mean 0."),
    )


def numbers() -> tuple[Measured, ...]:
    """Give the variances of the layers at N v² = 1, first input of variance 1."""
    found = [
        Measured(f"Var of layer {k}'s output", ORBIT[k - 1][1], f"kumar.tanh.v2=1/N.var.{k}")
        for k in (1, 2, 3, 5, 10)
    ]
    return tuple(found)


def derive() -> Derivation:
    """Eq. (12) with g(0) = 0 and g'(0) = 1."""
    return at(taylor(), {g0: 0, g1: 1})
