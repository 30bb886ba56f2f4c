"""`derive` and `gain`: what Kumar asked, the JSON contract, and answers that are not numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sympy import Max, Rational, Symbol, exp, oo, pi, sqrt

import initmath
from initmath import InputError, derive, gain
from initmath.derivation import Number

CRITERIA = ["taylor", "variance", "second_moment", "unit_variance", "backward", "average", "critical"]


def only(result, criterion):
    (solution,) = result.criteria[criterion].solutions
    return solution


# -- Kumar (2017), end to end


def test_kumar_tanh():
    assert only(derive("tanh", "taylor"), "taylor").sigma_w2.closed_form == 1


def test_kumar_sigmoid():
    solution = only(derive("sigmoid", "taylor"), "taylor")
    assert solution.sigma_w2.closed_form == Rational(64, 5)
    assert f"{float(solution.gain):.3f}" == "3.578"  # the paper rounds it to 3.6


def test_kumar_relu_is_two_exactly_with_its_steps():
    result = derive("relu", "variance")
    solution = only(result, "variance")
    assert solution.sigma_w2.closed_form == 2
    assert (solution.q.closed_form - 2 * pi / (pi - 1)).simplify() == 0
    cited = " ".join(step.reference or "" for step in result.steps if step.of == "variance")
    for equation in (20, 21, 22, 23, 24, 25):
        assert f"({equation})" in cited


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_kumar_has_no_solution_where_the_variance_cannot_be_reached(name):
    answer = derive(name, "variance").criteria["variance"]
    assert answer.solutions == () and answer.complete
    assert "supremum" in answer.reason
    supremum = answer.attainable[1]
    assert abs(float(supremum) - {"tanh": 1, "sigmoid": 0.25}[name]) < 1e-12


# -- the JSON contract


def numbers_in(data):
    if isinstance(data, dict):
        if {"status", "closed_form", "value", "error_bound"} <= set(data):
            yield data
        for value in data.values():
            yield from numbers_in(value)
    elif isinstance(data, list):
        for value in data:
            yield from numbers_in(value)


@pytest.mark.parametrize("act", ["relu", "tanh", "sign", "gelu", "hardshrink", "x*abs(x)"])
def test_json_contract(act):
    data = json.loads(derive(act, q="1/2").to_json(), parse_constant=lambda name: pytest.fail(name))
    assert data["schema"] == "initmath.derive/1"
    assert list(data) == ["schema", "activation", "q", "warnings", "moments", "criteria", "steps"]
    about = data["activation"]
    assert list(about)[:8] == [
        "name",
        "expression",
        "parameters",
        "kinks",
        "jumps",
        "parity",
        "homogeneity_degree",
        "bounded",
    ]
    assert data["q"] == "1/2"
    assert list(data["moments"]) == ["mean", "second_moment", "variance", "derivative_second_moment"]
    assert list(data["criteria"]) == CRITERIA
    for answer in data["criteria"].values():
        assert {"solutions", "continuum", "complete", "reason"} <= set(answer)
        assert answer["solutions"] or answer["reason"]
        for solution in answer["solutions"]:
            assert {"sigma_w2", "sigma_b2", "q", "gain", "chi_1", "chi_parallel", "q_star"} <= set(solution)
            assert solution["stability"] in {"stable", "unstable", "marginal", "not_a_fixed_point"}
    for step in data["steps"]:
        assert {"of", "rule", "before", "after", "reason", "reference"} <= set(step)
        assert step["of"] in {*data["moments"], *CRITERIA}
    found = list(numbers_in(data))
    assert len(found) > 10
    for number in found:
        assert number["status"] in {"exact", "truncated", "numeric"}
        if number["value"] != "inf":
            assert np.isfinite(float(number["value"])) and 0 <= float(number["error_bound"]) < 1e-12


def test_a_jump_is_said():
    data = json.loads(derive("heaviside").to_json())
    assert data["activation"]["jumps"] == ["0"]
    assert any("jump" in warning for warning in data["warnings"])
    assert "⚠" in derive("heaviside").to_text()


def test_an_infinite_derivative_is_a_value():
    result = derive("sqrt(abs(x))")
    data = json.loads(result.to_json())
    assert data["moments"]["derivative_second_moment"]["value"] == "inf"
    assert data["moments"]["second_moment"]["closed_form"]
    assert data["criteria"]["backward"]["solutions"] == []
    assert data["criteria"]["second_moment"]["solutions"]
    assert float(only(result, "variance").q) == pytest.approx(67.28953885372702, rel=1e-14)
    assert data["criteria"]["variance"]["solutions"][0]["chi_1"]["value"] == "inf"


# -- parameters, fans, digits


def test_symbolic_slope():
    a = Symbol("a", positive=True)
    result = derive("leaky_relu", params={"a": "symbol"})
    for criterion in ("variance", "second_moment", "backward", "average", "critical"):
        assert (only(result, criterion).sigma_w2.closed_form - 2 / (1 + a**2)).simplify() == 0


def test_selu_keeps_variance_one_exactly():
    assert gain("selu") == 1.0
    assert gain("selu", "unit_variance") == 1.0


def test_fans():
    result = derive("relu", fan_in=300, fan_out=100)
    assert only(result, "backward").sigma_w2.closed_form == 6
    assert only(result, "second_moment").sigma_w2.closed_form == 2
    assert "fan_in = 300" in result.to_text()


def test_digits():
    number = derive("gelu", "second_moment", digits=50).moments.second_moment
    assert number.value.startswith("0.42522148257029867491855")
    assert len(number.value.lstrip("0.")) == 50
    assert float(number.error_bound) < 1e-49


def test_a_float_means_its_decimal():
    assert derive("gelu", q=0.1).to_json() == derive("gelu", q="0.1").to_json()


def test_q_and_bias_over_determine_the_edge():
    answer = derive("tanh", q="1/2", bias_variance="1/10").criteria["critical"]
    assert not answer.solutions and "over-determined" in answer.reason


def test_bias_alone_is_solved_for_q():
    solution = only(derive("tanh", "critical", bias_variance="0.05"), "critical")
    assert abs(float(solution.sigma_b2) - 0.05) < 1e-15
    assert abs(float(solution.chi_1) - 1) < 1e-12


# -- gains


def test_gain_of_all_is_the_second_moment():
    assert derive("relu").gain == gain("relu") == 2**0.5


def test_gain_without_a_solution_gives_the_reason():
    with pytest.raises(InputError, match="no solution"):
        gain("tanh", "variance")


def test_gain_with_several_solutions_lists_them():
    several = next(
        act for act in ("x*exp(-x**2/4)*2", "3*x*exp(-x**2)", "2*sin(x)")
        if len(derive(act, "variance", target_variance="1/5").criteria["variance"].solutions) > 1
    )  # fmt: skip
    with pytest.raises(InputError, match="several solutions"):
        _ = derive(several, "variance", target_variance="1/5").gain


# -- what may be given as an activation


@pytest.mark.parametrize(
    "act",
    [
        "relu",
        "ReLU",
        "Max(0, x)",
        "x if x > 0 else 0",
        Max(0, Symbol("t")),
        lambda x: x if x > 0 else 0.0,
        lambda x: np.maximum(x, 0),
    ],
    ids=["name", "Name", "text", "if", "sympy", "python", "numpy"],
)
def test_every_kind_of_input(act):
    assert gain(act) == 2**0.5


def test_divergence_depends_on_q():
    with pytest.raises(initmath.Divergent):
        derive("exp(x**2)")
    assert derive("exp(x**2)", q="0.1").moments.second_moment.closed_form is not None


# -- how it shows itself


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("act", ["relu", "gelu", "tanh", "selu", "sign"])
def test_text_fits(act, width):
    for result in (derive(act), derive(act, "second_moment", fan_in=512)):
        assert max(map(len, result.to_text(width).splitlines())) <= width


def test_steps_are_shown_on_request():
    short, long = derive("relu"), derive("relu").with_steps()
    assert len(long.to_text()) > len(short.to_text())
    assert short.to_json() == long.to_json()
    assert "Stein" in long.to_text()


def test_notebook_formula():
    assert derive("relu")._repr_latex_() == r"$\displaystyle \sigma_w^2 = 2$"
    assert r"\approx 2.35171561407337" in derive("gelu")._repr_latex_()
    assert "no solution" in derive("tanh", "variance")._repr_latex_()


def test_answers_are_immutable_values():
    result = derive("relu")
    assert result.to_json() == derive("relu").to_json()
    with pytest.raises(AttributeError):
        result.q = "2"
    assert isinstance(result.moments.mean, Number)
    assert {oo, exp, sqrt}


# -- arguments that make no sense


@pytest.mark.parametrize(
    "arguments,says",
    [
        ({"q": -1}, "positive"),
        ({"q": float("nan")}, "finite"),
        ({"q": float("inf")}, "finite"),
        ({"q": "1/0"}, "zero"),
        ({"q": True}, "number"),
        ({"criterion": "he"}, "second_moment"),
        ({"fan_in": 0}, "fan_in"),
        ({"fan_in": 2.5}, "fan_in"),
        ({"fan_out": 10}, "fan_in"),
        ({"digits": 0}, "digits"),
        ({"bias_variance": -1}, "negative"),
        ({"target_variance": 0}, "positive"),
        ({"params": {"a": 1}}, "parameter"),
    ],
    ids=str,
)
def test_wrong_arguments(arguments, says):
    with pytest.raises(InputError, match=says):
        derive("relu", **arguments)


def test_gain_needs_one_criterion():
    with pytest.raises(InputError, match="one criterion"):
        gain("relu", "all")
