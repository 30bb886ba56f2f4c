"""Hayou et al.: on its edge ReLU forgets slowly, 1 − c_l ~ 9π²/(2 l²); smooth activations like 1/l.

Two inputs with correlation c = cos θ.  One layer of ReLU at σ_w² = 2 gives (arc-cosine kernel of Cho &
Saul) c' = (sin θ + (π − θ) cos θ)/π, that is 1 − c' = (1 − c) − (sin θ − θ cos θ)/π.

Let s = √(1 − c), small.  Then θ = √2 s and (sin θ − θ cos θ)/π = θ³/(3π), up to higher orders: so s'² = s²
(1 − k s) with k = 2√2/(3π).  Look at 1/s: each layer adds k/2 to it, in the limit.  Hence 1/s_l ~ k l/2
(the mean of numbers that tend to k/2 tends to k/2), s_l² ~ 4/(k² l²), and that is the claim.
"""

from __future__ import annotations

from sympy import Limit, Rational, Symbol, cos, pi, sin, sqrt

from derivations.literate import Claim, Measured, Paper, chain, then
from derivations.orbits import enclosed
from initmath.balls import working_precision
from initmath.derivation import Derivation

PAPER = Paper(
    "Hayou, Doucet & Rousseau",
    2019,
    "On the impact of the activation function on deep neural networks training",
    "arXiv:1902.06853",
    "from memory",
)
CLAIM = Claim("the correlations of ReLU on the edge", "the limit of l² (1 − c_l).", 9 * pi**2 / 2)

t = Symbol("theta", positive=True)
s = Symbol("s", positive=True)
m = Symbol("m", positive=True)
k = 2 * sqrt(2) / (3 * pi)

REMARKS = (
    "'Up to higher orders' costs nothing in the limit: the next term of θ' is of order θ³, which adds ln l "
    "to 1/θ_l "
    "beside l; that is also why l² (1 − c_l) arrives slowly (see the numbers).",
    "Smooth g: with m = C''(1)/2 = σ_w² q E g''²/2 the correlation map is 1 − c' = (1 − c) − m (1 − c)², and "
    "1 − c_l ~ 1/(m l).  A kink makes the difference: E g'(y₁) g'(y₂) then falls like √(1 − c), not like 1 "
    "− c.",
)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Show the drop of 1 − c at small angles; the angle; the smooth class."""
    drop = Limit((sin(t) - t * cos(t)) / (pi * t**3), t, 0)
    series = Limit((t**3 / 2 - t**3 / 6) / (pi * t**3), t, 0)
    lost = chain(
        drop,
        then(
            "series",
            None,
            series,
            "sin θ = θ − θ³/6 + …, θ cos θ = θ − θ³/2 + …; what follows is of order θ⁵ and does not count.",
        ),
        then("cancel", None, 1 / (3 * pi), "1/2 − 1/6 = 1/3, and θ³ cancels."),
    )
    angle = chain(
        Limit(sqrt(1 - cos(t)) / t, t, 0),
        then(
            "series", None, Limit(sqrt(t**2 / 2) / t, t, 0), "1 − cos θ = θ²/2 − …, the rest is of order θ⁴."
        ),
        then("cancel", None, 1 / sqrt(2), "√(θ²/2) = θ/√2."),
    )
    factor = chain(
        sqrt(2) ** 3 * (1 / (3 * pi)),
        then("power", None, k, "(√2)³ = 2√2."),
    )
    smooth = chain(
        Limit(1 / (s - m * s**2) - 1 / s, s, 0),
        then(
            "common denominator",
            None,
            Limit(m / (1 - m * s), s, 0),
            "1/(s − ms²) − 1/s = (s − (s − ms²))/(s (s − ms²)) = m/(1 − ms).",
        ),
        then("continuity", None, m, "put s = 0: each layer adds m to 1/(1 − c)."),
    )
    return (
        ("What a layer takes from 1 − c, over θ³", lost, "As θ → 0."),
        ("s = √(1 − c) over θ", angle, "So θ = √2 s to first order."),
        ("k: what a layer takes from s², over s³", factor, "θ³/(3π) with θ = √2 s."),
        (
            "For comparison, a smooth activation: 1/(1 − c) grows by m a layer",
            smooth,
            "With s for 1 − c and m = C''(1)/2: s' = s − m s².",
        ),
    )


def derive() -> Derivation:
    """Show 4 over the square of twice the growth of 1/s."""
    growth = Limit((1 / sqrt(1 - k * s) - 1) / s, s, 0)
    root = Limit(k / (sqrt(1 - k * s) * (1 + sqrt(1 - k * s))), s, 0)
    return chain(
        1 / growth**2,
        then(
            "conjugate",
            growth,
            root,
            "(1 − r)/r = (1 − r²)/(r (1 + r)) with r = √(1 − ks), and 1 − r² = ks.",
        ),
        then("continuity", root, k / 2, "put s = 0: r = 1."),
        then("fraction", None, 9 * pi**2 / 2, "k² = 8/(9π²), so 4/k² = 36π²/8."),
    )


def numbers() -> tuple[Measured, ...]:
    """Follow 1 − c from c = 0 through the layers."""
    from flint import arb

    found = []
    with working_precision(9000):
        angle, circle = arb.pi() / 2, arb.pi()
        for layer in range(1, 1001):
            c = (angle.sin() + (circle - angle) * angle.cos()) / circle
            angle = c.acos()
            if layer in (10, 100, 1000):
                what = f"l² (1 − c_l) at l = {layer}, from c₀ = 0"
                found.append(Measured(what, enclosed(layer**2 * (1 - c), "the recursion in ball arithmetic")))
    return (*found, Measured("the limit", 9 * pi**2 * Rational(1, 2)))
