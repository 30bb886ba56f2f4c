"""Kumar's linearised gain: values, the reasons for having none, and steps whose two sides agree."""

from __future__ import annotations

from fractions import Fraction

import pytest
from sympy import Rational, Symbol, log, simplify

from initmath.activation import resolve
from initmath.derivation import Status
from initmath.errors import InputError
from initmath.integral import GaussianIntegral, q
from initmath.taylor import gain2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tanh", 1),
        ("sigmoid", Rational(64, 5)),  # Kumar eq. (14), (19)
        ("gelu", 4),
        ("silu", 4),
        ("mish", Rational(25, 9)),
        ("elu", 1),
        ("hardtanh", 1),
        ("sin", 1),
        ("softsign", 1),
        ("softplus", 4 / (1 + log(2) ** 2)),
        ("lecun_tanh", Rational(15000, 17159) ** 2),
    ],
)
def test_values(name, value):
    result = gain2(resolve(name))
    assert simplify(result.value - value) == 0
    assert result.status is Status.TRUNCATED and result.reason is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("relu", "kink at 0: slope 0 on the left, 1 on the right"),
        ("sign", "jump at 0"),
        ("heaviside", "jump at 0"),
        ("abs", "kink at 0"),
        ("square", r"g'\(0\) = 0"),
        ("gaussian", r"g'\(0\) = 0"),
        ("hardshrink", r"g'\(0\) = 0"),
        ("selu", "kink at 0"),
    ],
)
def test_no_value_has_a_reason(name, reason):
    import re

    result = gain2(resolve(name))
    assert result.value is None and result.status is Status.NOT_DERIVED
    assert re.search(reason, result.reason)


def test_target_and_bias():
    act = resolve("sigmoid")
    assert gain2(act, 2).value == Rational(32) / (2 + Rational(1, 4))
    assert gain2(act, 1, "0.5").value == Rational(62, 5)
    assert gain2(act, 1, 0.5).value == gain2(act, 1, Fraction(1, 2)).value == Rational(62, 5)
    none = gain2(act, 1, 16)
    assert none.value is None and "no solution" in none.reason


def test_symbolic_slope():
    a = Symbol("alpha", positive=True)
    result = gain2(resolve("dyt", {"alpha": "symbol"}))
    assert simplify(result.value - 1 / a**2) == 0


def _linear_expectation(node):
    """E (c₀ + c₁ x) = c₀ for x ~ N(0, q)."""
    return node.integrand.subs(node.variables[0], 0)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "gelu"])
def test_steps_lead_from_the_problem_to_the_value(name):
    result = gain2(resolve(name), 2, Rational(1, 3))
    running = result.problem
    for step in result.steps:
        running = running.xreplace({step.before: step.after})
    assert simplify(running - result.value) == 0
    rules = [step.rule for step in result.steps]
    assert rules == ["taylor", "mean", "variance", "layer"]
    mean = result.steps[1]
    assert isinstance(mean.before, GaussianIntegral)
    assert simplify(_linear_expectation(mean.before) - mean.after) == 0
    layer = result.steps[3]
    assert simplify(layer.before.doit() - layer.after) == 0
    assert all(step.references and step.reason for step in result.steps)
    # the variance step makes Var of the linear activation the target
    linear = result.steps[0].after.integrand
    slope = linear.diff(result.steps[0].after.variables[0])
    assert simplify((slope**2 * q).subs(q, result.steps[2].after) - 2) == 0


@pytest.mark.parametrize(
    "arguments", [(0,), (-1,), (1, -1), (float("nan"),), (float("inf"),), ("one",), (None,), (True,)]
)
def test_wrong_input(arguments):
    with pytest.raises(InputError):
        gain2(resolve("tanh"), *arguments)
