"""Sign changes, many at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from initmath.spectra.crossings import crossings


def test_every_interval_has_its_own_root():
    low = np.arange(0.0, 40.0) * np.pi - 1.3
    high = low + 2.1
    assert np.abs(crossings(np.sin, low, high) - np.arange(0.0, 40.0) * np.pi).max() < 1e-13


@pytest.mark.parametrize("scale", [1e-300, 1.0, -1.0, 1e300])
def test_only_signs_count(scale):
    with np.errstate(over="ignore", under="ignore"):
        found = crossings(lambda x: scale * np.expm1(700 * (x - 0.3)), np.array([0.0]), np.array([1.0]))
    assert abs(found[0] - 0.3) < 1e-15


def test_a_jump_is_found_where_it_is():
    found = crossings(lambda x: np.where(x < 1 / 3, -1.0, 5.0), np.array([0.0, 0.33]), np.array([1.0, 0.34]))
    assert np.abs(found - 1 / 3).max() < 1e-15


def test_agrees_with_brent():
    rng = np.random.default_rng(5)
    for _ in range(50):
        a, b, c = rng.normal(size=3)
        function = lambda x: np.tanh(a + b * x) + c * x**3 + 1e-3  # noqa: E731, B023
        grid = np.linspace(-3, 3, 41)
        values = function(grid)
        at = np.flatnonzero(values[:-1] * values[1:] < 0)
        wanted = [brentq(function, grid[i], grid[i + 1], xtol=1e-15, rtol=1e-14) for i in at]
        assert np.allclose(crossings(function, grid[at], grid[at + 1]), wanted, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("slope", [1, -1])
@pytest.mark.parametrize("root", [0.0, 1.0])
def test_a_root_at_an_end(slope, root):
    assert abs(crossings(lambda t: slope * (t - root), np.array([0.0]), np.array([1.0]))[0] - root) < 1e-15


def test_nothing_to_look_for():
    assert crossings(np.sin, np.array([]), np.array([])).shape == (0,)
