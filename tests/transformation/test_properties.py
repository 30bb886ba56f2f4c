"""Every catalogue activation standardised; conditions checked by a second route (double quadrature)."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from flint import arb
from sympy import Eq, Rational, Symbol

from initmath import InputError, quadrature, transform
from initmath.activation import resolve
from initmath.activation.catalogue import catalogue
from initmath.errors import Disagreement, NotEnclosed
from initmath.integral import Phi
from initmath.transformation import pose, recipe
from initmath.transformation.build import transformed
from initmath.transformation.closed import solve_closed
from initmath.transformation.newton import krawczyk


def measured(activation, q=1.0):
    """E ĝ and E ĝ², without any certified route."""
    found = quadrature.moments(activation, np.array([q]))
    return float(found.mean.value[0]), float(found.second_moment.value[0])


QUICK = (
    "relu elu gelu silu softplus sigmoid tanh erf sin sinc elliott asinh hardtanh sign abs "
    "bent_identity cos exp gaussian softsign leaky_relu"
).split()
"""One of each kind of constant: rational, √π, erfc, arcsine, Bessel, exponential integral, logistic, none."""

EVERY = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in catalogue()]


def test_the_quick_ones_are_in_the_catalogue():
    assert set(QUICK) <= set(catalogue()) and len(catalogue()) > 100


@pytest.mark.parametrize("name", EVERY)
def test_every_activation_can_be_standardised(name):
    result = transform(name, digits=12)
    mean, second = measured(result.activation)
    assert abs(mean) < 1e-10 and abs(second - 1) < 1e-10
    assert result.complete and len(result.solutions) == 1
    assert all(abs(c.residual.ball).upper() < 1e-11 for c in result.solution.conditions)


@pytest.mark.parametrize(("name", "to", "q"), [("tanh", "standardise", "3"), ("softplus", "gpn", "1/4")])
def test_other_variances(name, to, q):
    result = transform(name, to, q=q)
    size = float(Fraction(q))
    assert measured(result.activation, size)[1] == pytest.approx(size, rel=1e-10)


def test_a_local_slope_for_a_depth():
    result = transform("tanh", "dks", depth=10, digits=12)
    g, slope = result.activation.numpy(0), result.activation.numpy(1)
    ones = np.array([1.0])
    chi = float(quadrature.expectation(lambda y: slope(y) ** 2, ones).value[0])
    assert chi == pytest.approx(1.5**0.1, rel=1e-10)
    parallel = float(quadrature.expectation(lambda y: y * g(y) * slope(y), ones).value[0])
    assert parallel == pytest.approx(1, rel=1e-10)
    # tanh is odd: the mirror image solves too, and the one with the positive shift comes first.
    first, second = result.solutions[:2]
    assert (
        float(first.input_shift) == pytest.approx(-float(second.input_shift)) and float(first.input_shift) > 0
    )
    assert not result.complete and "may be other solutions" in result.reason


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("sign", {"to": "critical"}, "jumps"),
        ("relu", {"to": "tat", "targets": {"curvature": "0.01"}}, "kink"),
        ("relu", {"to": "dks", "targets": {"slope": "1.1"}}, "homogeneous"),
        ("tanh", {"to": "dks", "targets": {"slope": "0.9"}}, "Poincaré"),
        ("tanh", {"to": "dks", "targets": {"slope": "1"}}, "straight lines"),
        ("tanh", {"to": "dks"}, "larger slope"),
        ("exp(x**2)", {"to": "critical"}, "E g′² is infinite"),
        ("sqrt(abs(x))", {"to": "critical"}, "E g′² is infinite"),
        ("relu", {"conditions": ["mean"], "free": ["input_shift"]}, "changes its sign"),
        ("-exp(x)", {"conditions": ["mean", "slope"], "free": ["input_shift", "output_scale"]}, "its sign"),
    ],
)
def test_no_solution_comes_with_the_reason(name, options, words):
    result = transform(name, **options)
    assert not result.solutions and words in result.reason and "starting points" not in result.reason
    with pytest.raises(InputError, match=words):
        _ = result.activation


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"to": "nonsense"}, "unknown transformation"),
        ({"to": "tat"}, "needs a target"),
        ({"conditions": ["mean"], "free": []}, "over-determined"),
        ({"conditions": ["mean"]}, "say what is free"),
        ({"conditions": ["mean", "mean"], "free": ["output_scale", "output_shift"]}, "twice"),
        ({"free": ["alpha", "output_scale"]}, "cannot be free"),
        ({"fixed": {"output_scale": 2}}, "both free and fixed"),
        ({"targets": {"slope": 1}}, "not among the conditions"),
        ({"q": "-1"}, "positive"),
        ({"to": "dks_leaky"}, "no parameter"),
        ({"to": "critical", "depth": 3}, "depth says nothing"),
    ],
)
def test_wrong_input(options, words):
    with pytest.raises(InputError, match=words):
        transform("tanh", **options)


def test_a_wrong_solution_is_caught():
    """The check of the conditions does not use the closed forms: a planted error of 1e-6 is an error."""
    asked = recipe("standardise")
    problem = pose(resolve("gelu"), asked.conditions, asked.free)
    values = dict(solve_closed(problem).solutions[0])
    number = values["output_scale"]
    values["output_scale"] = replace(number, closed_form=number.closed_form * (1 + Rational(1, 10**6)))
    with pytest.raises(Disagreement):
        transformed(problem, "wrong", values, None)


def test_krawczyk_refuses_a_double_root_and_finds_a_simple_one():
    def double(u, d):
        return [u[0] * u[0]]

    with pytest.raises(NotEnclosed):
        krawczyk(double, lambda u, d: [[2 * u[0]]], [0.1], 15)
    proven = krawczyk(lambda u, d: [u[0] ** 2 - 2], lambda u, d: [[2 * u[0]]], [1.4], 30)
    assert proven.root[0].overlaps(arb(2).sqrt()) and proven.root[0].rad() < 1e-30


def test_every_format():
    result = transform("elu", "self_normalising")
    data = json.loads(result.to_json())
    assert data["schema"] == "initmath.transform/1" and data["complete"] is True
    assert data["solutions"][0]["parameters"][0]["name"] == "alpha"
    assert data["solutions"][0]["output_scale"]["status"] == "exact"
    assert "Krawczyk" not in result.to_text() and "linear equation for α" in result.to_text()
    assert result.to_markdown() and result.to_latex()


def test_the_derivation_says_each_thing_once_and_in_order():
    """A student's reading of SELU: moments first, then α, then γ; the symbols are those of the formulas."""
    result = transform("elu", "selu")
    order = list(dict.fromkeys(shown.of for shown in result.steps))
    assert order == ["mean", "second_moment", "alpha", "output_scale"]
    rules = [shown.rule for shown in result.steps]
    assert rules.count("together") == 2 and "parameters" not in rules
    first = next(shown.step for shown in result.steps if shown.of == "alpha")
    assert isinstance(first.before, Eq) and first.before.lhs.free_symbols == {Symbol("alpha", positive=True)}
    last = result.steps[-1].step.after
    assert last.lhs == Symbol("gamma", positive=True)
    assert float(last.rhs) == pytest.approx(1.0507009873554805, rel=1e-14)
    text = result.to_text()
    assert "γ·g(x)" in text and "γ² = " in text and "output_scale" not in text.split("Derivation")[0]


