"""Moment series: coefficients, measured errors, the best order, and what the series does not know."""

from __future__ import annotations

import json
from fractions import Fraction
from math import exp, factorial
from pathlib import Path

import pytest
from flint import arb
from mpmath import mp, mpf, npdf, quad, sqrt, tanh

from initmath.activation import resolve
from initmath.derivation import Declined, Status
from initmath.errors import InputError
from initmath.integral import q
from initmath.taylor import moment_series

TANH = "0.39429449039784104"  # E tanh(z)²


def test_tanh_gets_better_nowhere_and_worse_for_ever():
    """The partial sums of THEORY §1: 1, −1, 4.667, −16, 76.1 against 0.394294."""
    found = moment_series(resolve("tanh"), "second_moment", 20).measured(1, TANH)
    assert [round(float(v), 3) for v in found.values[1:6]] == [1.0, -1.0, 4.667, -16.0, 76.133]
    assert found.growing and found.best_order == 0
    assert found.errors[1] == pytest.approx(0.6057055096, abs=1e-9)


def test_asymptotic_series_improves_first():
    """At q = 0.05 the series of tanh is best near order π²/4q = 49, with an error of the size exp(−π²/8q)."""
    with mp.workdps(40):
        exact = quad(lambda t: tanh(sqrt(mpf("0.05")) * t) ** 2 * npdf(t), [-20, -10, -5, 0, 5, 10, 20])
        exact = str(exact)
    found = moment_series(resolve("tanh"), "second_moment", 100).measured("0.05", exact)
    assert found.growing
    assert 40 <= found.best_order <= 60
    assert 1e-12 < found.best_error < 1e-9
    assert found.errors[-1] > 100 * found.best_error


def test_reference_at_small_q():
    path = Path(__file__).parents[1] / "data" / "reference.json"
    records = json.loads(path.read_text(encoding="utf-8"))
    exact = next(r["value"] for r in records if r["id"] == "moment_q.tanh.q=0.01.m2")
    found = moment_series(resolve("tanh"), "second_moment", 100).measured("0.01", exact)
    assert found.best_error < 1e-38 and not found.growing


def test_mean_series():
    """m₁ = Σ g^(2k)(0) q^k/(2^k k!): for exp every derivative is 1."""
    series = moment_series(resolve("exp"), "mean", 12)
    assert [Fraction(str(c)) for c in series.coefficients] == [
        Fraction(1, 2**k * factorial(k)) for k in range(7)
    ]
    assert series.convergence == "everywhere"
    assert series.measured(1, exp(0.5)).best_order == 12


@pytest.mark.parametrize("name", ["sin", "cos", "snake", "gcu", "exp"])
def test_exponential_type_converges(name):
    series = moment_series(resolve(name), "second_moment", 80)
    assert series.convergence == "everywhere"
    sums = series.partial_sums("0.5")
    assert abs(sums[-1] - sums[-2]) < Fraction(1, 10**12)


def test_polynomials_are_exact():
    series = moment_series(resolve("hermite4"), "second_moment", 8)
    assert series.convergence == "exact" and not series.caveats
    assert series.partial_sums(1)[-1] == 24  # E He₄² = 4!
    assert moment_series(resolve("hermite4"), "second_moment", 6).convergence != "exact"
    assert moment_series(resolve("hermite4"), "derivative_second_moment", 6).partial_sums(1)[-1] == 96
    assert moment_series(resolve("square"), "variance", 4).partial_sums(3)[-1] == 18


def test_variance_is_second_moment_minus_mean_squared():
    for name in ("sigmoid", "softplus", "gelu"):
        act = resolve(name)
        parts = {m: moment_series(act, m, 16) for m in ("mean", "second_moment", "variance")}
        mean, second = (parts[m].polynomial for m in ("mean", "second_moment"))
        difference = (second - mean**2).expand()
        for k in range(4):
            gap = difference.coeff(q, k) - parts["variance"].coefficients[k]
            assert abs(float(gap)) < 1e-12


def test_kinks_away_from_0_are_confessed():
    series = moment_series(resolve("hardtanh"), "second_moment", 4)
    assert series.ignored_kinks == (-1, 1)
    assert "ignores the kinks of g at -1, 1" in series.caveats[0]
    assert series.convergence == "unknown"
    # it says q; the truth is 0.516
    assert series.measured(1, "0.516058550961713").best_error > 0.4


@pytest.mark.parametrize("name", ["relu", "sign", "elu", "softsign"])
def test_not_analytic_at_0_is_declined(name):
    declined = moment_series(resolve(name))
    assert isinstance(declined, Declined) and "0" in declined.reason


def test_number_carries_the_measured_error():
    number = moment_series(resolve("tanh"), "second_moment", 8).measured(1, arb(TANH)).number(2)
    assert number.status is Status.TRUNCATED
    assert number.ball.contains(arb(TANH)) and float(number) == -1.0
    assert "order 4" in number.method


def test_error_counts_the_radius_of_the_truth():
    series = moment_series(resolve("sin"), "second_moment", 40)
    wide = series.measured(1, arb("0.43233", "0.01"))
    assert wide.best_error >= 0.01


@pytest.mark.parametrize("arguments", [("third",), ("mean", 3), ("mean", -2), ("mean", 1000)])
def test_wrong_input(arguments):
    with pytest.raises(InputError):
        moment_series(resolve("tanh"), *arguments)


def test_symbolic_parameters():
    series = moment_series(resolve("dyt", {"alpha": "symbol"}), "second_moment", 4)
    assert str(series.coefficients[1]) == "alpha**2"
    with pytest.raises(InputError, match="symbolic"):
        series.partial_sums(1)
