"""Kumar: with Xavier's variance 1/N a ReLU network halves mean square and variance in every layer, exactly.

ReLU's output has mean u/√(2π) and second moment u²/2 when y ~ N(0, u²) (eq. 20, 21). With v² = 1/N,
eq. (6) reads u² = s² + μ²: the variance of y is the second moment of the layer's inputs. So the
second moment is halved from layer to layer, and μ² and s², fixed shares of it, are halved with it.

The paper adds its rounded shares, 0.16 + 0.34, and prints 0.51; they are 1/(2π) and ½ − 1/(2π), and
their sum is ½. Its printed s² of layers 22 and 30 were computed with ½. With section 2's own
numbering (x₁ is the network's input, s₁² = 1, μ₁ = 0) the exponent in eq. (29) and (30) is m − 2,
not m − 1.
"""

from __future__ import annotations

from sympy import Pow, Rational, Symbol, expand, pi

from derivations.literate import Checked, Claim, Erratum, Measured, Paper, chain, derived, then
from initmath.derivation import Derivation
from initmath.integral import q

PAPER = Paper(
    "Kumar", 2017, "On weight initialization in deep neural networks", "arXiv:1704.08863", "in full"
)
CLAIM = Claim(
    "eq. (29), (30)", "the ratio of s² (and of μ²) of one layer to the layer before.", "0.51", holds=False
)

u = Symbol("u_m", positive=True)
MEAN2 = derived("relu", "mean").value ** 2
SHARE = expand(derived("relu", "variance").value.subs(q, 1))


def variance_of_input(m: int) -> object:
    """s_m² with s₁² = 1 and μ₁ = 0: the first layer takes 1 to ½ − 1/(2π), each further one halves."""
    return SHARE * Rational(1, 2) ** (m - 2)


ALSO = (
    Checked(Claim("eq. (22), (28)", "s²_{m+1}/u_m²", "0.34"), SHARE),
    Checked(Claim("eq. (27)", "μ²_{m+1}/u_m²", "0.16"), MEAN2.subs(q, 1)),
    Checked(Claim("after eq. (30)", "s₂₂²", "1.62e-7", holds=False), variance_of_input(22)),
    Checked(Claim("after eq. (30)", "s₃₀²", "6.33e-10", holds=False), variance_of_input(30)),
    Checked(Claim("after eq. (30)", "(0.51)⁸", "3e-3", holds=False), Rational(51, 100) ** 8),
    Checked(Claim("after eq. (30)", "s₃₀²/s₂₂²", "3e-3"), Rational(1, 256)),
)

ERRATA = (
    Erratum(
        "Kumar 2017, eq. (29), (30): the ratio",
        "0.51",
        "1/2",
        "s² + μ² of the outputs is their second moment, u²/2; so the ratio is (½ − 1/(2π)) + "
        "1/(2π) = ½. Even the "
        "rounded shares give 0.34 + 0.16 = 0.50.",
        "in full",
    ),
    Erratum(
        "Kumar 2017, eq. (29), (30): the index",
        "0.34 (0.51)^(m−1) for all m ≥ 1; s₂₂² = 1.62·10⁻⁷, s₃₀² = 6.33·10⁻¹⁰",
        "(½ − 1/(2π)) 2^−(m−2) for m ≥ 2; s₂₂² = 3.2506·10⁻⁷, s₃₀² = 1.2697·10⁻⁹",
        "Section 2 has s₁² = 1, μ₁ = 0, so eq. (28) gives s₂² = ½ − 1/(2π): the exponent is "
        "0 at m = 2. At m = 1 the "
        "printed formula gives s₁² = 0.34, against s₁² = 1. (The printed numbers are "
        "0.34/2²¹ and 0.34/2²⁹: "
        "computed with the ratio ½ and not with 0.51.)",
        "in full",
    ),
    Erratum(
        "Kumar 2017, after eq. (30): layer 30 against layer 22",
        "(0.51)⁸ = 3·10⁻³ times smaller",
        "2⁻⁸ = 3.90625·10⁻³ times as large, 256 times smaller",
        "Eight layers, each with the ratio ½. And (0.51)⁸ = 4.58·10⁻³, not 3·10⁻³.",
        "in full",
    ),
    Erratum(
        "Kumar 2017, end of section 4",
        "the 30 layer network converges, but the 22 layer neural network does not",
        "The 22 layer network converges, the 30 layer network does not.",
        "The paper's own introduction and the start of the same paragraph have it the right "
        "way round, and so "
        "does the argument: the deeper network has the smaller variances.",
        "in full",
    ),
)

REMARKS = (
    "The mean of layer l (counted from 1) is 2^−(l−1)/2/√(2π), the standard deviation √(½ − "
    "1/(2π)) 2^−(l−1)/2: "
    "the curves of the paper's Figure 4.",
    "He's v² = 2/N makes the ratio 1.",
)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Mean squared and variance of one layer's output."""
    mean = derived("relu", "mean")
    squared = chain(
        mean.problem**2,
        *mean.steps,
        then("square", None, q / (2 * pi), "the square of √(q/(2π)) is q/(2π)."),
    )
    variance = derived("relu", "variance")
    return (
        (
            "μ² of the output, eq. (27)",
            squared,
            "In the steps x stands for the pre-activation y and q for its variance u².",
        ),
        ("s² of the output, eq. (28)", variance, "m₂ − m₁² with the two moments."),
    )


def numbers() -> tuple[Measured, ...]:
    """Give the variances that the paper prints."""
    return (
        Measured("s₂₂²", variance_of_input(22), "kumar.eq30.s2_22_reindexed"),
        Measured("s₃₀²", variance_of_input(30), "kumar.eq30.s2_30_reindexed"),
        Measured("s₂₂² with the printed index, ratio ½", SHARE / 2**21, "kumar.eq30.s2_22"),
        Measured("s₃₀² with the printed index, ratio ½", SHARE / 2**29, "kumar.eq30.s2_30"),
        Measured("s₃₀²/s₂₂²", Pow(2, -8), "kumar.ratio_30_22"),
        Measured("(0.51)⁸", Rational(51, 100) ** 8, "kumar.0.51^8"),
    )


def derive() -> Derivation:
    """Give the next layer's s² + μ² over this layer's, which is u² by eq. (26)."""
    after = SHARE * u**2 + MEAN2.subs(q, u**2)
    why = "add the two shares of u²: −1/(2π) and 1/(2π) cancel, and u²/2 over u² is left."
    return chain(after / u**2, then("add", after, u**2 / 2, why))
