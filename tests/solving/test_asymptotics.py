"""The forms at infinity are bounds: at random far points the function lies inside what its form claims."""

from __future__ import annotations

import pytest
from flint import arb

from initmath.activation import catalogue, resolve
from initmath.balls import evaluate, working_precision
from initmath.integral import x
from initmath.moments import ball
from initmath.solving.arithmetic import exact
from initmath.solving.asymptotics import NoForm, form_at_infinity
from initmath.solving.tails import concave_near_zero, monotone_limits, near_infinity, near_zero

POINTS = ("3.1", "4.7", "8.9", "21.3", "77", "310")


def claimed(form, point):
    total = arb(0)
    for power, coefficient in form.terms:
        total += coefficient * (point.log() * power.numerator / power.denominator).exp()
    rest = form.rest.at(point)
    return (form.rate * point).exp() * (total + arb(0, 1) * rest)


@pytest.mark.parametrize("name", list(catalogue()))
@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("order", [0, 1])
def test_forms_hold(name, side, order):
    g = resolve(name)
    piece = g.pieces.pieces[-1 if side > 0 else 0]
    end = piece.lower if side > 0 else piece.upper
    start = max(3.0, abs(float(end)) if end.is_finite else 0.0)
    try:
        with working_precision(100):
            form = form_at_infinity(piece.expr.diff(x, order), x, side, start, {})
    except NoForm:
        pytest.skip("no form, nothing claimed")
    with working_precision(4000):
        for text in POINTS:
            point = arb(text)
            if point < start:
                continue
            value = evaluate(piece.expr.diff(x, order), {x: side * point}, 4000)
            assert claimed(form, point).overlaps(value)


def test_two_bounds_of_nearly_one_decay_are_not_blown_up():
    """Φ(x) + x φ(x) − 1 falls faster than e^{-4x} beyond 8, with a constant of order 1."""
    with working_precision(100):
        form = form_at_infinity(resolve("gelu").expr.diff(x), x, 1, 8.0, {})
    assert form.rest.at(arb(8)) < 1e-10


@pytest.mark.parametrize(
    "name", ["relu", "gelu", "elu", "tanh", "gaussian", "heaviside", "hardshrink", "squareplus"]
)
def test_tails_of_the_variance(name):
    g = resolve(name)
    small, large = near_zero(g, arb(1)), near_infinity(g, arb("0.01"))
    for scale in ("1", "0.2", "0.01"):
        deviation = ball(g, "variance", (small.q * arb(scale)).mid(), 12).sqrt()
        assert not deviation < small.low
        assert not deviation > small.high
    for scale in ("1", "3", "20"):
        deviation = ball(g, "variance", (large.q * arb(scale)).mid(), 12).sqrt()
        assert not deviation < large.low
        assert not deviation > large.high


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "erf", "hardtanh", "softsign", "isru", "arctan", "sqnl"])
def test_monotone_activations_are_recognised(name):
    assert monotone_limits(resolve(name)) is not None


@pytest.mark.parametrize("name", ["gaussian", "sin", "gelu", "xgauss"])
def test_others_are_not(name):
    assert monotone_limits(resolve(name)) is None


def test_concavity_is_claimed_only_where_it_holds():
    assert concave_near_zero(resolve("tanh"), exact(1, 15)) is not None
    assert concave_near_zero(resolve("sinh(x)"), exact(1, 15)) is None
    assert concave_near_zero(resolve("tanh"), exact(2, 15)) is None
