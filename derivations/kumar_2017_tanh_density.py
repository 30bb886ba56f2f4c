"""Kumar: the density of tanh of a normal variable, and exactly when it has two peaks.

Let t ~ N(0, u²) and y = tanh t. Since tanh is increasing, the probability of dy is that of dt: f(y)
is the normal density at t = artanh y times dt/dy = 1/(1 − y²) (eq. 16).

The paper says that the law is nearly normal for u near 0 and bimodal for u near 1, and leaves the
place between open. Differentiate log f with respect to t = artanh y (which has the same sign as the
derivative in y): d log f/dt = 2 tanh t − t/u². It is 0 at t = 0, and elsewhere where (tanh t)/t =
1/(2u²). The left side falls from 1 (at t = 0) to 0 (at ±∞), so there is such a t, one on each side,
exactly if 1/(2u²) < 1. Hence one peak at 0 for u² ≤ ½, two peaks and a dip at 0 for u² > ½.
"""

from __future__ import annotations

from flint import arb
from sympy import Derivative, Eq, Rational, Symbol, atanh, exp, log, pi, sqrt, tanh

from derivations.literate import DIGITS, Claim, Measured, Paper, chain, then
from derivations.orbits import enclosed
from initmath.balls import bits, working_precision
from initmath.derivation import Derivation

PAPER = Paper(
    "Kumar", 2017, "On weight initialization in deep neural networks", "arXiv:1704.08863", "in full"
)

y = Symbol("y", real=True)
t = Symbol("t", real=True)
u = Symbol("u", positive=True)

DENSITY = exp(-((log((1 + y) / (1 - y)) / 2) ** 2) / (2 * u**2)) / ((1 - y**2) * sqrt(2 * pi * u**2))
CLAIM = Claim("eq. (16), (17)", "the density of y = tanh t, t ~ N(0, u²), for −1 < y < 1.", DENSITY)

LOG_F = -(t**2) / (2 * u**2) - log(1 - tanh(t) ** 2) - log(u) - log(2 * pi) / 2

REMARKS = (
    "At u² = ½ the peak at 0 is flat: the second derivative 2 − 1/u² vanishes there.",
    "Glorot and Bengio's question, why deeper layers of tanh saturate less: u² falls from "
    "layer to layer "
    "(kumar_2017_tanh), and below ½ there is no peak away from 0 left.",
    "Two peaks appear long before saturation: at u² = 0.6 they lie at |y| < 0.7.",
)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Give the slope of log f, its slope at 0, and the threshold."""
    slope = chain(
        Derivative(LOG_F, t),
        then(
            "differentiate",
            Derivative(LOG_F, t),
            -t / u**2 + 2 * tanh(t) * (1 - tanh(t) ** 2) / (1 - tanh(t) ** 2),
            "term by term; (tanh t)' = 1 − tanh² t, so −log(1 − tanh² t) has the derivative "
            "2 tanh t (1 − tanh² t)/(1 − tanh² t); log u and log 2π are constants.",
        ),
    )
    bend = Derivative(2 * tanh(t) - t / u**2, t)
    curvature = chain(
        bend,
        then("differentiate", bend, 2 * (1 - tanh(t) ** 2) - 1 / u**2, "(tanh t)' = 1 − tanh² t once more."),
    )
    flat = Eq(2 - 1 / u**2, 0)
    threshold = chain(
        flat,
        then("multiply", flat, Eq(u**2, Rational(1, 2)), "multiply by u², which is not 0, and divide by 2."),
    )
    return (
        ("The slope of log f in t", slope, "log f with 1 − y² = 1 − tanh² t."),
        (
            "The second derivative",
            curvature,
            "At t = 0 this is 2 − 1/u²: a peak if negative, a dip if positive.",
        ),
        ("The threshold", threshold, "Where the second derivative at 0 changes its sign."),
    )


def numbers() -> tuple[Measured, ...]:
    """Give the threshold, and the peaks at u = 1."""
    with working_precision(bits(DIGITS)):
        low, high = arb(1), arb(3)  # 2 tanh t − t is positive at 1, negative at 3
        assert 2 * low.tanh() - low > 0 > 2 * high.tanh() - high
        while high - low > arb(10) ** -25:
            middle = ((low + high) / 2).mid()
            if 2 * middle.tanh() - middle > 0:
                low = middle
            else:
                high = middle
        root = low.union(high)
        mode, ratio = root.tanh(), (-(root**2) / 2).exp() / (1 - root.tanh() ** 2)
    how = "bisection with certified signs"
    return (
        Measured("u² from which the density has two peaks", Rational(1, 2), "kumar.bimodal.threshold_u2"),
        Measured("u from which it has two peaks", 1 / sqrt(2), "kumar.bimodal.threshold_u"),
        Measured("|y| of the peaks at u = 1", enclosed(mode, how), "kumar.bimodal.mode_u1"),
        Measured("f there over f(0), u = 1", enclosed(ratio, how), "kumar.bimodal.ratio_u1"),
    )


def derive() -> Derivation:
    """Change the variable from t to y."""
    within = (1 - y**2,)
    slope = Derivative(atanh(y), y)
    density = exp(-(atanh(y) ** 2) / (2 * u**2)) / sqrt(2 * pi * u**2)
    return chain(
        density * slope,
        then(
            "differentiate",
            slope,
            1 / (1 - y**2),
            "(tanh t)' = 1 − tanh² t = 1 − y²; its inverse is dt/dy.",
            positive=within,
        ),
        then(
            "inverse of tanh",
            atanh(y),
            log((1 + y) / (1 - y)) / 2,
            "solve y = (e^t − e^−t)/(e^t + e^−t) for e^(2t): (1 + y)/(1 − y).",
            positive=within,
        ),
    )
