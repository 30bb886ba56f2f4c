"""Opposite, repeated and nearly parallel inputs of the infinite-width kernels: errors that hold."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from initmath.errors import InputError
from initmath.kernels import infinite_width


def erf_gap(q1: float, q2: float, gap: object, sigma_w2: float, sigma_b2: float, depth: int) -> mpmath.mpf:
    """1 − c of two inputs with Gram matrix [[q1, √(q1 q2) c], …] after ``depth`` erf layers, in 60 digits."""
    with mpmath.workdps(60):
        a, b = mpmath.mpf(q1), mpmath.mpf(q2)
        p = mpmath.sqrt(a * b) * (1 - gap)
        sw, sb = mpmath.mpf(sigma_w2), mpmath.mpf(sigma_b2)
        a, b, p = (sw * v + sb for v in (a, b, p))
        for _ in range(depth):
            n1, n2 = 1 + 2 * a, 1 + 2 * b
            p = sw * 2 / mpmath.pi * mpmath.asin(2 * p / mpmath.sqrt(n1 * n2)) + sb
            a, b = (sw * 2 / mpmath.pi * mpmath.asin(2 * v / (1 + 2 * v)) + sb for v in (a, b))
        return 1 - p / mpmath.sqrt(a * b)


@pytest.mark.parametrize("sigma_b2", [0.0, 0.1])
@pytest.mark.parametrize("near", ["1e-3", "1e-9"])
@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("q2", [1.0, 3.0])
def test_erf_in_chaos_stays_within_the_error(sigma_b2, near, side, q2):
    gap = float(near) if side > 0 else 2 - float(near)
    entry = np.sqrt(q2) * (1 - gap)
    given = [[1, entry], [entry, q2]]
    found = infinite_width("erf", given, depth=12, sigma_w2=25.0, sigma_b2=sigma_b2, gap=[[0, gap], [gap, 0]])
    true = erf_gap(1.0, q2, mpmath.mpf(gap), 25.0, sigma_b2, 12)
    assert abs(found.gap[0, 1] / float(true) - 1) <= found.gap_error < 0.1


def test_opposite_inputs_stay_opposite():
    found = infinite_width("erf", [[1, -1], [-1, 1]], depth=50, sigma_w2=25.0)
    assert found.gap[0, 1] == 2
    assert found.nngp[0, 1] == -found.nngp[0, 0]
    assert found.ntk[0, 1] == pytest.approx(-found.ntk[0, 0], rel=1e-12)


def test_an_even_activation_does_not_see_the_sign():
    plus = infinite_width("abs", [[1, 0.999], [0.999, 1]], depth=3, sigma_w2=1.0)
    minus = infinite_width("abs", [[1, -0.999], [-0.999, 1]], depth=3, sigma_w2=1.0)
    np.testing.assert_array_equal(plus.nngp, minus.nngp)
    np.testing.assert_array_equal(plus.ntk, minus.ntk)


def test_where_opposite_inputs_cannot_be_told_it_says_so():
    """With a bias there is no symmetry: what is off −1 grows by χ₁ a layer, and so does its error."""
    one = infinite_width("erf", [[1, -1], [-1, 1]], depth=4, sigma_w2=25.0, sigma_b2=1e-3)
    two = infinite_width("erf", [[1, -1], [-1, 1]], depth=8, sigma_w2=25.0, sigma_b2=1e-3)
    assert two.gap_error > 3 * one.gap_error


@pytest.mark.parametrize(("act", "q"), [("relu", 1.3), ("relu", 0.7), ("erf", 1.3)])
def test_a_repeated_input_has_one_kernel(act, q):
    found = infinite_width(act, [[q, q], [q, q]], depth=50, sigma_w2=2.0)
    assert found.gap[0, 1] == 0
    assert found.ntk[0, 1] == pytest.approx(found.ntk[0, 0], rel=1e-14)


@pytest.mark.parametrize("q", [(1.3, 1.3), (1.3, 1.7)])
def test_the_angle_of_close_inputs_is_that_of_the_gram_matrix(q):
    """c as the doubles of G say it, 1e-10 from 1: no digit of 1 − c is lost on the way."""
    entry = float(np.sqrt(q[0] * q[1]) * (1 - 1e-10))
    with mpmath.workdps(40):
        gap = 1 - mpmath.mpf(entry) / mpmath.sqrt(mpmath.mpf(q[0]) * mpmath.mpf(q[1]))
    found = infinite_width("erf", [[q[0], entry], [entry, q[1]]], depth=3, sigma_w2=1.5)
    true = float(erf_gap(*q, gap, 1.5, 0.0, 3))
    assert abs(found.gap[0, 1] / true - 1) <= found.gap_error < 1e-12


@pytest.mark.parametrize("near", [1e-4, 1e-9])
def test_parallel_inputs_of_nearly_one_length(near):
    """What the bias takes from c = 1 is a difference of two lengths: few digits are left, and it says so."""
    given = [[1.0, np.sqrt(1 + near)], [np.sqrt(1 + near), 1 + near]]
    found = infinite_width("erf", given, depth=3, sigma_w2=1.5, sigma_b2=0.1, gap=np.zeros((2, 2)))
    true = float(erf_gap(1.0, 1 + near, mpmath.mpf(0), 1.5, 0.1, 3))
    assert abs(found.gap[0, 1] / true - 1) <= found.gap_error


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"gap": [[0, 1.9], [1.9, 0]]}, "contradicts"),
        ({"gap": [[0.1, 0.5], [0.5, 0.1]]}, "diagonal"),
        ({"threads": -3}, "threads"),
        ({"threads": "a"}, "threads"),
    ],
    ids=str,
)
def test_wrong_inputs(asked, says):
    with pytest.raises(InputError, match=says):
        infinite_width("relu", [[1, 0.5], [0.5, 1]], depth=1, sigma_w2=2.0, **asked)
