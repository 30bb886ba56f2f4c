"""No closed form is shown unless an independent enclosure agrees: wrong rules, planted, must raise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import Eq, KroneckerDelta, Piecewise, Rational, Symbol, sin

from initmath import gaussian, moments
from initmath.activation import resolve
from initmath.derivation import Status
from initmath.errors import Disagreement, Divergent, InputError, NotEnclosed
from initmath.integral import q
from initmath.moments import closed_form, routes
from initmath.moments import enclosed as enclosed_module

a = Symbol("a", positive=True)


@pytest.fixture(autouse=True)
def _nothing_remembered():
    moments.forget()
    yield
    moments.forget()


@pytest.fixture
def plant(monkeypatch):
    """Let the engine return a wrong value for every integral that a chosen change touches."""
    true = gaussian.derive

    def put(change):
        def derive(integral, deadline=None):
            derivation = true(integral, deadline)
            if derivation.value is None:
                return derivation
            return replace(derivation, value=change(derivation.value))

        monkeypatch.setattr(closed_form.gaussian, "derive", derive)

    return put


def test_a_relative_error_of_1e_15_is_seen(plant):
    plant(lambda value: value * (1 + Rational(1, 10**15)))
    with pytest.raises(Disagreement, match=r"second_moment of gelu at q = "):
        moments.moment(resolve("gelu"), "second_moment", 1, digits=30)


def test_the_message_shows_both_balls(plant):
    plant(lambda value: 2 * value)
    with pytest.raises(Disagreement, match=r"the closed form gives .*, the enclosure "):
        moments.moment(resolve("relu"), "mean", 1)


@pytest.mark.parametrize("spike", [KroneckerDelta(q, 2), Piecewise((1, Eq(q, 2)), (0, True))])
def test_an_error_at_a_single_q_is_refused(plant, spike):
    plant(lambda value: value + spike)
    with pytest.raises(Disagreement, match="decides by cases"):
        moments.moment(resolve("relu"), "second_moment", 2)
    with pytest.raises(Disagreement, match="decides by cases"):
        moments.moment(resolve("relu"), "second_moment", 1)


def test_an_error_that_vanishes_at_every_fixed_point_is_seen_at_the_asked_q(plant):
    from initmath.moments.check import CHECK_Q, FAR_Q

    zero = 1
    for at in (*CHECK_Q, *FAR_Q):
        zero *= q - at
    plant(lambda value: value + zero / 10**9)
    with pytest.raises(Disagreement, match="at q = 2"):
        moments.moment(resolve("relu"), "second_moment", 2)


def test_an_error_in_a_symbolic_parameter_is_seen(plant):
    # Right at the default slope of 1/100, wrong elsewhere.
    plant(lambda value: value + (a - Rational(1, 100)) / 10**12)
    with pytest.raises(Disagreement, match="a = "):
        moments.moment(resolve("leaky_relu", {"a": "symbol"}), "second_moment", 1)


def test_an_error_in_the_mean_alone_reaches_the_variance(plant):
    plant(lambda value: value + sin(q) / 10**10)
    with pytest.raises(Disagreement):
        moments.moment(resolve("relu"), "variance", 1)


def test_without_the_enclosure_nothing_is_called_exact(monkeypatch):
    def none(*_args, **_kwargs):
        raise NotEnclosed("switched off")

    monkeypatch.setattr(enclosed_module.enclosure, "expectation", none)
    enclosed_module._remembered.cache_clear()
    found = moments.moment(resolve("relu"), "second_moment", 1)
    assert found.number.status is Status.NUMERIC
    assert not found.number.certified
    assert any("not confirmed" in warning for warning in found.warnings)
    enclosed_module._remembered.cache_clear()


def test_a_late_closed_form_gives_way_to_the_certified_number():
    found = moments.moment(resolve("gelu"), "second_moment", 1, timeout=0.0)
    assert found.number.status is Status.NUMERIC
    assert found.number.certified
    assert any("time" in warning for warning in found.warnings)
    # With time, the next call finds it.
    assert moments.moment(resolve("gelu"), "second_moment", 1).number.status is Status.EXACT


@pytest.mark.parametrize("bad", [0, -1, "nan", "oo", "two", float("inf")])
def test_a_variance_is_positive_and_finite(bad):
    with pytest.raises(InputError, match="q = "):
        moments.moment(resolve("relu"), "mean", bad)


def test_divergence_is_refused_and_infinite_slopes_are_shown():
    with pytest.raises(Divergent):
        moments.moment(resolve("exp(x**2)"), "second_moment", 1)
    slope = moments.moment(resolve("sqrt(abs(x))"), "derivative_second_moment", 1)
    assert slope.number.value == "inf"


def test_a_jump_is_warned_of():
    found = moments.moment(resolve("hardshrink"), "derivative_second_moment", 1)
    assert any("jumps at x = -1/2, 1/2" in warning for warning in found.warnings)


def test_the_slope_counts_the_jumps():
    # E H(√q z - 1)² = P(z > 1/√q); its derivative is all jump.
    value = moments.slope(resolve("Heaviside(x - 1)"), "second_moment", 2)
    again = routes.enclosed_slope(resolve("Heaviside(x - 1)"), "second_moment", Rational(2), 20)
    assert value.status is Status.EXACT
    assert value.ball.overlaps(again)
    assert float(again) == pytest.approx(0.0549238, abs=1e-6)
