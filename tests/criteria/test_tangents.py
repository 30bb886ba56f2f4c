"""The criterion and the Taylor room each find g(0) and g'(0): where both do, they must agree."""

from __future__ import annotations

import pytest

from initmath.activation import catalogue, resolve
from initmath.balls import evaluate
from initmath.criteria.taylor import tangent_at_zero
from initmath.derivation import Declined
from initmath.moments import parameter_values
from initmath.taylor import two_sided_slope


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_the_two_tangents_are_one(name):
    g = resolve(name)
    series, tangent = two_sided_slope(g), tangent_at_zero(g)
    assert isinstance(series, Declined) == isinstance(tangent, str)
    if isinstance(series, Declined):
        return
    for one, other in zip(series, tangent, strict=True):
        difference = evaluate(one - other, parameter_values(g), 200)
        assert difference.contains(0) and difference.rad() < 1e-40
