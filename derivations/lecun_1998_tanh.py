"""LeCun: the constants of 1.7159 tanh(2x/3), and where its curvature is largest.

The recommended function f(x) = A tanh(2x/3) is scaled so that f(1) = 1, f(−1) = −1: the targets ±1
are reached without saturating. That fixes A = 1/tanh(2/3) = 1.71590….

The largest |f''| is said to lie at x = 1, so that at the targets the slope changes fastest. Nearly:
write T = tanh(2x/3). Then f'' is proportional to T (1 − T²) = T − T³, whose derivative in T, 1 −
3T², vanishes at T = 1/√3. So the largest |f''| is at x = (3/2) artanh(1/√3) = 0.98772. (At x = 1
exactly it would be for artanh(1/√3) = 0.65848 in place of 2/3.)
"""

from __future__ import annotations

from sympy import Derivative, Eq, Rational, Symbol, atanh, coth, sqrt, tanh

from derivations.literate import Checked, Claim, Erratum, Measured, Paper, chain, then
from initmath.derivation import Derivation

PAPER = Paper(
    "LeCun, Bottou, Orr, Müller",
    1998,
    "Efficient backprop",
    "Neural networks: tricks of the trade",
    "in part",
)
CLAIM = Claim("section 4.4", "A, the factor that makes f(1) = 1.", "1.7159")

x = Symbol("x", real=True)
T = Symbol("T", real=True)
A = Symbol("A", positive=True)
b = Rational(2, 3)
PLACE = 3 * atanh(1 / sqrt(3)) / 2

ALSO = (
    Checked(Claim("section 4.4", "the x > 0 at which |f''| is largest", Rational(1), holds=False), PLACE),
)

ERRATA = (
    Erratum(
        "LeCun, Bottou, Orr, Müller 1998, section 4.4",
        "'the second derivative is a maximum at x = 1', f = 1.7159 tanh(2x/3); section 4.5 has it at ±1, too",
        "at x = (3/2) artanh(1/√3) = 0.98772",
        "f'' = −(8A/9) (T − T³) with T = tanh(2x/3), and T − T³ is largest where 1 = 3T².  "
        "At x = 1, T = 0.5828 and "
        "3T² = 1.019.",
        "in part",
    ),
)

REMARKS = (
    "The slope at 0 is (2/3) 1.7159 = 1.1439: above 1, to make up for the bending.",
    "For normal x of variance 1 the output's variance is 0.7504, so that one layer of it "
    "keeps q = 1 at "
    "N v² = 1.3326 (lecun_1998_fan_in).",
)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Show f'' in T = tanh(2x/3), and where it is largest."""
    first = Derivative(A * tanh(b * x), x)
    slope = chain(
        first,
        then(
            "differentiate",
            first,
            A * b * (1 - tanh(b * x) ** 2),
            "(tanh t)' = 1 − tanh² t; 2/3 is the inner slope.",
        ),
    )
    second = Derivative(A * b * (1 - tanh(b * x) ** 2), x)
    bend = chain(
        second,
        then(
            "differentiate",
            second,
            -2 * A * b**2 * tanh(b * x) * (1 - tanh(b * x) ** 2),
            "−2 tanh t times (tanh t)' = 1 − tanh² t, times the inner slope once more.",
        ),
    )
    turn = Derivative(T * (1 - T**2), T)
    derivative = chain(turn, then("differentiate", turn, 1 - 3 * T**2, "T − T³, term by term."))
    flat = Eq(1 - 3 * tanh(b * x) ** 2, 0)
    root = Eq(tanh(b * x), 1 / sqrt(3))
    place = chain(
        flat,
        then("root", flat, root, "divide by 3 and take the positive root: x > 0."),
        then("inverse", root, Eq(x, PLACE), "apply artanh to both sides and multiply by 3/2."),
    )
    return (
        ("f'", slope, "f(x) = A tanh(2x/3)."),
        ("f''", bend, "Proportional to T − T³ with T = tanh(2x/3)."),
        (
            "The slope of T − T³ in T",
            derivative,
            "T grows with x, so the largest |f''| is where this changes sign.",
        ),
        ("Where |f''| is largest", place, "1 − 3T² = 0."),
    )


def numbers() -> tuple[Measured, ...]:
    """Give both constants to fifteen digits."""
    return (
        Measured("A with A tanh(2/3) = 1", coth(b), "init.lecun_tanh.A"),
        Measured("x at which |f''| is largest", PLACE, "init.lecun_tanh.argmax2"),
        Measured("f'(0) with A = 1.7159", Rational(17159, 10000) * b, "init.lecun_tanh.gain"),
    )


def derive() -> Derivation:
    """Solve f(1) = 1."""
    start = Eq(A * tanh(b), 1)
    return chain(start, then("divide", start, Eq(A, 1 / tanh(b)), "divide by tanh(2/3), which is not 0."))
