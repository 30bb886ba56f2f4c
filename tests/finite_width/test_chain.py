"""Networks in depth: the chain of q, its first order in 1/N, and averages, against simulation."""

from __future__ import annotations

import numpy as np
import pytest

from initmath.activation import resolve
from initmath.finite_width import (
    Chain,
    correlation_path,
    layer_law,
    linearised,
    predictions,
    trajectory,
    weight_law,
)
from initmath.simulate import Experiment, run


def he(name, q=1.0, b=0.0):
    return (q - b) / float(layer_law(resolve(name), [q]).mean[2, 0])


def z_scores(samples, mean):
    return (samples.mean(0) - mean) / (samples.std(0, ddof=1) / np.sqrt(len(samples)))


def test_relu_at_he_grows_by_five_l_over_n():
    found = linearised(resolve("relu"), 2.0, 0.0, 1.0, 31, 1000)
    assert np.allclose(found.variance, 5 * np.arange(31) / 1000, rtol=1e-12)
    assert np.allclose(found.shift, 0, atol=1e-12)


@pytest.mark.parametrize(("width", "depth"), [(64, 100), (1000, 30), (100, 50)])
def test_relu_chain_beyond_small_l_over_n(width, depth):
    chain = Chain(resolve("relu"), 2.0, 0.0, 1.0, depth, width)
    first, second = chain.expect(lambda law: np.array([law.q, law.q**2]))
    exact = (1 + 5 / width) ** np.arange(depth)
    assert np.allclose(first, 1, atol=1e-5)
    assert np.allclose(second, exact, rtol=1e-4)


@pytest.mark.parametrize("name", ["tanh", "gelu", "softplus", "hardtanh"])
def test_the_linearised_chain_is_right_to_first_order(name):
    g, s = resolve(name), he(name)
    gaps = []
    for width in (2000, 4000):
        chain = Chain(g, s, 0.0, 1.0, 6, width)
        first, second = chain.expect(lambda law: np.array([law.q, law.q**2]))
        line = linearised(g, s, 0.0, 1.0, 6, width)
        gaps.append([first[-1] - 1 - line.shift[-1], second[-1] - first[-1] ** 2 - line.variance[-1]])
        assert abs(gaps[-1][1]) < 0.05 * line.variance[-1]
    # what is left is of order 1/N²: a quarter at twice the width
    assert abs(gaps[1][1]) < 0.35 * abs(gaps[0][1]) + 1e-8


@pytest.mark.parametrize(("name", "bias"), [("relu", 0.0), ("tanh", 0.3), ("gelu", 0.0), ("sigmoid", 0.0)])
def test_predictions_against_simulated_networks(name, bias):
    width, depth, networks = 64, 8, 1500
    s = he(name, b=bias)
    chain = Chain(resolve(name), s, bias, 1.0, depth, width)
    seen = run(Experiment(name, width, depth, networks, s, bias, backward=True, seed=3))
    delta = seen.gram_delta[:, :, 0, 0]
    mean, second = seen.mean_x[:, :, 0], seen.second_x[:, :, 0]
    observed = {
        "q": seen.second_y[:, :, 0],
        "mean": mean,
        "second_moment": second,
        "variance": second - mean**2,
        "gradient_norm": delta[:, :-1] / delta[:, 1:],
    }
    for each in predictions(chain):
        samples = observed[each.quantity]
        known = np.isfinite(each.mean[: samples.shape[1]])
        z = z_scores(samples, each.mean[: samples.shape[1]])[known]
        assert np.max(np.abs(z)) < 4.5, each.quantity
        ratio = (samples.std(0) / each.spread[: samples.shape[1]])[known]
        assert np.all(np.abs(ratio - 1) < 0.15), each.quantity
    path = correlation_path(resolve(name), s, bias, 1.0, 0.5, depth, width)
    known = np.isfinite(path.mean)
    assert known[:2].all()
    c = 1 - seen.one_minus_correlation[:, :, 0, 1]
    assert np.max(np.abs(z_scores(c, path.mean)[known])) < 4.5
    assert np.all(np.abs((c.std(0) / path.spread)[known] - 1) < 0.2)


def test_orthogonal_relu_grows_by_three_l_over_n():
    """Var q' = σ_w⁴ (E g⁴ − m₂² − 2 q² m₂'²)/N = 3 q²/N: the norm of W x does not fluctuate."""
    width, depth = 64, 5
    found = linearised(resolve("relu"), 2.0, 0.0, 1.0, depth, width, weight_law("orthogonal"))
    assert np.allclose(np.diff(found.variance), 3 / width, rtol=1e-10)
    seen = run(Experiment("relu", width, depth, 1200, 2.0, weights="orthogonal", seed=5))
    q = seen.second_y[:, :, 0]
    measured = q.var(axis=0)[1:] / np.arange(1, depth)
    assert np.all(np.abs(measured * width / 3 - 1) < 0.15)
    assert np.all(measured * width < 4.2)  # and not Gaussian weights' 5


@pytest.mark.parametrize("weights", ["uniform", "truncated_normal"])
def test_entrywise_laws_have_the_same_limit(weights):
    path = trajectory(resolve("tanh"), 1.5, 0.1, 1.0, 20)
    assert np.array_equal(path, trajectory(resolve("tanh"), 1.5, 0.1, 1.0, 20, weight_law(weights)))
    width = 64
    ordinary = linearised(resolve("tanh"), 2.5, 0.0, 1.0, 5, width)
    other = linearised(resolve("tanh"), 2.5, 0.0, 1.0, 5, width, weight_law(weights))
    assert np.allclose(ordinary.variance, other.variance)
    assert 0 < np.max(np.abs(ordinary.shift - other.shift)) < 3 / width
    seen = run(Experiment("tanh", width, 5, 600, 2.5, weights=weights, seed=2))
    expected = other.q + other.shift
    assert np.max(np.abs(z_scores(seen.second_y[:, :, 0], expected))) < 4.5


def test_a_chain_without_moments_says_so():
    chain = Chain(resolve("exp"), 0.135, 0.0, 1.0, 5, 64)
    assert not chain.available
    found = predictions(chain)
    assert np.isnan(found[0].mean[1:]).all() and np.isfinite(found[0].mean[0])


def test_the_infinite_network_decays_to_nothing():
    path = trajectory(resolve("relu"), 0.5, 0.0, 1.0, 60)
    assert np.all(np.diff(path) <= 0) and path[-1] == 0
