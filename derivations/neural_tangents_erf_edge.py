"""The edge of chaos of erf in closed form, and the 1.76 of a public notebook, which is 0.7 % too large.

An infinitely wide network with g = erf is critical at q if σ_w² E g'² = 1 and σ_b² = q − σ_w² E g². For erf
both expectations are elementary, E erf² = (2/π) arcsin(2q/(1 + 2q)) and E erf'² = 4/(π √(1 + 4q)), so the
edge is a curve in q with a formula.

A notebook of the neural-tangents library trains such networks at σ_b² = 0.18, with stax.Erf, and calls σ_w²
= 1.76 critical. At that σ_b² the edge has σ_w² = 1.7476; 1.76 is on the chaotic side. (It is close to
tanh's σ_w² at σ_b² = 0.05, 1.7610, which many papers use.)
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sympy import Rational, asin, diff, pi, sqrt

from derivations.literate import Checked, Claim, Erratum, Measured, Paper, chain, derived
from derivations.orbits import enclosed
from initmath.derivation import Derivation, Number
from initmath.integral import q

PAPER = Paper(
    "Xiao, Pennington & Schoenholz",
    2020,
    "the notebook Disentangling Trainability and Generalization",
    "public code, google/neural-tangents (of arXiv:1912.13053)",
    "in part",
)
WEIGHTS = pi * sqrt(1 + 4 * q) / 4
BIASES = q - sqrt(1 + 4 * q) * asin(2 * q / (1 + 2 * q)) / 2
GIVEN = Rational(18, 100)

CLAIM = Claim("the condition χ₁ = 1", "the critical σ_w² of erf at the variance q.", WEIGHTS)


@cache
def critical() -> tuple[Number, Number]:
    """Return q and σ_w² of the only point of the edge with σ_b² = 0.18 and 0.001 ≤ q ≤ 100, certified."""
    from flint import arb

    from initmath.balls import bits, evaluate, working_precision
    from initmath.solving.roots import isolate

    def at(expr: Any) -> Any:
        return lambda ball, digits: evaluate(expr, {q: ball}, bits(digits))

    found = isolate(at(BIASES - GIVEN), at(diff(BIASES, q)), arb("0.001"), arb(100), digits=25)
    (root,) = found.roots
    assert found.complete
    with working_precision(bits(25)):
        weights = evaluate(WEIGHTS, {q: root}, bits(25))
    method = "interval Newton method"
    return enclosed(root, method), enclosed(weights, method)


ALSO = (Checked(Claim("the notebook", "σ_w² at σ_b² = 0.18", "1.76", holds=False), critical()[1]),)
ERRATA = (
    Erratum(
        "neural-tangents, the notebook on trainability and generalization: erf at σ_b² = 0.18",
        "σ_w² = 1.76 is critical",
        "σ_w² = 1.747604 (at q = 0.987788)",
        "σ_w² = π√(1 + 4q)/4 and σ_b² = q − ½√(1 + 4q) arcsin(2q/(1 + 2q)); the second is 0.18 at one q "
        "only, "
        "isolated by the interval Newton method. At 1.76 the network is slightly chaotic; at the depths "
        "of the "
        "notebook the difference is small. 1.76 is tanh's value at σ_b² = 0.05; whether it comes from "
        "there is a guess.",
        "in part",
    ),
)
REMARKS = ("At q = 0 the curve starts at (σ_w², σ_b²) = (π/4, 0): the slope of erf at 0 is 2/√π.",)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Show σ_b²."""
    square, slope = derived("erf", "second_moment"), derived("erf", "derivative_second_moment")
    biases = chain(
        q - square.problem / slope.problem,
        *square.steps,
        *slope.steps,
    )
    text = "q is a fixed point if σ_b² = q − σ_w² E erf², and σ_w² = 1/E erf'²: π cancels, 2/4 is ½."
    return (("The bias variance on the edge", biases, text),)


def derive() -> Derivation:
    """Show σ_w² = 1/E erf'²."""
    slope = derived("erf", "derivative_second_moment")
    return chain(1 / slope.problem, *slope.steps)


def numbers() -> tuple[Measured, ...]:
    """Show the critical point at σ_b² = 0.18, and tanh's at 0.05."""
    root, weights = critical()
    return (
        Measured("erf, σ_b² = 0.18: q", root),
        Measured("erf, σ_b² = 0.18: σ_w²", weights, "eoc.nt_disentangling"),
        Measured("tanh, σ_b² = 0.05: σ_w²", _tanh()),
    )


@cache
def _tanh() -> Number:
    from initmath import edge_of_chaos

    (point,) = edge_of_chaos("tanh", sigma_b2="0.05").points
    return enclosed(point.sigma_w2.ball, "certified")
