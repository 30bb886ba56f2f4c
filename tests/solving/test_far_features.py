"""Bumps, clips and pieces far from 0: every root is found, and nothing denied that exists."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational

from initmath import quadrature
from initmath.activation import resolve
from initmath.criteria import solve
from initmath.errors import Disagreement
from initmath.solving.asymptotics import Bound, largest
from initmath.solving.tails import near_infinity, range_bound

# expression, target, roots of Var g(√q z) = target (a dense scan by quadrature brackets each)
TABLE = [
    ("10*max(0,1-abs(x-5))", "1", (5.024612, 649.5651)),
    ("10*max(0,1-abs(x-5))", "0.01", (1.537054, 7070344.5)),
    ("5*max(0,1-abs(abs(x)-6)/2)", "1", (8.233947, 535.3873)),
    ("10*Heaviside(x-5)*Heaviside(6-x)", "1", (5.242851, 1528.922)),
    ("Piecewise((0,x<30),(3,x<60),(0,True))", "0.01", (96.21302, 115763879.0)),
    ("min(max(x,-1000),1000)", "500000", (923005.7,)),
    ("x**3*exp(-abs(x)/4)", "1000", (18.1574, 5179.712)),
    ("x**3*exp(-abs(x)/4)", "100", (4.140807, 540486.78)),
    ("tanh(x)-tanh(x-4)", "0.1", (0.12331, 2082.065)),
]


@pytest.mark.parametrize(("text", "target", "roots"), TABLE)
def test_all_roots_are_found(text, target, roots):
    result = solve("variance", resolve(text), target_variance=Rational(target))
    found = [float(s.q.ball) for s in result.solutions]
    assert found == pytest.approx(roots, rel=2e-6)
    assert result.complete


@pytest.mark.parametrize(("text", "target", "roots"), TABLE)
def test_the_table_is_what_quadrature_sees(text, target, roots):
    g, level = resolve(text), float(Rational(target))
    for root in roots:
        around = np.array([root * 0.99, root * 1.01])
        low, high = quadrature.moments(g, around).variance.value - level
        assert low * high < 0


def test_a_supremum_of_a_far_bump_is_not_below_its_values():
    result = solve("variance", resolve("10*max(0,1-abs(x-5))"), target_variance=40)
    assert not result.solutions
    if result.attainable is not None:
        assert float(result.attainable[1].ball.upper()) >= 2.9920


@pytest.mark.parametrize("text", ["10*max(0,1-abs(x-5))", "x**10*exp(-abs(x))", "9*Heaviside(x-40)"])
def test_a_range_holds_every_value(text):
    from flint import arb

    g = resolve(text)
    held = range_bound(g)
    values = g.numpy()(np.linspace(-60, 60, 4001))
    assert held is not None
    assert float(held.lower()) <= values.min() and values.max() <= float(held.upper())
    band = near_infinity(g, arb("1e-6"))
    for factor in (1, 3, 100):
        q = float(band.q.upper()) * factor
        deviation = float(quadrature.moments(g, np.array([q])).variance.value[0]) ** 0.5
        assert float(band.low) * (1 - 1e-6) <= deviation <= float(band.high) * (1 + 1e-6)


def test_a_bound_peaks_where_it_peaks():
    from flint import arb

    bound = Bound(arb(2), Fraction(10), arb(1))
    assert float(largest(bound, arb(3))) == pytest.approx(2 * 10**10 * np.exp(-10.0))
    assert float(largest(bound, arb(20))) == pytest.approx(2 * 20**10 * np.exp(-20.0))


NUMBERS = st.integers(1, 12)


@st.composite
def far(draw):
    """Draw a bump, a clip, a box or a step function whose features may lie anywhere up to |x| = 24."""
    place, width, height = draw(st.integers(-24, 24)), draw(NUMBERS), draw(NUMBERS)
    kind = draw(st.sampled_from(["bump", "clip", "box", "steps", "double"]))
    if kind == "bump":
        return f"{height}*max(0,1-abs(x-({place}))/{width})"
    if kind == "clip":
        return f"min(max(x,{place}),{place + width})"
    if kind == "box":
        return f"{height}*Heaviside(x-({place}))*Heaviside({place + width}-x)"
    if kind == "steps":
        return f"Piecewise((0,x<{place}),({height},x<{place + width}),(-1,x<{place + 3 * width}),(0,True))"
    return f"{height}*max(0,1-abs(abs(x)-{abs(place)})/{width})"


SCAN = np.geomspace(1e-2, 1e4, 60)


@given(far(), st.integers(5, 150))
@settings(max_examples=25)
def test_every_sign_change_is_among_the_solutions(text, percent):
    g = resolve(text)
    scanned = quadrature.moments(g, SCAN).variance.value
    assert np.isfinite(scanned).all()
    target = Rational(round(float(scanned.max()) * percent) + 1, 100)
    try:
        result = solve("variance", g, target_variance=target)
    except Disagreement as error:  # pragma: no cover
        pytest.fail(str(error))
    if result.attainable is not None:
        assert float(result.attainable[1].ball.upper()) >= scanned.max() * (1 - 1e-6)
    if not result.complete:
        return
    roots = [float(s.q.ball) for s in result.solutions]
    excess = scanned - float(target)
    clear = np.abs(excess) > 1e-5 * float(target)
    for k in range(len(SCAN) - 1):
        if clear[k] and clear[k + 1] and excess[k] * excess[k + 1] < 0:
            assert any(SCAN[k] <= root <= SCAN[k + 1] for root in roots), (text, target, SCAN[k])


def test_an_open_parameter_claims_nothing_for_all_its_values():
    result = solve("variance", resolve("a*sign(x)", {"a": "symbol"}))
    assert not result.complete
    assert "a = " in result.reason


def test_where_the_supremum_is():
    assert "q → 0" in solve("variance", resolve("sign(x)*cos(x)"), target_variance=2).reason
    assert "q → ∞" in solve("variance", resolve("tanh")).reason


def test_the_continuum_respects_the_biases():
    result = solve("variance", resolve("sign"), q=2, sigma_b2=3)
    assert "q > σ_b² = 3" in result.continuum
    assert not result.solutions


def test_an_orbit_that_is_not_proven_to_arrive_does_not():
    g = resolve("12263*Heaviside(0.0001-x**2)+x**2")
    (solution,) = solve("backward", g, fan_in=1, fan_out=300).solutions
    assert solution.q_star is None


@pytest.mark.parametrize("name", ["mish", "gelu", "x**3", "silu"])
def test_zero_is_reached_by_a_proof(name):
    (solution,) = solve("backward", resolve(name)).solutions
    assert solution.q_star.closed_form == 0
    assert "linear bound" in solution.q_star.method or "concavity" in solution.q_star.method
