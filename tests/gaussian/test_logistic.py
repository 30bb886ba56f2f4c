"""The LOGISTIC rule: each step is a true equation, each value the certified integral; all spellings."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp

from initmath.balls import evaluate_to
from initmath.derivation import Declined, Status, Step
from initmath.enclosure import expectation
from initmath.gaussian import derive
from initmath.gaussian.logistic_form import logistic_form
from initmath.gaussian.rules.logistic import apply
from initmath.gaussian.special import logistic_L
from initmath.integral import GaussianIntegral, q, x
from initmath.piecewise import PiecewiseSmooth

beta = sp.Symbol("beta", positive=True)
VALUES = {beta: sp.Rational(13, 10)}


def sigmoid(u: Any) -> Any:
    return 1 / (1 + sp.exp(-u))


ACTIVATIONS = {
    "tanh": sp.tanh(x),
    "tanhshrink": x - sp.tanh(x),
    "sigmoid": sigmoid(x),
    "silu": x * sigmoid(x),
    "swish": x * sigmoid(beta * x),
    "quick_gelu": x * sigmoid(sp.Rational(1702, 1000) * x),
    "lecun_tanh": sp.Rational(17159, 10000) * sp.tanh(2 * x / 3),
    "scaled_tanh": 3 * sp.tanh(beta * x),
    "xplustanh": x + sp.tanh(x),
    "lisht": x * sp.tanh(x),
    "sech2": sp.sech(x) ** 2,
    "cosh_power": 1 / sp.cosh(2 * x) ** 4,
    "sinh_over_cosh": sp.sinh(x) / sp.cosh(x),
    "exponential_spelling": sp.exp(x) / (1 + sp.exp(x)),
    "exponential_tanh": (sp.exp(x) - sp.exp(-x)) / (sp.exp(x) + sp.exp(-x)),
    "two_scales": x * sp.tanh(x) + x * sigmoid(3 * x),
    "hard": (x**2 - 1) * sp.tanh(x) + x,
}


def integrands(g: Any) -> dict[str, Any]:
    return {"mean": g, "second_moment": g**2, "derivative_second_moment": sp.diff(g, x) ** 2}


CASES = [
    (name, moment)
    for name in ACTIVATIONS
    for moment in ("mean", "second_moment", "derivative_second_moment")
    if not (name == "two_scales" and moment != "mean")  # products of tanh at two scales have no such form
]


@pytest.mark.parametrize(("name", "moment"), CASES)
def test_values_agree_with_the_enclosure(name: str, moment: str) -> None:
    f = integrands(ACTIVATIONS[name])[moment]
    derivation = derive(GaussianIntegral(f, x, 0, q))
    assert derivation.status is Status.EXACT
    assert derivation.value is not None
    pieces = PiecewiseSmooth.from_expr(f, x)
    for value in ("1e-8", "0.3", "1", "50", "1e4"):
        variance = sp.Rational(value)
        closed = evaluate_to(derivation.value, {q: variance, **VALUES}, 20)
        assert closed.overlaps(expectation(pieces, variance, 20, VALUES)), value


@pytest.mark.parametrize("name", ["silu", "lisht", "swish", "tanhshrink"])
def test_every_step_is_a_true_equation(name: str) -> None:
    for f in integrands(ACTIVATIONS[name]).values():
        for step in derive(GaussianIntegral(f, x, 0, q)).steps:
            assert side(step.before).overlaps(side(step.after)), step


def side(expr: Any) -> Any:
    """Value at q = 7/5, each inert integral by its enclosure."""
    nodes = list(expr.atoms(GaussianIntegral))
    marks = {node: sp.Dummy() for node in nodes}
    values = {**VALUES, q: sp.Rational(7, 5)}
    for node, mark in marks.items():
        variance = node.covariance[0][0].subs(values)
        pieces = PiecewiseSmooth.from_expr(node.integrand, x)
        values[mark] = expectation(pieces, variance, 18, VALUES)
    from initmath.balls import evaluate

    return evaluate(expr.xreplace(marks), values, 80)


@pytest.mark.parametrize(
    ("f", "value"),
    [
        (sp.tanh(x) ** 2, 1 - logistic_L(q)),
        (sigmoid(x), sp.Rational(1, 2)),
        (sp.sech(x) ** 2, logistic_L(q)),
        (sp.sech(x) ** 4, sp.Rational(2, 3) * logistic_L(q) - logistic_L(q, 1) / 3),
        (x * sp.tanh(x), q * logistic_L(q)),
        (sp.log(sp.cosh(x)), logistic_L(q, -1) / 2),
        (sp.log(1 + sp.exp(x)), sp.log(2) + logistic_L(q / 4, -1) / 2),
        (-sp.log(1 + sp.exp(-x)), -sp.log(2) - logistic_L(q / 4, -1) / 2),
        (sp.log((1 + sp.exp(x)) / 2), logistic_L(q / 4, -1) / 2),
    ],
    ids=str,
)
def test_known_closed_forms(f: Any, value: Any) -> None:
    assert sp.expand(derive(GaussianIntegral(f, x, 0, q)).value - value) == 0


@pytest.mark.parametrize(
    "f",
    [sp.tanh(x**3), sp.tanh(x + 1), x**2, sp.exp(x), sp.tanh(sp.log(1 + sp.exp(x))), sp.sech(x), sp.coth(x)],
    ids=str,
)
def test_it_declines_what_is_not_its_own(f: Any) -> None:
    assert isinstance(apply(GaussianIntegral(f, x, 0, q)), Declined)
    assert isinstance(apply(GaussianIntegral(sp.tanh(x) ** 2, x, 1, q)), Declined)


def test_reading_is_exact() -> None:
    form = logistic_form(sp.exp(-x) / (1 + sp.exp(-x)) ** 2, x)
    assert form is not None
    assert dict(form.terms) == {(0, 0, 0): sp.Rational(1, 4), (0, 2, 0): -sp.Rational(1, 4)}
    assert logistic_form(sp.tanh(x) * sp.tanh(sp.sqrt(2) * x), x) is None


def test_a_planted_wrong_coefficient_is_seen() -> None:
    """The check of the steps has power: E tanh² = 1 − L + 10⁻¹⁵ would be refuted."""
    step = apply(GaussianIntegral(sp.tanh(x) ** 2, x, 0, q))
    assert isinstance(step, Step)
    assert not side(step.before).overlaps(side(step.after + sp.Rational(1, 10**15)))
