"""Hermite coefficients: the reference table, Parseval's identity, and the kernel that they sum to."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from flint import arb, ctx

from initmath.errors import Divergent, InputError
from initmath.kernels import hermite_coefficient, hermite_coefficients, kernels

DATA = Path(__file__).parent.parent / "data" / "reference.json"
RECORDS = [r for r in json.loads(DATA.read_text()) if r["id"].startswith("hermite.")]
NAMES = sorted({r["activation"] for r in RECORDS})


def order(record):
    return int(record["quantity"].removeprefix("a_"))


def test_there_are_references():
    assert len(RECORDS) > 300 and len(NAMES) > 30


@pytest.mark.parametrize("name", NAMES)
def test_doubles_are_the_references(name):
    found = hermite_coefficients(name, 1.0, 8)
    for record in (r for r in RECORDS if r["activation"] == name):
        n, value = order(record), float(record["value"])
        off = abs(found.coefficients[n] - value)
        assert off <= found.error[n] + 2e-16 * abs(value), record["id"]
        assert off <= 1e-14 * np.sqrt(found.second_moment)


def reproduced(record):
    """To the last digit that the table gives."""
    found = hermite_coefficient(record["activation"], order(record), 1, digits=42)
    before = ctx.prec
    try:
        ctx.prec = 240
        value = arb(record["value"])
        digits = len(record["value"].lstrip("-0.").split("e")[0].replace(".", ""))
        if digits < 20:  # an exact number such as 0 or 1
            return bool(found.ball.contains(value)) or bool(abs(found.ball - value) < arb("1e-40"))
        return bool(abs(found.ball - value) <= abs(value) * arb(10) ** (1 - digits))
    finally:
        ctx.prec = before


@pytest.mark.parametrize("record", RECORDS[::7], ids=lambda r: r["id"])
def test_certified_coefficients_are_the_references(record):
    assert reproduced(record)


@pytest.mark.slow
def test_every_certified_coefficient_is_the_reference():
    assert [r["id"] for r in RECORDS if not reproduced(r)] == []


def test_a_wrong_reference_is_noticed():
    record = next(r for r in RECORDS if r["id"] == "hermite.relu.4")
    wrong = record["value"][:-4] + "9999"
    assert reproduced(record) and not reproduced({**record, "value": wrong})


@pytest.mark.parametrize("q", [Fraction(1, 100), Fraction(7, 3), Fraction(50)])
@pytest.mark.parametrize("name", ["gelu", "hardtanh", "softplus"])
def test_both_routes_agree_away_from_q_one(name, q):
    found = hermite_coefficients(name, float(q), 12)
    for n in (0, 1, 6, 11):
        certified = float(hermite_coefficient(name, n, q, digits=20))
        assert abs(found.coefficients[n] - certified) <= found.error[n] + 4e-16 * np.sqrt(found.second_moment)


@pytest.mark.parametrize("name", ["relu", "tanh", "heaviside", "elu", "exp"])
def test_the_rest_is_what_parseval_says(name):
    few, many = hermite_coefficients(name, [0.5, 2.0], 20), hermite_coefficients(name, [0.5, 2.0], 200)
    between = np.sum(many.coefficients[:, 21:] ** 2, axis=1)
    assert np.allclose(few.rest - many.rest, between, rtol=1e-9, atol=1e-13)
    assert np.all(many.rest >= -many.rest_error)


def test_the_rest_of_a_polynomial_is_zero():
    found = hermite_coefficients("hermite4", 1.0, 6)
    assert found.coefficients == pytest.approx([0, 0, 0, 0, np.sqrt(24), 0, 0], abs=1e-14)
    assert abs(found.rest) <= found.rest_error < 1e-12


@pytest.mark.parametrize("name", ["relu", "sign", "gelu", "mish"])
def test_the_series_is_the_kernel_within_its_error(name):
    c = np.array([-1.0, -0.6, 0.0, 0.5, 0.9, 0.999, 1.0])
    value, error = hermite_coefficients(name, 1.7, 60).kernel(c)
    found = kernels(name, 1.7, 1.7, c)
    assert np.all(np.abs(value - found.kernel) <= error + found.kernel_error + 1e-14)
    assert error[2] < 1e-13
    assert error[-1] > 1e-6 or name in ("gelu", "mish")  # at c = 1 the series of a kink converges slowly


def test_orders_far_out():
    # ReLU: a_n² = (n−3)!!²/(2π n!) for even n ≥ 2; ratio a_{n+2}²/a_n² = (n−1)²/((n+1)(n+2))
    a = hermite_coefficients("relu", 1.0, 400).coefficients
    n = np.arange(2, 398, 2)
    assert np.allclose(a[n + 2] ** 2 / a[n] ** 2, (n - 1) ** 2 / ((n + 1) * (n + 2)), rtol=1e-10)
    assert np.all(np.abs(a[3::2]) < 1e-15)


@pytest.mark.parametrize(
    "arguments", [("relu", -1.0, 3), ("relu", 1.0, -1), ("relu", 1.0, 2.5), ("relu", "a", 3)]
)
def test_bad_input_is_refused(arguments):
    with pytest.raises(InputError):
        hermite_coefficients(*arguments)


def test_divergence_is_named():
    with pytest.raises(Divergent):
        hermite_coefficients("exp(x**2)", 1.0, 4)
    with pytest.raises(InputError):
        hermite_coefficient("relu", -1)
