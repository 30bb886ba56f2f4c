"""Arrays with a given variance: judged by z-scores whose standard errors are derived, with fixed seeds."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import erf, exp, mp, mpf, pi, quad, sqrt

from initmath.errors import InputError
from initmath.sampling import (
    delta_orthogonal,
    normal,
    orthogonal,
    orthogonal_gain,
    truncated_normal,
    truncated_normal_kurtosis,
    truncated_normal_std,
    truncated_std_ratio,
    uniform,
    uniform_half_width,
    variance_check,
)

N = 400_000
KURTOSIS = {normal: 3.0, uniform: 9 / 5, truncated_normal: truncated_normal_kurtosis()}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sampler", list(KURTOSIS))
@pytest.mark.parametrize("variance", [1e-6, 2 / 512, 3.0])
def test_variance_and_mean(sampler, variance, dtype):
    x = sampler((N // 100, 4, 25), variance, np.random.default_rng(1), dtype)
    assert x.dtype == dtype and x.shape == (N // 100, 4, 25)
    assert abs(variance_check(x, variance, KURTOSIS[sampler]).z) < 4
    assert abs(np.mean(x, dtype=np.float64)) < 4 * np.sqrt(variance / N)


@pytest.mark.parametrize("sampler", list(KURTOSIS))
def test_one_percent_wrong_is_refuted(sampler):
    x = sampler(N * 5, 1.0, np.random.default_rng(2))
    assert abs(variance_check(x, 1.01, KURTOSIS[sampler]).z) > 4


@pytest.mark.parametrize("bound", ["0.01", "0.049", "0.0501", "0.1", "1", "2", "3", "8"])
def test_truncated_std_ratio_in_closed_form(bound):
    with mp.workdps(60):
        c = mpf(float(bound))
        exact = sqrt(1 - 2 * c * exp(-c * c / 2) / sqrt(2 * pi) / erf(c / sqrt(2)))
        assert abs(truncated_std_ratio(float(bound)) / exact - 1) < mpf(10) ** -12


def test_constant_of_keras_and_jax():
    assert truncated_std_ratio() == pytest.approx(0.87962566103423978, abs=2e-16)
    assert truncated_normal_std(1.0) == pytest.approx(1 / 0.87962566103423978, rel=4e-16)


@pytest.mark.parametrize("bound", [0.5, 1.0, 2.0, 3.5])
def test_kurtosis_of_the_truncated_normal(bound):
    def moment(k):
        return quad(lambda t: t**k * exp(-t * t / 2), [-bound, 0, bound])

    exact = moment(4) * moment(0) / moment(2) ** 2
    assert truncated_normal_kurtosis(bound) == pytest.approx(float(exact), rel=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_truncated_normal_is_cut_and_has_the_right_law(dtype):
    x = truncated_normal(N, 1.0, np.random.default_rng(3), dtype)
    limit = 2 * truncated_normal_std(1.0)
    assert np.abs(x).max() <= limit * (1 + 1e-6)
    # P(|z| < 1 | |z| < 2), a binomial proportion
    p = float(erf(1 / sqrt(2)) / erf(2 / sqrt(2)))
    inside = np.mean(np.abs(x) < limit / 2)
    assert abs(inside - p) < 4 * np.sqrt(p * (1 - p) / N)


def test_uniform_fills_its_interval():
    x = uniform(N, 3.0, np.random.default_rng(4))
    assert uniform_half_width(3.0) == 3.0
    assert 2.9999 < x.max() < 3.0 and -3.0 <= x.min() < -2.9999


@pytest.mark.parametrize("shape", [(7, 7), (5, 9), (9, 5), (6, 2, 3, 3), (40, 2, 3, 3), (1, 4), (4, 1)])
@pytest.mark.parametrize("gain", [1.0, 1.5])
def test_orthogonal_is_orthogonal(shape, gain):
    w = orthogonal(shape, gain, np.random.default_rng(5))
    m = w.reshape(shape[0], -1) / gain
    gram = m @ m.T if m.shape[0] <= m.shape[1] else m.T @ m
    assert w.shape == shape
    assert np.abs(gram - np.eye(len(gram))).max() < 1e-12
    mean_square = np.mean(w**2)
    assert orthogonal_gain(mean_square, *m.shape) == pytest.approx(gain, rel=1e-12)


def test_orthogonal_in_single_precision():
    w = orthogonal((64, 64), 1.0, np.random.default_rng(6), np.float32)
    assert w.dtype == np.float32
    assert np.abs(w.astype(float) @ w.T.astype(float) - np.eye(64)).max() < 1e-6


def test_orthogonal_is_haar():
    """E tr Q = 0, Var tr Q = 1, E Q₁₁⁴ = 3/(n(n+2)); QR without the sign correction has E tr Q far from 0."""
    n, repeats = 6, 4000
    rng = np.random.default_rng(7)
    draws = np.array([orthogonal((n, n), 1.0, rng) for _ in range(repeats)])
    trace = np.trace(draws, axis1=1, axis2=2)
    assert abs(trace.mean()) < 4 / np.sqrt(repeats)
    assert abs(np.mean(trace**2) - 1) < 4 * np.std(trace**2) / np.sqrt(repeats)
    first = draws[:, 0, 0]
    exact = 3 / (n * (n + 2))
    assert abs(np.mean(first**4) - exact) < 4 * np.std(first**4) / np.sqrt(repeats)
    assert abs(np.mean(np.linalg.det(draws))) < 4 / np.sqrt(repeats)


@pytest.mark.parametrize("shape", [(4, 4, 3), (8, 3, 3, 3), (5, 2, 1, 3, 5)])
def test_delta_orthogonal(shape):
    kernel = delta_orthogonal(shape, 2.0, np.random.default_rng(8))
    centre = kernel[(slice(None), slice(None), *(k // 2 for k in shape[2:]))]
    assert np.abs(centre.T @ centre - 4 * np.eye(shape[1])).max() < 1e-12
    assert np.count_nonzero(kernel) == np.count_nonzero(centre)


def test_delta_orthogonal_convolution_keeps_norms():
    kernel = delta_orthogonal((6, 4, 3), 1.0, np.random.default_rng(9))
    signal = np.random.default_rng(10).standard_normal((4, 16))
    out = sum(kernel[:, :, k] @ np.roll(signal, 1 - k, axis=1) for k in range(3))
    assert np.linalg.norm(out) == pytest.approx(np.linalg.norm(signal), rel=1e-13)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: normal((2, 2), -1.0, r), "variance"),
        (lambda r: normal((2, 2), float("nan"), r), "variance"),
        (lambda r: normal((2, -2), 1.0, r), "shape"),
        (lambda r: normal((2,), 1.0, np.random), "Generator"),
        (lambda r: normal((2,), 1.0, r, np.float16), "dtype"),
        (lambda r: orthogonal((4,), 1.0, r), "shape"),
        (lambda r: delta_orthogonal((4, 4, 2), 1.0, r), "odd"),
        (lambda r: delta_orthogonal((2, 4, 3), 1.0, r), "n_out"),
        (lambda r: truncated_normal(3, 1.0, r, bound=0.0), "bound"),
        (lambda r: truncated_std_ratio(-1.0), "truncation"),
        (lambda r: orthogonal_gain(1.0, 0, 3), "row"),
        (lambda r: variance_check(np.array([]), 1.0), "empty"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call(np.random.default_rng(0))


def test_same_seed_same_array():
    a = orthogonal((5, 5), 1.0, np.random.default_rng(11))
    assert np.array_equal(a, orthogonal((5, 5), 1.0, np.random.default_rng(11)))


def test_zero_variance_is_compared_exactly():
    assert variance_check(np.array([1.0, -1.0, 1.0]), 1.0, kurtosis=1.0).z == 0
    assert variance_check(np.array([1.0, -1.1, 1.0]), 1.0, kurtosis=1.0).z == np.inf
