"""The truncated normal of Keras and JAX: the constant 0.8796… is right, the complex one is not.

LeCun's, Glorot's and He's variances can be drawn from a normal law, a uniform one or a normal one that is
cut off at two standard deviations.  Cutting makes the variance smaller: of z ~ N(0, 1) given |z| < 2 it is
1 − 2·2φ(2)/P(|z| < 2), φ the normal density.  A sampler has to divide by the root of that, or the network
gets weights with 77 % of the variance that was asked for (as Keras before 2.2.3 and TensorFlow before the
middle of 2018 did).

A complex normal z with E|z|² = 1 has P(|z| > r) = e^(−r²).  JAX cuts at |z| = 2 and divides by a constant,
too; but in the constant the probability of |z| < 2 was forgotten.
"""

from __future__ import annotations

from sympy import Integral, Symbol, erf, exp, pi, sqrt

from derivations.literate import Checked, Claim, Erratum, Measured, Paper, chain, then
from initmath.derivation import Derivation

PAPER = Paper(
    "Keras and JAX developers",
    2018,
    "VarianceScaling and variance_scaling, distribution truncated normal",
    "public source code: the constants .87962566103423978 and .95311164380491208",
    "in part",
)
z = Symbol("z", real=True)
r = Symbol("r", positive=True)
DENSITY = exp(-(z**2) / 2) / sqrt(2 * pi)
STD = sqrt(1 - 2 * sqrt(2 / pi) * exp(-2) / erf(sqrt(2)))
COMPLEX = sqrt((1 - 5 * exp(-4)) / (1 - exp(-4)))

CLAIM = Claim(
    "the constant of Keras, TensorFlow and JAX",
    "the standard deviation of z given |z| < 2; as a double (they print .87962566103423978).",
    "0.8796256610342398",
)
ALSO = (
    Checked(
        Claim(
            "JAX, complex dtypes",
            "the root of E|z|² given |z| < 2, z complex normal with E|z|² = 1",
            "0.95311164380491208",
            holds=False,
        ),
        COMPLEX,
    ),
)
ERRATA = (
    Erratum(
        "JAX, nn.initializers.variance_scaling, complex truncated normal",
        "0.95311164380491208",
        "√((1 − 5e⁻⁴)/(1 − e⁻⁴)) = 0.961961828008…",
        "0.95311… is √(1 − 5e⁻⁴) to 13 digits: E|z|² 1(|z| < 2) without the division by P(|z| < 2) = 1 − "
        "e⁻⁴. Complex "
        "weights get a standard deviation 0.93 % too large (measured with jax 0.10.2: 1.00919; predicted "
        "1.00929).",
        "in part",
    ),
    Erratum(
        "Keras before 2.2.3, TensorFlow before the middle of 2018, TensorFlow.js (leCunNormal): "
        "truncated normal",
        "weights of the variance that was asked for, scale/fan",
        "0.773741 of it: the standard deviation was not divided by 0.8796256610342398",
        "Var z given |z| < 2 is 1 − 2√(2/π) e⁻²/erf √2 = 0.773741…; reported in keras #8048, tensorflow "
        "#16344 and "
        "tfjs #8594.",
        "in part",
    ),
)
REMARKS = (
    "The printed constant .87962566103423978 has one digit more than a double holds: the true one ends in "
    "…3975.",
    "torch.nn.init.trunc_normal_ cuts at −2 and 2 as such, not at two standard deviations, and corrects "
    "nothing: for "
    "the small weights of a network its variance is that of the normal law.",
    "The uniform law with standard deviation σ has the half width √3 σ.",
)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Show the complex constant: |z|² is exponential with mean 1, cut at 4."""
    t = Symbol("t", positive=True)
    mass = Integral(exp(-t), (t, 0, 4))
    mean = Integral(t * exp(-t), (t, 0, 4))
    complex_ = chain(
        sqrt(mean / mass),
        then(
            "antiderivative",
            mean,
            1 - 5 * exp(-4),
            "−(t + 1)e^(−t) has the derivative t e^(−t); from 0 to 4.",
        ),
        then("antiderivative", mass, 1 - exp(-4), "−e^(−t) has the derivative e^(−t); from 0 to 4."),
    )
    return (
        (
            "The complex constant: the root of E|z|² given |z| < 2",
            complex_,
            "t = |z|² has the density e^(−t), and |z| < 2 is t < 4.",
        ),
    )


def derive() -> Derivation:
    """Show integrate by parts from −2 to 2."""
    square = Integral(z**2 * DENSITY, (z, -2, 2))
    mass = Integral(DENSITY, (z, -2, 2))
    return chain(
        sqrt(square / mass),
        then(
            "by parts",
            square,
            mass - 4 * exp(-2) / sqrt(2 * pi),
            "z · zφ(z) with zφ = −φ': −zφ(z) from −2 to 2 is −4φ(2), and ∫φ is left.",
        ),
        then("error function", mass, erf(sqrt(2)), "P(|z| < 2) = erf(2/√2)."),
        then("fraction", None, STD, "divide both terms by erf √2; 4/√(2π) = 2√(2/π)."),
    )


def numbers() -> tuple[Measured, ...]:
    """Show both constants, and the variance without correction."""
    return (
        Measured("standard deviation of z given |z| < 2", STD, "init.truncnorm2.std"),
        Measured("its square: the share of the variance without the correction", STD**2, ""),
        Measured("the complex constant", COMPLEX, "init.ctruncnorm2.std"),
        Measured("√(1 − 5e⁻⁴), which JAX has", sqrt(1 - 5 * exp(-4)), ""),
    )
