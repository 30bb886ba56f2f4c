"""E f(√q z) over two octaves of q: the error is what its proof says, and the truth lies inside."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Abs, Heaviside, Max, cos, exp, log, sin, sqrt, tanh

from initmath.enclosure import expectation, octaves
from initmath.enclosure.octaves import Term, slope_of, slope_over, value_of, value_over
from initmath.integral import x
from initmath.piecewise import PiecewiseSmooth


def _f(expr):
    return PiecewiseSmooth.from_expr(expr, x)


MISH = x * tanh(log(1 + exp(x)))
FUNCTIONS = {
    "tanh²": _f(tanh(x) ** 2),
    "relu²": _f(Max(x, 0) ** 2),
    "kink": _f(Abs(x - 1)),
    "jump": _f(Heaviside(x - 1)),
    "mish²": _f(MISH**2),
    "signed": _f(x**3 - x + 1),
    "oscillating": _f(sin(5 * x) ** 2),
    "exponential": _f(exp(x)),
    "singular": _f(log(Abs(x))),
}
variances = st.floats(-6, 6).map(lambda e: Fraction(2.0**e))
radii = st.floats(1e-9, 0.6)
places = st.fractions(-1, 1, max_denominator=64)


def _ball(q, radius):
    return arb(float(q), float(q) * radius)


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=12, deadline=None)
@given(q=variances, radius=radii, place=places)
def test_the_value_at_every_point_of_the_ball_lies_inside(name, q, radius, place):
    f, ball = FUNCTIONS[name], _ball(q, radius)
    found = value_over(f, ball)
    if found is None:
        return
    point = Fraction(float(q)) * (1 + place * Fraction(radius) * Fraction(999, 1000))
    assert found.overlaps(expectation(f, point, 20))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_few_balls_are_refused(name):
    """Or the property above would say nothing."""
    asked = [(2.0**e, r) for e in (-5, -2, 0, 2, 4) for r in (1e-8, 1e-2, 0.3)]
    refused = [pair for pair in asked if value_over(FUNCTIONS[name], _ball(*pair)) is None]
    # e^x grows by e^{2q} over the ellipse; narrow balls are refused where the error is more than their width.
    assert len(refused) <= (9 if name == "exponential" else 5), refused


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("k", [-3, 0, 1])
def test_the_error_is_bounded_between_the_nodes_and_not_absurdly(name, k):
    panel = octaves._panel(FUNCTIONS[name], 0, None, k)
    if panel is None:
        assert name == "exponential" and k == 1
        return
    worst = 0.0
    for i in range(1, 40):
        q = Fraction(4) ** k * Fraction(4.0 ** (i / 40))
        t = (arb(q.numerator) / q.denominator).log() - octaves._centre(k)
        truth = expectation(FUNCTIONS[name], q, 18)
        off = abs(panel.polynomial(t / octaves._half()) - truth)
        assert off <= panel.errors[0]
        worst = max(worst, float(off.upper()))
    assert worst > 0 and panel.errors[0] < octaves.USEFUL * 1e3


def test_a_bound_of_nothing_would_be_noticed():
    """Planted: were the ellipse's bound a thousandth of what it is, the test above would fail."""
    f, k = _f(exp(x)), 1
    true = octaves._panel(f, 0, None, k)
    worst = 0.0
    for i in range(1, 40):
        q = 4 * Fraction(4.0 ** (i / 40))
        t = ((arb(q.numerator) / q.denominator).log() - octaves._centre(k)) / octaves._half()
        worst = max(worst, float(abs(true.polynomial(t) - (arb(q.numerator) / q.denominator / 2).exp())))
    assert worst > float(true.errors[0]) / 1000


@pytest.mark.parametrize("q", [0.07, 0.9, 3.3, 40.0])
@pytest.mark.parametrize("radius", [0.01, 0.2, 0.5])
def test_slopes_of_known_expectations(q, radius):
    """E relu² = q/2, E|x| = √(2q/π), E cos = e^{−q/2}, P(x > 1): the slopes, jumps included."""
    ball = _ball(q, radius)
    cases = [
        (Max(x, 0) ** 2, lambda t: arb("0.5")),
        (Abs(x), lambda t: (1 / (2 * arb.pi() * t)).sqrt()),
        (cos(x), lambda t: -(-t / 2).exp() / 2),
        (Heaviside(x - 1), lambda t: (-1 / (2 * t)).exp() / (2 * t * (2 * arb.pi() * t).sqrt())),
    ]
    seen = 0
    for expr, slope in cases:
        found = slope_over(_f(expr), ball)
        if found is None:
            continue
        seen += 1
        for place in (-0.99, -0.5, 0, 0.3, 0.99):
            assert found.overlaps(slope(arb(q * (1 + place * radius))))
    assert seen >= 3


def test_a_sum_is_interpolated_as_one():
    """Of tanh: q·E g'² − E g², and d/dlog q E g² − q E g'² = q E g g''; both narrower than their parts."""
    g = tanh(x)
    second, slope = _f(g**2), _f(g.diff(x) ** 2)
    ball = _ball(0.05, 0.1)
    bias = value_of((Term(slope, power=1), Term(second, coefficient=-1)), ball)
    bend = value_of((Term(second, order=1), Term(slope, power=1, coefficient=-1)), ball)
    rate = slope_of((Term(second, order=1), Term(slope, power=1, coefficient=-1)), ball)
    for place in (-0.9, 0.0, 0.7):
        q = Fraction(0.05 * (1 + place * 0.1))
        t = arb(q.numerator) / q.denominator
        assert bias.overlaps(t * expectation(slope, q, 20) - expectation(second, q, 20))
        assert bend.overlaps(t * expectation(_f(g * g.diff(x, 2)), q, 20))
        h = Fraction(1, 10**6)
        ends = [
            arb(s.numerator) / s.denominator * expectation(_f(g * g.diff(x, 2)), s, 25)
            for s in (q - h, q + h)
        ]
        assert (
            abs((ends[1] - ends[0]) / (2 * arb(h.numerator) / h.denominator) - rate.mid()) < rate.rad() + 1e-6
        )
    apart = ball * value_over(slope, ball) - value_over(second, ball)
    assert bias.rad() < apart.rad() / 5


def test_another_way_to_the_values_gives_the_same():
    f = _f(Max(x, 0) ** 2)
    exact, ball = Term(f, at=_half), _ball(1.3, 0.3)
    assert value_of((exact,), ball).overlaps(value_of((Term(f),), ball))
    assert abs(value_of((exact,), ball).mid() - value_of((Term(f),), ball).mid()) < 1e-8


def _half(q):
    return q / 2


def test_narrower_than_one_integral_on_wide_balls():
    for name in ("tanh²", "relu²", "mish²"):
        ball = _ball(1.5, 0.3)
        assert value_over(FUNCTIONS[name], ball).rad() < expectation(FUNCTIONS[name], ball, 6).rad() / 2


def test_what_has_no_bound_is_refused():
    assert value_over(_f(exp(x**2 / 9)), arb(1, 0.1)) is None  # diverges at 4.9 · 2
    assert value_over(FUNCTIONS["tanh²"], arb(1, 0.1), digits=12) is None
    assert value_over(FUNCTIONS["tanh²"], arb(100).union(arb("0.01"))) is None
    assert value_over(_f(sqrt(Abs(x))), arb(1, 1)) is None  # reaches 0
