"""A closed form is used only where its conditions certainly hold; elsewhere the enclosure stands alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flint import arb
from sympy import Abs, Max, Piecewise, Rational, Symbol, exp

import initmath
from initmath import gaussian, moments
from initmath.activation import resolve
from initmath.derivation import Status
from initmath.errors import Disagreement, Divergent, InputError, NotEnclosed
from initmath.integral import q, x
from initmath.moments import check, closed_form
from initmath.moments.enclosed import enclosed, enclosed_slope

BUMP = "x*exp(x**2/200) if abs(x)<2 else 0"


@pytest.fixture(autouse=True)
def _nothing_remembered():
    moments.forget()
    yield
    moments.forget()


@pytest.fixture
def plant(monkeypatch):
    true = gaussian.derive

    def put(change):
        def derive(integral, deadline=None):
            derivation = true(integral, deadline)
            return replace(derivation, value=change(derivation.value))

        monkeypatch.setattr(closed_form.gaussian, "derive", derive)

    return put


@pytest.mark.parametrize("at", [20, 60, 150])
def test_beyond_the_condition_the_enclosure_is_used(at):
    g = resolve(BUMP)
    assert moments.closed(g, "second_moment").domain == (50 - q,)
    for ball, truth in (
        (moments.ball, enclosed),
        (moments.ball_confirmed, enclosed),
        (moments.slope_ball, enclosed_slope),
        (moments.slope_ball_confirmed, enclosed_slope),
    ):
        assert ball(g, "second_moment", arb(at)).overlaps(truth(g, "second_moment", arb(at), 15))
    assert moments.slope(g, "second_moment", at).ball.overlaps(enclosed_slope(g, "second_moment", at, 15))
    found = moments.moment(g, "second_moment", at)
    assert (found.number.status is Status.EXACT) == (at < 50)
    assert (found.number.closed_form is None) == (found.derivation.value is None) == (at > 50)
    assert any("50 - q > 0 only" in warning for warning in found.warnings)


def test_a_ball_across_the_threshold_is_enclosed():
    g, wide = resolve(BUMP), arb(50, 1)
    assert moments.ball(g, "second_moment", wide).overlaps(enclosed(g, "second_moment", arb(50), 12))
    assert moments.closed_value(g, "second_moment") is None
    assert moments.closed_value(g, "second_moment", at=wide) is None
    assert moments.closed_value(g, "second_moment", at=arb(49)) is not None
    assert moments.closed_slope(g, "second_moment") is None


def test_both_solutions_are_found():
    answer = initmath.derive(BUMP, criterion="variance", target_variance="1/5").criteria["variance"]
    assert answer.complete
    assert [round(float(s.q), 3) for s in answer.solutions] == [0.199, 116.321]


@pytest.mark.parametrize(
    ("text", "name", "at"),
    [
        ("x*exp(x**2/4)*Phi(x)", "mean", 3),
        ("sqrt(Max(x,0))*exp(x**2/8)", "second_moment", 5),
        ("x*exp(x**2)", "mean", 1),
    ],
)
def test_a_divergent_integral_has_no_ball(text, name, at):
    with pytest.raises((Divergent, NotEnclosed)):
        moments.ball(resolve(text), name, arb(at))
    with pytest.raises((Divergent, NotEnclosed)):
        moments.moment(resolve(text), name, at)


@pytest.mark.parametrize(
    "text", ["x/(x**2-2)", "sin(x)/(x**2-3)", "x/(cos(x)+1/2)", "sin(x)*exp(x**2/2)", "1/sinh(x)"]
)
def test_symmetry_gives_no_number_to_a_divergent_integral(text):
    with pytest.raises((Divergent, NotEnclosed)):
        moments.moment(resolve(text), "mean", 1)


def test_the_enclosure_stands_alone_where_the_closed_form_cannot_be_evaluated():
    g = resolve(Piecewise((exp(x**2), Abs(x) < 1), (0, True)))
    number = moments.moment(g, "mean", "1/2").number
    assert number.status is Status.NUMERIC
    assert number.value.startswith("1.12837916709551")


def test_a_form_that_cancels_at_the_asked_q_gives_way_to_the_enclosure(monkeypatch):
    def useless(*_args):
        raise NotEnclosed("too wide")

    from initmath.moments import routes

    monkeypatch.setattr(routes, "compare", useless)
    number = moments.moment(resolve("relu"), "second_moment", 2).number
    assert number.status is Status.NUMERIC
    assert number.certified
    assert "not accurate" in number.method


def test_points_just_inside_the_threshold_are_compared(plant):
    # Right at every fixed q inside the domain, wrong near its end.
    zero = 1
    for at in (*check.CHECK_Q, *check.FAR_Q):
        zero *= q - at
    plant(lambda value: value + zero / 10**20)
    with pytest.raises(Disagreement):
        moments.closed(resolve(BUMP), "second_moment")


@pytest.mark.parametrize("k", [Rational(1, 10**7), 1, 10**4])
def test_the_threshold_is_found(k):
    below = check.threshold((k - q,), {})
    assert below < k < below * Rational(51, 50)
    assert check.threshold((), {}) is None
    assert check.threshold((1 + q,), {}) is None


@pytest.mark.parametrize("case", [Abs(q - 1000) + q - 1000, Max(0, q - 1000)])
def test_a_case_distinction_in_q_is_refused(plant, case):
    plant(lambda value: value + case)
    with pytest.raises(Disagreement, match="by cases in q"):
        moments.moment(resolve("gelu"), "second_moment", 1)


def test_a_case_distinction_in_a_parameter_is_refused(plant):
    a = Symbol("a", positive=True)
    plant(lambda value: value + Max(0, a - Rational(5, 2)))
    with pytest.raises(Disagreement, match="by cases in a"):
        moments.moment(resolve("leaky_relu", {"a": "symbol"}), "second_moment", 1)


def test_the_compared_parameters_range_over_decades_and_signs():
    b = Symbol("b", real=True)
    g = initmath.activation.core.Activation("affine", b * x + b**2)
    drawn = [values[b] for k in range(20) for values in check.admissible_values(g, str(k))[1:]]
    sizes = [abs(v) for v in drawn]
    assert min(sizes) < Rational(1, 100) and max(sizes) > 100
    assert min(drawn) < 0 < max(drawn)


def test_one_point_alone_confirms_nothing(monkeypatch):
    monkeypatch.setattr(check, "CHECK_Q", check.CHECK_Q[:1])
    monkeypatch.setattr(check, "FAR_Q", ())
    assert not moments.checked(resolve("relu"), "second_moment").confirmed


@pytest.mark.parametrize("far", ["1e-400", "1e400", "1e-101", "1e999999999999"])
def test_a_variance_out_of_range_is_refused_in_one_line(far):
    with pytest.raises(InputError, match="supported") as caught:
        moments.moment(resolve("mish"), "second_moment", far)
    assert "\n" not in str(caught.value)


def test_a_default_that_is_not_rational_has_a_value_to_show():
    values = moments.parameter_values(resolve("selu", {"alpha": "symbol"}))
    assert all(value.is_Rational for value in values.values())


def test_a_huge_weight_variance_is_shown():
    # g'(0) = 600·e^(−900): the tangent asks for a weight variance beyond the doubles.
    answer = initmath.derive("1+exp(-100*(x-3)**2)", criterion="taylor").criteria["taylor"]
    assert float(answer.solutions[0].sigma_w2.ball.log()) > 1780
