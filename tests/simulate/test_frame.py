"""Orthonormal frames, also of vectors that nearly or quite coincide."""

from __future__ import annotations

import numpy as np
import pytest

from initmath.simulate import Experiment, InputGram, run
from initmath.simulate.frame import combine, gram, orthonormalise


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_factor_and_frame(dtype):
    x = np.random.default_rng(0).standard_normal((5, 4, 50)).astype(dtype)
    q, r, rank = orthonormalise(x)
    eps = np.finfo(dtype).eps
    assert np.allclose(gram(q) * 50, np.eye(4), atol=50 * eps)
    assert np.allclose(combine(r, q) * np.sqrt(dtype(50)), x, atol=50 * eps)
    assert np.allclose(np.tril(r, -1), 0) and (rank == 4).all()


@pytest.mark.parametrize("gap", [1e-2, 1e-5, 1e-8, 1e-10, 1e-13])
def test_nearly_equal_vectors(gap):
    """The second's distance from the first's span is known to eps/gap, and the frame stays orthonormal."""
    rng = np.random.default_rng(1)
    v, w = rng.standard_normal((2, 3, 1000))
    w -= v * ((v * w).sum(-1) / (v * v).sum(-1))[:, None]
    x = np.stack([v, v + gap * w], axis=1)
    q, r, _ = orthonormalise(x)
    assert np.allclose(gram(q) * 1000, np.eye(2), atol=1e-13)
    assert np.allclose(r[:, 1, 1] / gap, np.sqrt((w * w).mean(-1)), rtol=10 * 2.3e-16 / gap + 1e-13)


def test_equal_vectors_and_zero_vectors():
    v = np.random.default_rng(2).standard_normal((1, 1, 64))
    q, r, rank = orthonormalise(np.concatenate([v, v, 3 * v, 0 * v], axis=1))
    assert rank.tolist() == [1] and not q[:, 1:].any()
    assert np.allclose(r[:, 0] / r[:, 0, :1], [1, 1, 3, 0])
    q, r, rank = orthonormalise(np.zeros((2, 3, 8)))
    assert not q.any() and not r.any() and not rank.any()


@pytest.mark.parametrize("gap", [1e-6, 1e-12, 1e-15])
def test_inputs_that_nearly_coincide_separate_as_the_slope_says(gap):
    """A gap grows by χ₁ a layer: 1 in a linear network, so it only diffuses."""
    inputs = InputGram.pair(1.0, sigma_w2=1.0, one_minus_correlation=gap)
    found = run(Experiment("identity", 400, 12, 50, 1.0, inputs=inputs))
    ratio = found.one_minus_correlation[:, :, 0, 1] / gap
    logs = np.log(ratio)
    assert np.isfinite(logs).all()
    # log of a ratio of two χ²_N a layer: variance 4/N a layer
    assert (np.abs(logs.mean(0)) < 5 * logs.std(0) / np.sqrt(50) + 1e-2).all()
    assert np.abs(logs.std(0) / np.sqrt(4 / 400 * np.arange(1, 13)) - 1).max() < 0.4


def test_identical_inputs_stay_identical():
    inputs = InputGram.pair(1.0, 1.0, sigma_w2=4.0)
    found = run(Experiment("tanh", 50, 12, 5, 4.0, inputs=inputs, backward=True))
    assert not found.distance_y.any()
    assert (found.rank[:, :-1] == 1).all()
    assert np.array_equal(found.gram_delta[:, :, 0, 0], found.gram_delta[:, :, 0, 1])


def test_dead_networks_are_zero_not_nan():
    found = run(Experiment("relu", 2, 60, 50, 2.0, backward=True))
    assert all(np.isfinite(v).all() for v in found.arrays.values() if v is not None)
    assert (found.second_y[:, -1] == 0).any()
