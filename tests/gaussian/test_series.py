"""The series of E log²cosh: exact, a plain SymPy sum, and summed with a certified acceleration."""

from __future__ import annotations

from typing import Any

import mpmath
import pytest
import sympy as sp
from flint import arb

from initmath.balls import evaluate, evaluate_to, relative_error, working_precision
from initmath.enclosure import expectation
from initmath.gaussian import derive
from initmath.gaussian.logistic_numerics import alternating_sum
from initmath.gaussian.series_sums import LogCoshSquareSum, log_cosh_square
from initmath.integral import GaussianIntegral, q, x
from initmath.piecewise import PiecewiseSmooth

SQUARES = {
    "softplus": sp.log(1 + sp.exp(x)) ** 2,
    "logsigmoid": sp.log(1 + sp.exp(-x)) ** 2,
    "shifted_softplus": (sp.log(1 + sp.exp(x)) - sp.log(2)) ** 2,
    "log_cosh": sp.log(sp.cosh(x)) ** 2,
    "softplus_beta": sp.log(1 + sp.exp(3 * x)) ** 2 / 9,
}


@pytest.mark.parametrize("name", SQUARES)
@pytest.mark.parametrize("value", ["1e-8", "0.01", "1", "4", "100", "1e4"])
def test_against_the_enclosure(name: str, value: str) -> None:
    derivation = derive(GaussianIntegral(SQUARES[name], x, 0, q))
    assert derivation.value is not None and derivation.value.has(sp.Sum)
    closed = evaluate_to(derivation.value, {q: sp.Rational(value)}, 30)
    assert relative_error(closed) <= 1e-30
    pieces = PiecewiseSmooth.from_expr(SQUARES[name], x)
    assert closed.overlaps(expectation(pieces, sp.Rational(value), 30))


def test_the_printed_sum_is_the_sum() -> None:
    """Its spelling is a plain `Sum`; mpmath, alternating, gives the printed terms the same number."""
    expr = log_cosh_square(q)
    (series,) = expr.atoms(sp.Sum)
    assert str(series).startswith("Sum(")
    term = sp.lambdify(series.variables[0], series.function.subs(q, 1), "mpmath")
    with mpmath.workdps(25):
        known = mpmath.nsum(lambda n: term(mpmath.mpf(n)), [1, mpmath.inf], method="alternating")
    mine = evaluate(series, {q: 1}, 90)
    assert abs(float(mine.mid()) - float(known)) < 1e-14


def test_another_summand_is_not_evaluated_by_this_method() -> None:
    series = log_cosh_square(q).atoms(sp.Sum).pop()
    wrong = LogCoshSquareSum(2 * series.function, *series.limits)
    with pytest.raises(ValueError, match="not the series"):
        evaluate(wrong, {q: 1})


def test_a_wide_variance() -> None:
    wide = evaluate(log_cosh_square(q), {q: arb(2, 0.1)}, 80)
    for point in ("1.9", "2", "2.1"):
        assert wide.contains(evaluate(log_cosh_square(q), {q: sp.Rational(point)}, 80).mid())


@pytest.mark.parametrize(
    ("term", "closed"),
    [
        (lambda k: 1 / arb(k), sp.log(2)),
        (lambda k: 1 / arb(k) ** 2, sp.pi**2 / 12),
        (lambda k: arb(1) / 2**k, sp.Rational(1, 3)),
    ],
    ids=["log 2", "eta(2)", "geometric"],
)
def test_acceleration_keeps_its_promise(term: Any, closed: Any) -> None:
    with working_precision(140):
        value = alternating_sum(term, 100)
        assert value.overlaps(evaluate(closed, {}, 140))
        assert value.rad() < arb(10) ** -29


RATIONAL = {
    "arctan": sp.atan(x) ** 2,
    "arctan_slope": sp.atan(sp.sqrt(3) * x) ** 2,
    "log1px2": sp.log(1 + x**2) ** 2,
    "log1px2_slope": sp.log(1 + x**2 / 5) ** 2,
}


@pytest.mark.parametrize("name", RATIONAL)
@pytest.mark.parametrize("value", ["1e-8", "0.01", "0.99", "1.01", "4", "100", "1e4"])
def test_positive_series_against_the_enclosure(name: str, value: str) -> None:
    derivation = derive(GaussianIntegral(RATIONAL[name], x, 0, q))
    assert derivation.value is not None and derivation.value.has(sp.Sum)
    closed = evaluate_to(derivation.value, {q: sp.Rational(value)}, 30)
    assert relative_error(closed) <= 1e-30
    pieces = PiecewiseSmooth.from_expr(RATIONAL[name], x)
    assert closed.overlaps(expectation(pieces, sp.Rational(value), 30))


@pytest.mark.parametrize("name", ["arctan", "log1px2"])
def test_the_printed_terms_add_up(name: str) -> None:
    """The terms of the plain sum, by SymPy's Meijer G, are positive and add up to the value from below."""
    variance = sp.Rational(1, 40)
    value = derive(GaussianIntegral(RATIONAL[name], x, 0, q)).value
    (series,) = value.atoms(sp.Sum)
    closed = evaluate_to(series, {q: variance}, 20)
    term, index = series.function.subs(q, variance), series.variables[0]
    terms = [float(term.subs(index, n).evalf(20)) for n in range(1, 31)]
    assert all(t >= 0 for t in terms)
    assert abs(sum(terms) / float(closed.mid()) - 1) < 1e-12


def test_a_wide_variance_of_a_positive_series() -> None:
    expr = derive(GaussianIntegral(RATIONAL["arctan"], x, 0, q)).value
    wide = evaluate(expr, {q: arb(2, 0.1)}, 80)
    for point in ("1.9", "2", "2.1"):
        assert wide.contains(evaluate(expr, {q: sp.Rational(point)}, 80).mid())
