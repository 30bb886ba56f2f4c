"""The survey's 53 activations × 3 moments: exact in every parameter, or certified to 30 digits."""

from __future__ import annotations

import pytest

from initmath.activation import resolve
from initmath.derivation import Status
from initmath.integral import q
from initmath.moments import closed, moment
from tests.symbolic53 import CASES, MOMENTS

REQUIRED_EXACT = 148
TOTAL = 159

pairs = [(case, name) for case in CASES for name in MOMENTS]


@pytest.mark.parametrize("case,name", pairs, ids=[f"{case[0]}-{name}" for case, name in pairs])
def test_certified_to_thirty_digits(case, name):
    _, text, parameters = case
    found = moment(resolve(text, parameters), name, digits=30)
    assert found.number.certified
    assert abs(found.number.ball).abs_upper() < float("inf")
    error = float(found.number.error_bound)
    assert error <= 1e-30 * max(abs(float(found.number)), 1e-30) * 10


def exact_in_all_parameters(case, name):
    """Whether there is a confirmed closed form with every parameter symbolic."""
    _, text, parameters = case
    derivation = closed(resolve(text, dict.fromkeys(parameters, "symbol")), name, timeout=20)
    if derivation.value is None or derivation.status is not Status.EXACT:
        return False
    return {s.name for s in derivation.value.free_symbols} <= {q.name, *parameters}


def test_at_least_148_of_159_are_exact():
    assert len(pairs) == TOTAL
    numeric = [f"{case[0]} {name}" for case, name in pairs if not exact_in_all_parameters(case, name)]
    assert TOTAL - len(numeric) >= REQUIRED_EXACT, numeric
