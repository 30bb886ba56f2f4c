"""L(q) = E sech²(√q z) by independent exact routes; its calculus; Owen's T."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest
import sympy as sp
from flint import arb

from initmath.balls import evaluate, evaluate_to, relative_error, working_precision
from initmath.gaussian.logistic_numerics import (
    derivative_polynomial,
    logistic_ball,
    logistic_by_poles,
    logistic_by_series,
    twice_log_cosh,
)
from initmath.gaussian.special import logistic_L, owens_t
from initmath.integral import q, x

VARIANCES = [Fraction(1, 10**8), Fraction(1, 100), Fraction(1), Fraction(10), Fraction(100), Fraction(10**4)]


def ball(value: Fraction) -> arb:
    return arb(value.numerator) / value.denominator


@pytest.mark.parametrize("value", VARIANCES, ids=str)
def test_trapezoid_against_the_accelerated_series(value: Fraction) -> None:
    with working_precision(160):
        by_trapezoid = logistic_ball(ball(value), 0, 120)
        by_series = logistic_by_series(ball(value), 150)
        assert by_trapezoid.overlaps(by_series)
        assert relative_error(by_series) < 1e-25


@pytest.mark.parametrize("value", [Fraction(1, 10), Fraction(1), Fraction(30)], ids=str)
def test_trapezoid_against_the_poles(value: Fraction) -> None:
    with working_precision(100):
        by_poles = logistic_by_poles(ball(value), 80, 500)
        assert by_poles.overlaps(logistic_ball(ball(value), 0, 80))
        assert by_poles.rad() < 1e-3


@pytest.mark.parametrize("value", VARIANCES, ids=str)
@pytest.mark.parametrize("order", [-1, 0, 1, 2, 3])
def test_against_mpmath_quadrature(order: int, value: Fraction) -> None:
    mine = evaluate_to(logistic_L(q, order), {q: value}, 30)
    assert relative_error(mine) <= 1e-30
    with mpmath.workdps(50):
        u = mpmath.sqrt(mpmath.mpf(value.numerator) / value.denominator)
        coefficients = derivative_polynomial(max(order, 0))

        def integrand(t: mpmath.mpf) -> mpmath.mpf:
            weight = mpmath.exp(-((t / u) ** 2) / 2) / (u * mpmath.sqrt(2 * mpmath.pi))
            if order == -1:
                # 2·log cosh t = log(1 + sinh² t), without cancellation at 0
                return 2 * weight * mpmath.log1p(mpmath.sinh(t) ** 2)
            s = mpmath.sech(t) ** 2
            return 2 * weight * sum(c * s**k for k, c in enumerate(coefficients)) / 2**order

        reach = 18 * u if order == -1 else min(18 * u, mpmath.mpf(80))
        panels = 40 if reach < 100 else 400
        known = mpmath.quad(integrand, mpmath.linspace(0, reach, panels + 1), maxdegree=5)
        known = mpmath.nstr(known, 40)
    with working_precision(150):
        slack = 100 * arb(str(value.numerator)) / value.denominator + 1
        assert abs(mine - arb(known)) <= abs(arb(known)) * arb(10) ** -25 * slack.max(arb(1))


def test_the_integral_of_l_is_continuous_across_its_two_methods() -> None:
    with working_precision(140):
        for nine in (arb("8.99"), arb("9.01")):
            direct = twice_log_cosh(nine, 110)
            assert relative_error(direct) < 1e-30
    low, high = twice_log_cosh(arb("8.99"), 90), twice_log_cosh(arb("9.01"), 90)
    slope = logistic_ball(arb(9), 0, 90)
    assert abs((high - low) / arb("0.02") - slope) < 1e-6


def test_values_at_zero_and_calculus() -> None:
    assert logistic_L(0) == 1 and logistic_L(0, -1) == 0 and logistic_L(0, 1) == -1
    assert logistic_L(q, 0) == logistic_L(q) and str(logistic_L(q)) == "logistic_L(q)"
    assert logistic_L(4 * q).diff(q) == 4 * logistic_L(4 * q, 1)
    assert logistic_L(q, -1).diff(q) == logistic_L(q)
    assert logistic_L(q).subs(q, 4) == logistic_L(4)
    assert sp.latex(logistic_L(q, 1)) == r"L'\left(q\right)"
    assert sp.latex(logistic_L(q, 3)) == r"L^{(3)}\left(q\right)"
    assert sp.latex(logistic_L(q, -1)) == r"\int_0^{q}\! L"
    with pytest.raises(ValueError, match="order"):
        logistic_L(q, -2)


@pytest.mark.parametrize("order", range(5))
def test_derivative_polynomials_are_derivatives(order: int) -> None:
    s = sp.Symbol("s")
    polynomial = sum(c * s**k for k, c in enumerate(derivative_polynomial(order)))
    derivative = sp.diff(1 - sp.tanh(x) ** 2, x, 2 * order)
    assert sp.expand(derivative - polynomial.subs(s, 1 - sp.tanh(x) ** 2)) == 0


def test_complete_monotonicity_encloses_wide_variances() -> None:
    wide = evaluate(logistic_L(q), {q: arb(2, 0.5)}, 80)
    for point in (Fraction(3, 2), Fraction(2), Fraction(5, 2)):
        assert wide.contains(evaluate(logistic_L(q), {q: point}, 80).mid())
    assert wide.rad() < 0.1
    assert evaluate(logistic_L(q, 1), {q: arb(0, 1e-3)}, 80).is_finite() is False
    assert evaluate(logistic_L(q), {q: arb("0.01", 0.01)}, 80).contains(1)


@pytest.mark.parametrize("h", [Fraction(0), Fraction(1, 7), Fraction(2), Fraction(9)])
@pytest.mark.parametrize("a", [Fraction(1, 5), Fraction(-3, 2), Fraction(40)])
def test_owens_t_by_its_integral(h: Fraction, a: Fraction) -> None:
    value = evaluate(owens_t(sp.Rational(h), sp.Rational(a)), {}, 100)
    with mpmath.workdps(30):
        hh, aa = (mpmath.mpf(v.numerator) / v.denominator for v in (h, a))

        def integrand(t: mpmath.mpf) -> mpmath.mpf:
            return mpmath.exp(-(hh**2) * (1 + t * t) / 2) / (1 + t * t)

        known = mpmath.quad(integrand, mpmath.linspace(0, aa, 41)) / (2 * mpmath.pi)
    assert abs(float(value.mid()) - float(known)) <= 1e-14 * abs(float(known))


def test_owens_t_calculus() -> None:
    h, a = sp.symbols("h a", positive=True)
    for symbol, point in ((h, sp.Rational(3, 4)), (a, sp.Rational(2, 3))):
        step = sp.Rational(1, 10**6)
        other = {h: sp.Rational(3, 4), a: sp.Rational(2, 3)}
        up, down = (evaluate(owens_t(h, a), {**other, symbol: point + s}, 120) for s in (step, -step))
        derivative = evaluate(owens_t(h, a).diff(symbol), other, 120)
        with working_precision(120):
            assert abs((up - down) / (2 * arb(1) / 10**6) - derivative) < 1e-11
