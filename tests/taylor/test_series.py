"""Power series at 0, exact, held against mpmath's numerical derivatives and known expansions."""

from __future__ import annotations

import pytest
from mpmath import mp, mpf, taylor
from sympy import (
    Abs,
    Integer,
    Rational,
    Symbol,
    asinh,
    atan,
    cos,
    cosh,
    erf,
    erfc,
    exp,
    lambdify,
    log,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)

from initmath.activation import catalogue, resolve
from initmath.integral import Phi, x
from initmath.taylor import NotAnalytic, taylor_coefficients

a = Symbol("a", positive=True)


def numeric(expr):
    return lambdify(x, expr.replace(Phi, lambda u: (1 + erf(u / sqrt(2))) / 2), "mpmath")


def assert_same(found, expr, order=10):
    with mp.workdps(60):
        expected = taylor(numeric(expr), mpf(0), order)
        for k in range(order + 1):
            assert abs(mpf(str(found[k].evalf(40))) - expected[k]) < mpf(10) ** -12 * (1 + abs(expected[k]))


# mpmath cannot differentiate sin(x)/x at 0; those are tested below
@pytest.mark.parametrize("name", sorted(set(catalogue()) - {"sinc", "sinc_pi"}))
def test_every_entry_of_the_catalogue_that_is_analytic_at_0(name):
    for piece in resolve(name).pieces.pieces:
        if piece.lower < 0 < piece.upper:
            assert_same(taylor_coefficients(piece.expr, x, 8), piece.expr, 8)


@pytest.mark.parametrize(
    "expr",
    [
        exp(sin(x) + x**2),
        log(2 + cos(x)) * sqrt(3 + x),
        tan(x + Rational(1, 3)),
        (2 + x) ** Rational(-7, 3),
        atan(1 + x**2),
        asinh(2 - x),
        erf(1 + x) * erfc(x / 2),
        sinh(x) ** 2 / cosh(x),
        exp(x) ** x,
        (1 + x**2) ** (x + 1),
    ],
)
def test_compositions(expr):
    assert_same(taylor_coefficients(expr, x, 10), expr)


def test_known_expansions():
    assert taylor_coefficients(tanh(x), x, 7)[1::2] == [
        1,
        Rational(-1, 3),
        Rational(2, 15),
        Rational(-17, 315),
    ]
    assert taylor_coefficients(1 / (1 - x), x, 5) == [1] * 6
    # x/(exp(x) − 1): Bernoulli numbers over k!
    bernoulli = taylor_coefficients(x / (exp(x) - 1), x, 6)
    assert bernoulli == [1, Rational(-1, 2), Rational(1, 12), 0, Rational(-1, 720), 0, Rational(1, 30240)]


def test_removable_singularities():
    assert taylor_coefficients(sin(x) / x, x, 4) == [1, 0, Rational(-1, 6), 0, Rational(1, 120)]
    assert taylor_coefficients((1 - cos(x)) / x**2, x, 2) == [Rational(1, 2), 0, Rational(-1, 24)]
    assert taylor_coefficients((tanh(x) - sin(x)) / x**3, x, 0) == [Rational(-1, 6)]


def test_symbolic_parameters_stay():
    found = taylor_coefficients(tanh(a * x) / a, x, 3)
    assert found[1] == 1 and (found[3] + a**2 / 3).expand() == 0
    root = taylor_coefficients(sqrt(x**2 + a), x, 2)
    assert root[0] == sqrt(a) and (root[2] - 1 / (2 * sqrt(a))).simplify() == 0


def test_hidden_zeros_are_seen():
    """√2·√2 − 2 = 0 must not become a pole."""
    expr = sin(x) / (x + (sqrt(2) * sqrt(1 + x**2) - sqrt(2 + 2 * x**2)))
    assert taylor_coefficients(expr, x, 2) == [1, 0, Rational(-1, 6)]


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        (1 / x, "pole"),
        (log(x), "logarithm of 0"),
        (sqrt(x), "branch"),
        (sqrt(sin(x) ** 2 * (1 + x)), "no rule"),
        (exp(1 / x), "pole"),
        (Abs(x), "no rule"),
        (log(x - 1), "negative"),
        (sqrt(x - 2), "negative"),
    ],
)
def test_what_has_no_series_says_why(expr, reason):
    with pytest.raises(NotAnalytic, match=reason):
        taylor_coefficients(expr, x, 3)


def test_zero_and_constants():
    assert taylor_coefficients(Integer(0), x, 2) == [0, 0, 0]
    assert taylor_coefficients(log(2), x, 1) == [log(2), 0]
