"""Every moment, gain and published constant of the reference table, through the public API, to all digits."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from flint import arb, ctx

import initmath
from initmath.activation import resolve
from initmath.integral import x

RECORDS = json.loads((Path(__file__).parent / "data" / "reference.json").read_text())
DIGITS = 45
GATES = {
    "glu": "sigmoid",
    "bilinear": "identity",
    "reglu": "relu",
    "geglu": "gelu",
    "log_softmax": "identity",
}
"""A gated unit with independent unit-variance halves has the second moment of its gate."""
MOMENT_OF = {
    "m1": "mean",
    "m2": "second_moment",
    "var": "variance",
    "chi": "derivative_second_moment",
    "mean": "mean",
}
CRITERION_OF = {"he_gain": "second_moment", "std_gain": "unit_variance", "bwd_gain": "backward"}


def chosen(prefix):
    records = [record for record in RECORDS if record["id"].split(".")[0] == prefix]
    assert records
    return pytest.mark.parametrize("record", records, ids=[record["id"] for record in records])


@cache
def answer(act, criterion):
    return initmath.derive(act, criterion=criterion, digits=DIGITS)


def moment(act, name):
    return getattr(answer(act, "second_moment").moments, name).ball


def computed(record):
    """The recorded quantity as a ball, from the public API."""
    act, quantity = GATES.get(record["activation"], record["activation"]), record["quantity"]
    if record["activation"] in GATES and quantity == "std_gain":
        quantity = "he_gain"  # of a product with mean zero
    if quantity in MOMENT_OF:
        return moment(act, MOMENT_OF[quantity])
    if quantity in CRITERION_OF:
        (solution,) = answer(act, CRITERION_OF[quantity]).criteria[CRITERION_OF[quantity]].solutions
        return solution.gain.ball
    if quantity == "rms":
        return moment(act, "second_moment").sqrt()
    if quantity == "std":
        return moment(act, "variance").sqrt()
    if quantity == "a1":
        return moment(x * resolve(act).expr, "mean")
    assert quantity == "d1", quantity
    derivative = resolve(act).derivative
    slopes = {piece.expr for piece in derivative.pieces}
    if len(slopes) == 1 and not slopes.copy().pop().free_symbols:
        return arb(int(slopes.pop()))  # a constant is no activation
    return moment(derivative.as_expr(), "mean")


@pytest.fixture(autouse=True)
def precision():
    """Sixty digits for the arithmetic of the tests themselves."""
    before, ctx.dps = ctx.dps, 60
    yield
    ctx.dps = before


def agrees(ball, text):
    """Whether a printed decimal is the rounded value: off by at most 0.6 units of its last digit."""
    unit = Decimal(1).scaleb(Decimal(text).as_tuple().exponent)
    exact = arb(text)
    if "." not in text and "e" not in text:
        unit = Decimal("1e-40")  # an integer is meant exactly
    return bool(abs(ball - exact).abs_upper() <= arb(str(unit)) * arb("0.6"))


@chosen("moment")
def test_moment(record):
    assert agrees(computed(record), record["value"])


@chosen("gain")
def test_gain(record):
    assert agrees(computed(record), record["value"])


@chosen("pub")
def test_published_constant(record):
    ball = computed(record)
    assert agrees(ball, record["value"])
    published = record["published_value"]
    if "sqrt" in published:
        assert published == "sqrt(2/(1-1/pi))"
        assert ball.overlaps((2 / (1 - 1 / arb.pi())).sqrt())
    elif record["agrees"]:
        printed = len(published.split(".")[1]) if "." in published else 0
        assert abs(ball - arb(published)).abs_upper() <= arb(10) ** -min(printed, 15)
    else:
        # The library gives the true value, and the published one lies provably outside.
        assert not ball.overlaps(arb(published))


def test_the_double_is_the_nearest_one():
    assert initmath.gain("relu") == 2**0.5
    for record in RECORDS:
        if record["quantity"] == "he_gain" and record["id"].startswith("gain."):
            assert initmath.gain(record["activation"]) == float(record["value"]), record["id"]
