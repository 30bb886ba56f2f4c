"""Every value of the engine against mpmath's quadrature, which knows none of the rules."""

from __future__ import annotations

from typing import Any

import pytest
from sympy import Rational, asin, expand, factor, pi, simplify, sqrt

from initmath.derivation import Derivation, Status
from initmath.errors import Divergent
from initmath.gaussian import derive
from initmath.gaussian.engine import first_integral
from initmath.integral import GaussianIntegral, q, x
from initmath.piecewise import PiecewiseSmooth
from tests.gaussian.gaussian_numbers import close, number
from tests.gaussian.gaussian_problems import ACTIVATIONS, MORE, VALUES

# The tanh and softplus families belong to the rules of the logistic function and of the series.
OTHERS = {"tanh", "tanhshrink", "sigmoid", "silu", "softplus", "logsigmoid", "mish", "gelu_tanh", "serf"}
WITHOUT = {("arctan", "second_moment"), ("log1px2", "second_moment")}
WITHOUT_MORE = {
    ("log_shift", "second_moment"),
    ("x_asinh", "second_moment"),
    ("x_asinh", "derivative_second_moment"),
}
DIVERGENT = {("sqrt_abs", "derivative_second_moment")}
MOMENTS = ("mean", "second_moment", "derivative_second_moment")
CORE = [(n, m) for n in ACTIVATIONS if n not in OTHERS for m in MOMENTS if (n, m) not in WITHOUT]
EXTRA = [(n, m) for n in MORE for m in MOMENTS if (n, m) not in WITHOUT_MORE | DIVERGENT]
QUICK = [
    (n, m)
    for n in (
        "relu",
        "leaky_relu",
        "gelu_a",
        "elu",
        "hardswish",
        "sinc",
        "softsign",
        "isru",
        "asinh",
        "log1px2",
        "snake",
    )
    for m in MOMENTS
    if (n, m) in CORE
]


def problem(name: str, moment: str) -> GaussianIntegral:
    g = {**ACTIVATIONS, **MORE}[name]
    if moment == "mean":
        f = g
    elif moment == "second_moment":
        f = g**2
    else:
        f = PiecewiseSmooth.from_expr(g, x).derivative().map(lambda e: e**2).as_steps()
    return GaussianIntegral(f, x, 0, q)


def solved(name: str, moment: str) -> Derivation:
    derivation = derive(problem(name, moment))
    assert derivation.status is Status.EXACT, derivation.declined
    return derivation


def agrees(name: str, moment: str, variance: Any) -> None:
    values = {**VALUES, q: variance}
    exact = number(solved(name, moment).value, values)
    assert close(exact, number(problem(name, moment), values), 1e-18)


@pytest.mark.parametrize(("name", "moment"), CORE + EXTRA)
def test_every_value_is_derived(name: str, moment: str) -> None:
    value = solved(name, moment).value
    assert first_integral(value) is None
    assert value.free_symbols <= problem(name, moment).free_symbols


@pytest.mark.parametrize(("name", "moment"), QUICK)
def test_value_agrees_with_quadrature(name: str, moment: str) -> None:
    agrees(name, moment, Rational(37, 10))


@pytest.mark.slow
@pytest.mark.parametrize("variance", [Rational(1, 4), Rational(1), Rational(4)])
@pytest.mark.parametrize(("name", "moment"), CORE + EXTRA)
def test_all_values_agree_with_quadrature(name: str, moment: str, variance: Any) -> None:
    agrees(name, moment, variance)


@pytest.mark.parametrize(("name", "moment"), [*CORE, ("isrlu", "second_moment"), ("laplace", "mean")])
def test_the_value_is_the_problem_after_its_steps(name: str, moment: str) -> None:
    state: Any = problem(name, moment)
    derivation = solved(name, moment)
    for step in derivation.steps:
        assert state.has(step.before) or state == step.before
        state = state.xreplace({step.before: step.after})
    assert state == derivation.value


def test_derivations_stay_short() -> None:
    lengths = [len(solved(n, m).steps) for n, m in CORE]
    assert max(lengths) <= 20
    assert sorted(lengths)[len(lengths) // 2] <= 5


def test_readable_values() -> None:
    relu_mean, relu_second = (solved("relu", m).value for m in ("mean", "second_moment"))
    assert simplify(relu_second - relu_mean**2 - (q / 2 - q / (2 * pi))) == 0
    gelu = q / 4 + q / (2 * pi) * asin(q / (1 + q)) + q**2 / (pi * (1 + q) * sqrt(1 + 2 * q))
    assert solved("gelu", "second_moment").value == gelu
    a = next(s for s in ACTIVATIONS["leaky_relu"].free_symbols if s != x)
    assert factor(expand(solved("leaky_relu", "second_moment").value - (1 + a**2) * q / 2)) == 0


@pytest.mark.parametrize("name", ["gelu_a", "snake", "gaussian", "sin", "cubic"])
def test_heat_equation(name: str) -> None:
    """DE f/dq = ½ E f'', with both sides derived."""
    g = ACTIVATIONS[name]
    left = derive(GaussianIntegral(g**2, x, 0, q)).value.diff(q)
    right = derive(GaussianIntegral((g**2).diff(x, 2) / 2, x, 0, q)).value
    values = {**VALUES, q: Rational(13, 10)}
    assert close(number(left, values), number(right, values), 1e-22)


@pytest.mark.parametrize(("name", "moment"), sorted(DIVERGENT))
def test_divergent_integrals_are_refused(name: str, moment: str) -> None:
    with pytest.raises(Divergent):
        derive(problem(name, moment))


def test_numeric_divergence_is_refused() -> None:
    from sympy import exp

    with pytest.raises(Divergent):
        derive(GaussianIntegral(exp(x**2), x, 0, 1))
    step = derive(GaussianIntegral(exp(x**2), x, 0, q)).steps[0]
    assert step.conditions == ("1 - 2*q > 0",)


@pytest.mark.parametrize("name", ["serf", "mish", "gelu_tanh"])
def test_no_value_comes_with_a_reason(name: str) -> None:
    derivation = derive(problem(name, "second_moment"))
    assert derivation.value is None
    assert derivation.declined[0].rule == "class"
    wanted = "no closed form was found" if name == "serf" else "proven not to exist"
    assert wanted in derivation.declined[0].reason
