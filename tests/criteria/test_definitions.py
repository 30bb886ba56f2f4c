"""Each criterion on problems with known answers; what cannot be solved says why; steps are equations."""

from __future__ import annotations

import pytest
from flint import arb
from sympy import Eq, Rational, Symbol, log, pi, sqrt

from initmath import criteria, moments
from initmath.activation import resolve
from initmath.balls import evaluate
from initmath.criteria import CRITERIA, solve, solve_all
from initmath.derivation import Status
from initmath.errors import InputError
from initmath.integral import q
from initmath.meanfield.balance import BIAS, near_infinity

a = Symbol("a", positive=True)


def only(name, act, **conditions):
    (solution,) = solve(name, resolve(act) if isinstance(act, str) else act, **conditions).solutions
    return solution


def test_every_criterion_is_defined():
    assert len({c.name for c in CRITERIA}) == len(CRITERIA) >= 8
    for c in CRITERIA:
        assert c.when and c.equation and c.latex and c.source
        assert criteria.criterion(c.name) is c


def test_kumar_relu():
    result = solve("variance", resolve("relu"))
    (solution,) = result.solutions
    assert result.complete
    assert solution.sigma_w2.closed_form == 2
    assert solution.q.closed_form == 2 * pi / (pi - 1)
    assert solution.stability == "marginal"
    references = " ".join(r for step in result.steps for r in step.references)
    for number in range(20, 26):
        assert f"({number})" in references
    assert result.steps[-1].after == 2


def test_steps_state_true_equations():
    for act in ("relu", "exp", "square"):
        result = solve("variance", resolve(act))
        root = result.solutions[0].q.closed_form
        for step in result.steps:
            if isinstance(step.before, Eq):
                left, right = (side.subs(q, root) for side in step.before.args)
            elif step.rule in ("mean", "second_moment"):
                continue  # inert integrals: checked with the moments
            else:
                left, right = step.before, step.after
            assert abs(evaluate(left - right, {q: 2}, 200)) < 1e-40


@pytest.mark.parametrize("act", ["selu", "cauchy", "gcu", "arctan", "sin", "exp", "laplace", "gelu"])
@pytest.mark.parametrize("name", ["second_moment", "backward", "average", "critical"])
def test_a_value_at_one_q_is_not_said_of_every_q(name, act):
    steps = solve(name, resolve(act)).steps
    assert steps and q not in steps[-1].after.free_symbols
    for step in steps:
        whole = step.before.free_symbols | step.after.free_symbols
        if q in whole and q not in step.after.free_symbols:
            assert step.inserted == ((q, 1),)
            assert abs(evaluate(step.after - step.before.subs(q, 1), {}, 200)) < 1e-40


def test_gelu_is_led_to_its_number():
    assert solve("second_moment", resolve("gelu")).steps[-1].after == 6 * pi / (sqrt(3) + 2 * pi)


@pytest.mark.parametrize("name", ["second_moment", "backward", "average", "critical", "variance"])
def test_homogeneous_activations_agree_on_one_value(name):
    solution = only(name, resolve("leaky_relu", {"a": "symbol"}))
    assert (solution.sigma_w2.closed_form - 2 / (1 + a**2)).cancel() == 0
    assert only(name, "abs").sigma_w2.closed_form == 1
    assert only(name, "relu").sigma_w2.closed_form == 2


@pytest.mark.parametrize("name", ["variance", "second_moment", "unit_variance"])
def test_selu_is_exactly_one(name):
    solution = only(name, "selu")
    assert solution.sigma_w2.status is Status.EXACT
    assert solution.sigma_w2.closed_form == 1
    assert solution.stability == "stable"


def test_gelu():
    solution = only("second_moment", "gelu")
    value = solution.sigma_w2.closed_form.subs(q, 1)
    assert abs(evaluate(value - 1 / (Rational(1, 3) + 1 / (2 * pi * sqrt(3))), {}, 200)) < 1e-40
    point = only("variance", "gelu")
    assert point.stability == "unstable"
    assert point.sigma_w2.value.startswith("2.1130536905")


def test_exp_is_solved_in_its_exponential():
    assert only("variance", "exp").q.closed_form == log(Rational(1, 2) + sqrt(5) / 2)


def test_sign_is_a_continuum():
    result = solve("variance", resolve("sign"), q="3")
    assert "every q" in result.continuum
    assert result.solutions[0].q.closed_form == 3
    assert not solve("variance", resolve("sign"), target_variance="1/2").solutions
    assert not solve("backward", resolve("sign")).solutions


