"""Each step of each derivation is a true equation between numbers, with a reason, and with a source."""

from __future__ import annotations

from typing import Any

import pytest
from sympy import Rational

from initmath.integral import q
from tests.gaussian.gaussian_numbers import close, number
from tests.gaussian.gaussian_problems import VALUES
from tests.gaussian.test_engine import CORE, EXTRA, problem, solved

QUICK = [
    ("relu", "mean"),
    ("leaky_relu", "second_moment"),
    ("gelu_a", "second_moment"),
    ("elu", "second_moment"),
    ("sinc", "derivative_second_moment"),
    ("softsign", "derivative_second_moment"),
    ("isru", "derivative_second_moment"),
    ("squareplus", "mean"),
    ("asinh", "second_moment"),
    ("log1px2", "mean"),
    ("snake", "second_moment"),
    ("hardtanh", "second_moment"),
    ("xerf", "second_moment"),
    ("isrlu", "mean"),
    ("phi_affine", "second_moment"),
]


def both_sides_agree(name: str, moment: str) -> None:
    values = {**VALUES, q: Rational(6, 5)}
    for step in solved(name, moment).steps:
        assert close(number(step.before, values), number(step.after, values), 1e-18), step


@pytest.mark.parametrize(("name", "moment"), QUICK)
def test_both_sides_of_each_step_agree(name: str, moment: str) -> None:
    both_sides_agree(name, moment)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "moment"), [p for p in CORE + EXTRA if p not in QUICK])
def test_both_sides_of_all_steps_agree(name: str, moment: str) -> None:
    both_sides_agree(name, moment)


@pytest.mark.parametrize(("name", "moment"), CORE + EXTRA)
def test_each_step_has_a_reason_and_a_source(name: str, moment: str) -> None:
    derivation = solved(name, moment)
    assert derivation.problem == problem(name, moment)
    for step in derivation.steps:
        assert len(step.reason) > 15
        assert step.references
        assert all(isinstance(r, str) and len(r) > 10 for r in step.references)
        assert step.rule not in ("simplify", "integrate")


def test_a_wrong_step_is_caught() -> None:
    """The checker itself: a step with a planted factor must not pass."""
    step = solved("gelu_a", "second_moment").steps[0]
    values: dict[Any, Any] = {**VALUES, q: Rational(6, 5)}
    wrong = step.after * (1 + Rational(1, 10**9))
    assert not close(number(step.before, values), number(wrong, values), 1e-18)
