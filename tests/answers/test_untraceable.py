"""A callable that cannot be traced: integrated in double precision, and labelled so."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special

from initmath import derive, gain
from initmath.activation import resolve
from initmath.moments import NAMES, moment, slope

CALLABLES = {
    "j0": scipy.special.j0,
    "floor": np.floor,
    "round": lambda x: np.round(x),
    "modulo": lambda x: x % 1,
    "slow": lambda x: float(scipy.special.jv(1, float(x))),
}


@pytest.mark.parametrize("function", CALLABLES.values(), ids=CALLABLES)
def test_every_criterion_answers_or_says_why(function):
    answer = derive(function)
    assert answer.activation.expression is None
    for name, each in answer.criteria.items():
        assert each.solutions or each.reason, name
        for solution in each.solutions:
            assert not solution.sigma_w2.certified
            assert solution.sigma_w2.status.value == "numeric"
    for name in ("second_moment", "unit_variance"):
        assert len(answer.criteria[name].solutions) == 1
    assert not answer.criteria["variance"].complete
    assert "could not be traced" in answer.criteria["variance"].reason
    assert any("not certified" in warning for warning in answer.warnings)
    assert answer.to_text() and answer.to_json()


def sum_over_steps(q: float) -> float:
    """E floor(y)² = Σ k² P(k ≤ y < k + 1)."""
    return sum(
        k * k * (math.erf((k + 1) / math.sqrt(2 * q)) - math.erf(k / math.sqrt(2 * q))) / 2
        for k in range(-60, 60)
    )


def test_floor_is_its_sum():
    assert gain(np.floor) == pytest.approx(sum_over_steps(1.0) ** -0.5, rel=1e-13)
    number = slope(resolve(np.floor), "second_moment", 1)
    h = 1e-4
    assert float(number) == pytest.approx((sum_over_steps(1 + h) - sum_over_steps(1 - h)) / (2 * h), rel=1e-7)


def hidden_tanh(x):
    return np.tanh(x) + 0 * np.floor(x)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("q", ["1/10", 1, 30])
def test_estimates_hold_what_they_say(name, q):
    untraced, traced = resolve(hidden_tanh), resolve("tanh")
    assert untraced.expr is None
    for what in (lambda a: moment(a, name, q).number, lambda a: slope(a, name, q)):
        estimate, true = what(untraced), what(traced)
        # The slope of E g'² inherits the error of the difference quotient.
        slack = 1e-9 if name == "derivative_second_moment" else 1e-15
        assert abs(float(estimate) - float(true)) <= float(estimate.error_bound) + slack
        assert not estimate.certified


def test_a_jump_is_no_slope():
    derivative = resolve(CALLABLES["modulo"]).numpy(1)(np.array([-1.0, -0.9999, 0.3, 0.9999, 1.0, 1.0001]))
    assert derivative == pytest.approx(1, abs=1e-10)
    assert not resolve(np.floor).numpy(1)(np.linspace(-3, 3, 101)).any()
    answer = derive(np.floor)
    assert any("jumps" in warning for warning in answer.warnings)
    assert "no gradient" in answer.criteria["backward"].reason