@pytest.mark.parametrize(("name", "to"), [("elu", "selu"), ("relu", "standardise"), ("gelu", "gpn")])
def test_each_equation_of_the_derivation_holds_at_its_solution(name, to):
    """What is asked for and what is solved: both sides agree where the unknown has its value."""
    result = transform(name, to)
    steps = [shown.step for shown in result.steps if isinstance(shown.step.after, Eq)]
    solved = {}
    for step in steps:
        if step.after.lhs.is_Symbol:
            solved.setdefault(step.after.lhs, step.after.rhs)
    for step in steps:
        point = {**solved, step.after.lhs: step.after.rhs} if step.after.lhs.is_Symbol else solved
        for side in (step.before, step.after):
            assert abs(float((side.lhs - side.rhs).xreplace(point).evalf(25))) < 1e-14, side
    assert len(solved) == 2 and len(steps) >= 2


def test_elus_own_alpha_is_not_the_input_scale():
    text = transform(
        "elu", free=["input_scale", "output_scale"], conditions=["second_moment", "slope"]
    ).to_text()
    assert "output_scale·g(input_scale·x)" in text


def test_long_constants_are_written_at_once():
    """A formula that SymPy would sort for half a minute; what is written is still read back as the same."""
    from sympy.parsing.sympy_parser import parse_expr

    result = transform("selu", "gpn", digits=25)
    text = json.loads(result.to_json())["solutions"][0]["output_shift"]["closed_form"]
    back = parse_expr(text, {"Phi": Phi})
    assert float(back.evalf(20)) == pytest.approx(float(result.solution.output_shift), rel=1e-14)


def test_a_leaky_rectifier_without_growth_is_the_identity():
    """Equality in Poincaré's inequality: the free slope becomes 1, and nothing else is found."""
    result = transform("leaky_relu", "dks_leaky", targets={"slope": 1})
    assert [each.parameter("a").closed_form for each in result.solutions] == [1]
    assert result.solution.output_scale.closed_form == 1 and result.solution.output_shift.closed_form == 0
