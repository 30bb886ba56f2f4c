"""Deep kernel shaping of ReLU: the conditions in closed form, and three constants of the code's tests.

Deep kernel shaping replaces an activation φ by γ (φ(α z + β) + δ), chosen so that for z ~ N(0, 1) the
output has mean 0 (C(0) = 0) and mean square 1 (Q(1) = 1), and so that the correlation map has a slope C'(1)
that the depth of the network dictates. ReLU is homogeneous, so only α/β counts; the code fixes β = 1.

Then x = α z + 1 ~ N(1, α²), and everything is a truncated moment of it: with Φ and φ at 1/α, E max(0, x) =
Φ + α φ, E max(0, x)² = (1 + α²) Φ + α φ and E 1(x > 0) = Φ. So δ = −(Φ + α φ), γ = 1/√Var, and C'(1) = γ²
α² Φ is one equation for α. With no shift at all, β = 0, C'(1) is π/(π − 1), the most that a shift β ≥ 0 can
give.

The code's own test has α and γ for C'(1) = 1.002770965849537. They are off in the fifth digit, as a
quadrature rule is that does not know of the kink.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sympy import Heaviside, Integer, Max, Rational, Symbol, diff, erf, exp, pi, sqrt

from derivations.literate import Checked, Claim, Erratum, Measured, Paper, at, chain, derived, then
from derivations.orbits import enclosed
from initmath.derivation import Derivation, Number
from initmath.integral import GaussianIntegral, q

PAPER = Paper(
    "Martens, Ballard, Desjardins, Swirszcz, Dalibard, Sohl-Dickstein & Schoenholz",
    2021,
    "Rapid training of deep neural networks without skip connections or normalization layers using deep "
    "kernel shaping",
    "arXiv:2110.01765; its public code and tests (google-deepmind/dks) were read",
    "in part",
)
a = Symbol("alpha", positive=True)
x = Symbol("x", real=True)
SHARE = (1 + erf(1 / (sqrt(2) * a))) / 2
DENSITY = exp(-1 / (2 * a**2)) / sqrt(2 * pi)
MEAN = SHARE + a * DENSITY
SQUARE = (1 + a**2) * SHARE + a * DENSITY
TARGET = Rational("1.002770965849537")

CLAIM = Claim(
    "the code, the bound for ReLU's slope (in double precision)",
    "C'(1) of a ReLU without shift.",
    "1.46694220692426",
)


@cache
def constants() -> tuple[Number, Number, Number]:
    """Return α, δ and γ of the only solution with 1/20 ≤ α ≤ 20, certified."""
    from flint import arb

    from initmath.balls import bits, evaluate, working_precision
    from initmath.solving.roots import isolate

    def ball(expr: Any) -> Any:
        return lambda box, digits: evaluate(expr, {a: box}, bits(digits))

    equation = a**2 * SHARE - TARGET * (SQUARE - MEAN**2)
    found = isolate(ball(equation), ball(diff(equation, a)), arb("0.05"), arb(20), digits=25)
    (root,) = found.roots
    assert found.complete
    with working_precision(bits(30)):
        shift, scale = (evaluate(expr, {a: root}, bits(30)) for expr in (-MEAN, 1 / sqrt(SQUARE - MEAN**2)))
    method = "interval Newton method"
    return enclosed(root, method), enclosed(shift, method), enclosed(scale, method)


ALSO = (
    Checked(Claim("the tests, ReLU", "α", "0.3685360046708044", holds=False), constants()[0]),
    Checked(Claim("the tests, ReLU", "δ", "-1.000373858553784", holds=False), constants()[1]),
    Checked(Claim("the tests, ReLU", "γ", "2.721729988761473", holds=False), constants()[2]),
)
ERRATA = (
    Erratum(
        "Martens et al. 2021, tests of the public code: deep kernel shaping of ReLU",
        "input scale 0.3685360, output scale 2.7217300",
        "input scale 0.36854363, output scale 2.72167510 (output shift −1.00037394, printed −1.00037386)",
        "C'(1) = α² Φ(1/α)/Var max(0, α z + 1) has the asked value at one α only, isolated by the "
        "interval Newton "
        "method. Relative errors of 2.1·10⁻⁵ and 2.0·10⁻⁵; the constants of the smooth activations in the "
        "same tests are right to 10⁻⁷. For training it does not matter.",
        "in part",
    ),
)
REMARKS = (
    "The code writes the bound π/(π − 1) with nineteen digits; the first fifteen are right, those beyond "
    "double precision are not (…4260361, right …4259860).",
    "As α falls (a larger shift in proportion) almost no unit is cut off and C'(1) tends to 1, a linear "
    "network; "
    "that is how a deep network is made trainable.",
    "initmath transform relu --to dks solves the same conditions for any activation and target.",
)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Show the three truncated moments."""

    def under(f: Any) -> GaussianIntegral:
        return GaussianIntegral(f, x, 1, a**2)

    open_share = then(
        "probability",
        under(Heaviside(x)),
        SHARE,
        "P(x > 0) = P(z > −1/α) = Φ(1/α) = ½ (1 + erf(1/(√2 α))).",
    )
    first = chain(
        under(Max(0, x)),
        then("indicator", None, under(x * Heaviside(x)), "max(0, x) is x where x > 0, else 0."),
        then(
            "stein",
            under(x * Heaviside(x)),
            under(Heaviside(x)) + a * DENSITY,
            "E (x − 1) F(x) = α² E F'(x); F' is a spike at 0, α² times the density there, φ(1/α)/α.",
        ),
        open_share,
    )
    second = chain(
        under(Max(0, x) ** 2),
        then("indicator", None, under(x**2 * Heaviside(x)), "the square is x² where x > 0, else 0."),
        then(
            "stein",
            under(x**2 * Heaviside(x)),
            under(x * Heaviside(x)) + a**2 * under(Heaviside(x)),
            "E (x − 1) F(x) = α² E F'(x) with F = max(0, x), F' = 1(x > 0).",
        ),
        then(
            "stein",
            under(x * Heaviside(x)),
            under(Heaviside(x)) + a * DENSITY,
            "as for the mean.",
        ),
        open_share,
    )
    return (
        ("The mean: −δ", first, "x = α z + 1 ~ N(1, α²)."),
        ("The mean square", second, "Less the squared mean this is the variance, 1/γ²."),
    )


def derive() -> Derivation:
    """Show C'(1) without shift: E g'² over the variance, at q = 1."""
    slope = at(derived("relu", "derivative_second_moment"), {q: Integer(1)})
    variance = at(derived("relu", "variance"), {q: Integer(1)})
    return chain(
        slope.problem / variance.problem,
        *slope.steps,
        *variance.steps[:-1],  # the last one only collects the factor q, which is 1 here
        then("fraction", None, pi / (pi - 1), "½ over ½ − 1/(2π): times 2π above and below."),
    )


def numbers() -> tuple[Measured, ...]:
    """Show the right constants."""
    scale, shift, gamma = constants()
    return (
        Measured("α, for β = 1 and C'(1) = 1.002770965849537", scale, "dks.relu.input_scale"),
        Measured("δ", shift, "dks.relu.output_shift"),
        Measured("γ", gamma, "dks.relu.output_scale"),
        Measured("C'(1) without shift", pi / (pi - 1), "dks.relu_threshold"),
    )
