"""LeCun: weights of standard deviation 1/√(fan-in) give pre-activations of variance 1, in the first layer.

A unit adds up m inputs that have been centred, scaled to variance 1 and decorrelated. Its weights
are independent of mean 0 and standard deviation v. Then the unit's input has the variance m v²
(kumar_2017_variance_of_a_layer with s = 1 and μ = 0), which is 1 for v = m^(−1/2).

The outputs should then have variance about 1, too: the constants of the recommended f are chosen for that,
the paper says. For f(x) = 1.7159
tanh(2x/3) and a normal x the variance is 0.7504; the next layers settle at a variance of the
pre-activations of 0.3824.
"""

from __future__ import annotations

from sympy import Eq, Integer, Symbol, sqrt

from derivations.literate import Claim, Measured, Paper, chain, then
from derivations.orbits import fixed_point, orbit
from initmath.derivation import Derivation

PAPER = Paper(
    "LeCun, Bottou, Orr, Müller",
    1998,
    "Efficient backprop",
    "Neural networks: tricks of the trade",
    "in part",
)

m = Symbol("m", positive=True)
v = Symbol("v", positive=True)

CLAIM = Claim("eq. (15), (16)", "v, the standard deviation of a weight, m the number of inputs.", 1 / sqrt(m))

REMARKS = (
    "The same variance is JAX's and Keras's lecun_normal and, with half width √(3/m), "
    "lecun_uniform; for "
    "SELU it is the one that keeps mean 0 and variance 1 (klambauer_2017_selu).",
)


def numbers() -> tuple[Measured, ...]:
    """Say what the recommended function makes of it."""
    ((_, variance),) = orbit("lecun_tanh", 1, 1, 1)
    settled = fixed_point("lecun_tanh", 1)
    return (
        Measured("Var f of the first layer, f(x) = 1.7159 tanh(2x/3)", variance),
        Measured("variance of the pre-activations after many layers", settled[0]),
        Measured("χ₁ there", settled[2]),
        Measured("half width of a uniform weight, m = 256", sqrt(Integer(3) / 256), "init.lecun_uniform"),
    )


def derive() -> Derivation:
    """Solve m v² (1 + 0²) = 1."""
    start = Eq(m * v**2, 1)
    square = Eq(v**2, 1 / m)
    return chain(
        start,
        then(
            "divide",
            start,
            square,
            "the variance of y is N v² (s² + μ²) with N = m, s = 1, μ = 0; divide by m.",
        ),
        then("root", square, Eq(v, 1 / sqrt(m)), "a standard deviation is positive."),
    )
