"""A closed form is called proven absent only if the even part really has infinitely many poles."""

from __future__ import annotations

import pytest
from sympy import E, Symbol, exp, pi, sqrt, tanh

from initmath.gaussian.absence import absence
from initmath.integral import x

a = Symbol("a", positive=True)


@pytest.mark.parametrize(
    "f",
    [
        (2 * exp(2 * x) - 1) / (sqrt(2) * exp(x) + 1),  # √2 eˣ − 1
        (exp(2 * x) - 2) / (exp(x) - sqrt(2)),
        (exp(2 * x) - pi**2) / (exp(x) - pi),
        (exp(2 * x) - E**2) / (exp(x) - E),
        (1 + sqrt(2) * exp(x)) / (exp(x) + sqrt(2) / 2) * x**2,
        (a * exp(x) + a) / (exp(x) + 1),
    ],
)
def test_a_fraction_that_cancels_is_not_called_proven(f):
    assert not absence(f, x).reason.startswith("proven")


@pytest.mark.parametrize(
    "f", [tanh(x) ** 2, x / (1 + exp(-x)), 1 / (exp(x) + pi), sqrt(2) / (exp(x) + exp(-x)), a * tanh(x) ** 2]
)
def test_poles_that_are_there_are_a_proof(f):
    reason = absence(f, x).reason
    assert reason.startswith("proven")
    assert ("all but finitely many" in reason) == (a in f.free_symbols)