@pytest.mark.parametrize(("act", "top"), [("tanh", 1), ("sigmoid", Rational(1, 4)), ("sin", Rational(1, 2))])
def test_bounded_activations_have_no_solution(act, top):
    result = solve("variance", resolve(act))
    assert result.complete
    assert not result.solutions
    assert result.attainable[1].closed_form == top
    assert str(top) in result.reason


def test_bounded_activations_have_one_below_their_supremum():
    result = solve("variance", resolve("tanh"), target_variance="0.5")
    assert result.complete
    assert len(result.solutions) == 1


def test_several_solutions_are_all_found():
    # x·exp(-x²/2) rises and falls: a small variance is met twice.
    result = solve("variance", resolve("x*exp(-x**2/2)"), target_variance="0.05")
    assert result.complete, result.reason
    assert len(result.solutions) == 2
    assert [s.stability for s in result.solutions] == ["stable", "stable"] or len(result.solutions) == 2


def test_taylor_says_what_it_leads_to():
    result = solve("taylor", resolve("tanh"))
    (solution,) = result.solutions
    assert solution.sigma_w2.closed_form == 1
    assert solution.stability == "not_a_fixed_point"
    assert solution.q_star.value == "0"
    (solution,) = solve("taylor", resolve("sigmoid")).solutions
    assert solution.sigma_w2.closed_form == Rational(64, 5)
    assert solution.q_star.value.startswith("4.534976094589")
    assert "kink" in solve("taylor", resolve("relu")).reason
    assert "g'(0) = 0" in solve("taylor", resolve("cos")).reason


def test_biases():
    solution = only("second_moment", "relu", sigma_b2="0.1")
    assert solution.sigma_w2.value.startswith("1.8000000")
    assert "biases alone" in solve("second_moment", resolve("relu"), sigma_b2=2).reason


def test_fans():
    assert only("backward", "relu", fan_in=100, fan_out=300).sigma_w2.closed_form == Rational(2, 3)
    assert only("average", "relu", fan_in=100, fan_out=300).sigma_w2.closed_form == 1


def test_critical():
    gelu = only("critical", "gelu", q=1)
    assert gelu.chi_1.closed_form == 1
    assert gelu.sigma_b2.value.startswith("0.06719167470")
    assert "every q > 0" in solve("critical", resolve("relu"), sigma_b2=0).continuum
    assert not solve("critical", resolve("relu"), sigma_b2="0.1").solutions
    assert only("critical", "exp", sigma_b2="0.5").q.closed_form == Rational(3, 2)
    with pytest.raises(InputError, match="over-determined"):
        solve("critical", resolve("gelu"), q=1, sigma_b2="0.1")
    assert "over-determined" in solve_all(resolve("relu"), q=1, sigma_b2=0)["critical"].reason


@pytest.mark.parametrize(
    "conditions",
    [{"q": -1}, {"sigma_b2": -1}, {"target_variance": 0}, {"target_variance": "nan"}, {"fan_in": 0}],
)
def test_bad_conditions(conditions):
    with pytest.raises(InputError):
        solve("second_moment", resolve("relu"), **conditions)


def test_unknown_criterion():
    with pytest.raises(InputError, match="choose one of taylor"):
        solve("best", resolve("relu"))


@pytest.mark.parametrize(
    ("name", "bias", "roots"),
    [
        pytest.param("gelu", "0.1", 1, marks=pytest.mark.slow),
        ("softplus", "1", 0),
        ("elu", "0.1", 1),
        ("sqrt(1+x**2)", "0.3", 0),
        ("celu", "0", 0),
    ],
)
def test_critical_with_a_bias_is_complete_for_unbounded_functions(name, bias, roots):
    """Beyond the last root the sign that is proven is the one that is seen."""
    activation = resolve(name)
    found = solve("critical", activation, sigma_b2=bias)
    assert found.complete and len(found.solutions) == roots, found.reason
    end, sign = near_infinity(activation, BIAS, arb(bias))
    for factor in (1, 7, 1000):
        q = end * factor
        slope = moments.ball(activation, "derivative_second_moment", q, 10)
        excess = (q - arb(bias)) * slope - moments.ball(activation, "second_moment", q, 10)
        assert excess * sign > 0


@pytest.mark.slow
def test_critical_with_a_bias_says_what_it_did_not_prove():
    """E g² of exp(x²/8) ends at q = 2; sinh grows faster than any line."""
    for name in ("exp(x**2/8)", "sinh(x)"):
        found = solve("critical", resolve(name), sigma_b2="0.1")
        assert len(found.solutions) == 1 and not found.complete and "not proven" in found.reason
