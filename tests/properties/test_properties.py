"""Properties that hold for every activation, tried on random expressions from the grammar.

A few dozen of each in the default run; ``pytest -m slow`` tries thousands.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from sympy import Rational, Sum

from initmath import enclosure, gaussian
from initmath.activation import resolve
from initmath.balls import evaluate_to
from initmath.derivation import Status
from initmath.errors import Divergent, InputError, NotEnclosed
from initmath.integral import GaussianIntegral, q, x
from initmath.piecewise import PiecewiseSmooth
from tests.strategies import expressions, kinked, odd_expressions, q_values, smooth

DIGITS = 20
FEW = settings(
    max_examples=25, deadline=None, derandomize=True, database=None, phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
MANY = settings(FEW, max_examples=1000, phases=[Phase.generate])


def activation(text):
    """The activation, or give up on this example: constants are refused by design."""
    try:
        return resolve(text)
    except InputError as error:
        assume(False)
        raise AssertionError from error


def closed(integrand):
    """The engine's own answer, unchecked by anybody: it is what these tests check."""
    derivation = gaussian.derive(GaussianIntegral(integrand, x, 0, q))
    return derivation.value if derivation.status is Status.EXACT else None


def enclosed(integrand, at, digits=DIGITS):
    pieces = integrand if isinstance(integrand, PiecewiseSmooth) else PiecewiseSmooth.from_expr(integrand, x)
    try:
        return enclosure.expectation(pieces, Rational(at), digits=digits)
    except (Divergent, NotEnclosed):
        assume(False)
        raise


def agree(first, second):
    assert first.is_finite() and second.is_finite()
    assert first.overlaps(second), f"{first.str(25)} is not {second.str(25)}"


def check_closed_form_in_enclosure(text, at):
    function = activation(text)
    for integrand in (function.expr, function.expr**2, function.derivative.map(lambda e: e**2)):
        asked = integrand.as_steps() if isinstance(integrand, PiecewiseSmooth) else integrand
        value = closed(asked)
        if value is not None:
            agree(evaluate_to(value, {q: Rational(at)}, DIGITS), enclosed(integrand, at))


def check_odd_is_zero(text):
    value = closed(activation(text).expr)
    assert value == 0, f"E of the odd {text} came out as {value}"


def check_scaling(text, at):
    """E f(λ√q z) is E f at λ²q: the engine must not notice where the scale is written."""
    function = activation(text)
    scaled = function.expr.subs(x, 3 * x / 2)
    one, other = closed(function.expr), closed(scaled)
    if one is not None and other is not None:
        agree(
            evaluate_to(one, {q: Rational(9, 4) * Rational(at)}, DIGITS),
            evaluate_to(other, {q: Rational(at)}, DIGITS),
        )


def check_heat_equation(text, at):
    """d/dq E f(√q z) = ½ E f''(√q z) for smooth f."""
    function = activation(text)
    value = closed(function.expr)
    assume(value is not None and not value.has(Sum))  # a series has no certified slope of its own
    second = function.expr.diff(x, 2)
    if second == 0:
        assert value.diff(q) == 0
        return
    agree(evaluate_to(value.diff(q), {q: Rational(at)}, DIGITS), enclosed(second / 2, at))


def check_stein(text, at):
    """2q d/dq E f(√q z) = E[x f'(x)], kinks or not, as long as f does not jump."""
    function = activation(text)
    value = closed(function.expr)
    assume(value is not None and not value.has(Sum) and not function.jumps)
    slope = function.derivative.map(lambda e: x * e)
    agree(evaluate_to(2 * q * value.diff(q), {q: Rational(at)}, DIGITS), enclosed(slope, at))


@FEW
@given(expressions, q_values)
def test_no_closed_form_lies_outside_its_enclosure(text, at):
    check_closed_form_in_enclosure(text, at)


@FEW
@given(odd_expressions)
def test_the_expectation_of_an_odd_function_is_exactly_zero(text):
    check_odd_is_zero(text)


@FEW
@given(expressions, q_values)
def test_a_scale_may_stand_in_the_function_or_in_q(text, at):
    check_scaling(text, at)


@FEW
@given(smooth, q_values)
def test_heat_equation(text, at):
    check_heat_equation(text, at)


@FEW
@given(kinked, q_values)
def test_stein_across_kinks(text, at):
    check_stein(text, at)


@pytest.mark.slow
@MANY
@given(expressions, q_values)
def test_thousands_no_closed_form_lies_outside_its_enclosure(text, at):
    check_closed_form_in_enclosure(text, at)


@pytest.mark.slow
@MANY
@given(odd_expressions)
def test_thousands_the_expectation_of_an_odd_function_is_exactly_zero(text):
    check_odd_is_zero(text)


@pytest.mark.slow
@MANY
@given(expressions, q_values)
def test_thousands_a_scale_may_stand_in_the_function_or_in_q(text, at):
    check_scaling(text, at)


@pytest.mark.slow
@MANY
@given(smooth, q_values)
def test_thousands_heat_equation(text, at):
    check_heat_equation(text, at)


@pytest.mark.slow
@MANY
@given(kinked, q_values)
def test_thousands_stein_across_kinks(text, at):
    check_stein(text, at)
