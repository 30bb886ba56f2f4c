"""A step is true only where its integrals exist, and says so in a form that a program can check."""

from __future__ import annotations

import pytest
from sympy import Abs, Heaviside, Max, Piecewise, cos, coth, erf, exp, sign, sin, sinh, sqrt, tan

from initmath.errors import Divergent
from initmath.gaussian import derive
from initmath.integral import GaussianIntegral, q, x


def integral(f, variance=q):
    return GaussianIntegral(f, x, 0, variance)


@pytest.mark.parametrize(
    ("f", "domain"),
    [
        (exp(x**2), (1 - 2 * q,)),
        (x * exp(x**2), (1 - 2 * q,)),
        (x * (1 + erf(x)) * exp(x**2 / 4), (2 - q,)),
        (sqrt(Max(x, 0)) * exp(x**2 / 8), (4 - q,)),
        (Piecewise((exp(x**2), Abs(x) < 1), (0, True)), (1 - 2 * q,)),
        (x**2 * exp(-(x**2)), ()),
    ],
)
def test_the_conditions_of_all_steps_are_the_domain(f, domain):
    found = derive(integral(f))
    assert found.value is not None
    assert found.domain == domain
    for step in found.steps:
        assert all(f"{condition} > 0" in step.conditions for condition in step.positive)


def test_the_step_that_makes_divergent_terms_carries_the_condition():
    found = derive(integral(Piecewise((exp(x**2), Abs(x) < 1), (0, True))))
    assert found.steps[0].positive == (1 - 2 * q,)


def test_an_integral_that_exists_is_not_called_divergent():
    found = derive(integral(Piecewise((exp(x**2), Abs(x) < 1), (0, True)), variance=3))
    assert found.value is None


@pytest.mark.parametrize(
    "f",
    [
        1 / x,
        x**-3,
        sinh(x) / x**2,
        sign(x) / x**2,
        1 / (x * Abs(x)),
        tan(x),
        x / (x**2 - 2),
        x / (x**4 - 2),
        sin(x) / (x**2 - 3),
        x / (cos(x) + 1 / sqrt(2)),
        1 / sinh(x),
        x * exp(x**4),
    ],
)
def test_an_odd_function_with_a_pole_has_no_expectation(f):
    try:
        found = derive(integral(f))
    except Divergent:
        return
    assert found.value is None


@pytest.mark.parametrize(
    "f",
    [
        coth(x) - 1 / x,
        (1 - cos(x)) / x,
        sign(x) / sqrt(Abs(x)),
        x * exp(-(x**4)),
        x / (1 + x**2),
        x / (1 + Abs(x)),
        sin(x) / (2 + cos(x)),
        x * Heaviside(x) + x * Heaviside(-x),
    ],
)
def test_an_odd_function_without_a_pole_has_expectation_zero(f):
    assert derive(integral(f)).value == 0
