"""Residual networks: closed cases, the depth limit, and simulated networks."""

import numpy as np
import pytest

from initmath.activation import resolve
from initmath.architectures import (
    depth_scaled,
    residual_limit,
    residual_path,
    residual_spread,
    sample_residual,
)
from initmath.architectures.persistent_masks import _recursion
from initmath.errors import Divergent, InputError
from initmath.simulate.blas import one_thread

RELU, TANH, LINEAR = resolve("relu"), resolve("tanh"), resolve("x")


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


def test_relu_in_closed_form():
    """E ρ² = q/2, E ρ'² = ½: every layer multiplies by 1 + α²σ_w²/2."""
    path = residual_path(RELU, 50, 0.3, sigma_w2=2.0, q0=3.0)
    factor = 1.09 ** np.arange(51)
    assert np.allclose(path.q, 3 * factor, rtol=1e-13) and np.allclose(path.gradient, factor, rtol=1e-13)
    assert np.all(np.abs(path.q - 3 * factor) <= path.q_error + 1e-14 * factor)


def test_linear_moments_by_counting():
    """g = x, one layer: M = 1 + αW. m₂ = (1 + ε)² + 2ε + ε² for Gaussian, without ε² for orthogonal."""
    for weights, expected in (("gaussian", 2 * 0.5 + 0.25), ("orthogonal", 2 * 0.5)):
        found = residual_spread(LINEAR, 1, 0.5, sigma_w2=2.0, weights=weights)
        assert found.spread[1] == pytest.approx(expected / 1.5**2, rel=1e-12)
    # a linear network has no masks: the layers are free
    deep = residual_spread(LINEAR, 10, 0.4, sigma_w2=1.0)
    assert np.allclose(deep.spread, deep.free_spread, rtol=1e-12)


def test_factorised_masks_give_the_free_law():
    """The two recursions agree where E B_k B_l = E B_k E B_l."""
    mu1, mu2 = np.array([0.5, 0.7, 0.2, 0.9]), np.array([0.5, 0.6, 0.1, 0.95])
    pairs = np.outer(mu1, mu1)
    np.fill_diagonal(pairs, mu2)
    for lost in (0.0, 1.0):
        free = np.zeros(5)
        for layer in range(4):
            e = 1.3 * mu1[layer]
            added = 2 * e + e * e * (mu2[layer] / mu1[layer] ** 2 - lost)
            free[layer + 1] = free[layer] + added / (1 + e) ** 2
        assert np.allclose(_recursion(pairs, mu1, 1.3, lost), free, rtol=1e-13)


@pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
@pytest.mark.parametrize("activation", [RELU, TANH], ids=["relu", "tanh"])
def test_simulated_networks(activation, weights):
    """Persistent masks, not free ones: at N = 200, where 1/N effects of the spread are under 2 %."""
    given = {"sigma_w2": 2.0, "sigma_b2": 0.1, "q0": 0.7, "weights": weights}
    path = residual_path(activation, 6, 0.5, **given)
    law = residual_spread(activation, 6, 0.5, **given)
    sample = sample_residual(
        activation, 6, 0.5, **given, width=200, networks=20, rng=np.random.default_rng(0)
    )
    for quantity, predicted in (("q", path.q[-1]), ("gradient", path.gradient[-1])):
        mean, error = sample.estimate(quantity)
        assert abs(mean - predicted) < 4 * error
    mean, error = sample.estimate("spread")
    assert abs(mean - law.spread[-1]) < 3 * error + 0.02 * law.spread[-1]
    assert mean - law.free_spread[-1] > 8 * error
    smallest, largest = sample.squared_singular_values.min(), sample.squared_singular_values.max()
    assert smallest > sample.resolved * largest


@pytest.mark.slow
@pytest.mark.parametrize("name", ["relu", "tanh", "gelu"])
def test_simulated_networks_wide_and_deep(name):
    activation = resolve(name)
    alpha = depth_scaled(1.0, 20)
    law = residual_spread(activation, 20, alpha, sigma_w2=2.0)
    sample = sample_residual(
        activation, 20, alpha, sigma_w2=2.0, width=500, networks=8, rng=np.random.default_rng(1)
    )
    mean, error = sample.estimate("spread")
    assert abs(mean - law.spread[-1]) < 3 * error + 0.02 * law.spread[-1]


def test_depth_scaling_tends_to_its_limit():
    """α = 1/√L: everything is finite, and within O(1/L) of the limit."""
    limit = residual_limit(TANH, 1.0, sigma_w2=2.0)
    gaps = []
    for depth in (50, 100):
        path = residual_path(TANH, depth, depth_scaled(1.0, depth), sigma_w2=2.0)
        gaps.append([path.q[-1] - limit.q, path.gradient[-1] - limit.gradient])
    assert np.allclose(np.array(gaps[0]) / np.array(gaps[1]), 2, rtol=0.05)


def test_spread_converges_in_depth_only_with_scaled_branches():
    scaled = [residual_spread(RELU, d, depth_scaled(1.0, d), sigma_w2=2.0).spread[-1] for d in (6, 12, 24)]
    assert (scaled[1] - scaled[0]) / (scaled[2] - scaled[1]) == pytest.approx(2, rel=0.2)  # O(1/L) to a limit
    fixed = [residual_spread(RELU, d, 0.5, sigma_w2=2.0).spread[-1] for d in (6, 12, 24)]
    assert fixed[2] > 2 * fixed[1] > 4 * fixed[0]


def test_a_huge_branch_is_a_plain_network():
    """Without overflow: ε → ∞ leaves μ₂/μ₁² − 1 − s₁ a layer, if the layers are free."""
    path = residual_path(RELU, 3, 1e45, sigma_w2=2.0)
    assert np.allclose(path.free_spread, [0, 2, 4, 6])


def test_singular_slopes_are_told_from_infinite_ones():
    """g' = 0.8 |x|^{−1/5}: E g'⁴ is finite, E|z|^{−4/5} = 2^{−2/5} Γ(1/10)/√π; for |x|^{7/10} it is not."""
    from scipy.special import gamma

    found = residual_spread(resolve("Abs(x)**(4/5)"), 1, 0.5, sigma_w2=1.0)
    mu1, mu2 = (0.8**p * gamma((1 - 0.2 * p) / 2) / 2 ** (0.1 * p) / np.sqrt(np.pi) for p in (2, 4))
    e = 0.25 * mu1
    assert found.spread[1] == pytest.approx((2 * e + e * e * mu2 / mu1**2) / (1 + e) ** 2, rel=1e-8)
    with pytest.raises(Divergent):
        residual_spread(resolve("Abs(x)**(7/10)"), 2, 0.5, sigma_w2=1.0)


def test_limit_of_relu_in_closed_form():
    found = residual_limit(RELU, 0.8, sigma_w2=1.5, q0=2.0)
    assert found.q == pytest.approx(2 * np.exp(0.48), rel=1e-9)
    assert found.gradient == pytest.approx(np.exp(0.48), rel=1e-9)


def test_no_branch_is_the_identity():
    found = residual_spread(TANH, 5, 0.0, sigma_w2=1.0)
    assert not found.spread.any() and residual_path(TANH, 5, 0.0, sigma_w2=1.0).gradient[-1] == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: residual_path(RELU, 0, 1.0, sigma_w2=2.0),
        lambda: residual_path(RELU, 3, float("nan"), sigma_w2=2.0),
        lambda: residual_path(RELU, 3, 1.0, sigma_w2=-2.0),
        lambda: residual_path(RELU, 3, 1.0, sigma_w2=2.0, q0=0.0),
        lambda: residual_path(RELU, 3, 1.0, sigma_w2=2.0, weights="sparse"),
        lambda: residual_path(resolve("Heaviside(x)"), 3, 1.0, sigma_w2=2.0),
        lambda: residual_spread(RELU, 1000, 1.0, sigma_w2=2.0),
        lambda: residual_limit(RELU, float("inf"), sigma_w2=2.0),
        lambda: depth_scaled(1.0, 0),
        lambda: residual_path("relu", 3, 1.0, sigma_w2=2.0),
        lambda: residual_path(RELU, 2.5, 1.0, sigma_w2=2.0),
        lambda: sample_residual(RELU, 1, 1.0, sigma_w2=2.0, rng=3),
        lambda: sample_residual(RELU, 1, float("nan"), sigma_w2=2.0, rng=np.random.default_rng(0)),
        lambda: sample_residual(RELU, 1, 1.0, sigma_w2=2.0, networks=1, rng=np.random.default_rng(0)),
        lambda: sample_residual(RELU, 5, 1e200, sigma_w2=2.0, width=4, rng=np.random.default_rng(0)),
    ],
)
def test_wrong_input(call):
    with pytest.raises(InputError):
        call()


def test_growth_beyond_the_doubles_is_said():
    with pytest.raises(Divergent, match="smaller alpha"):
        residual_path(RELU, 200, 100.0, sigma_w2=2.0)
    with pytest.raises(Divergent):
        residual_path(resolve("exp(x**2)"), 3, 1.0, sigma_w2=1.0)


@pytest.mark.slow
def test_the_spread_of_scaled_relu_branches_has_its_stated_limit():
    found = [residual_spread(RELU, d, depth_scaled(1.0, d), sigma_w2=2.0).spread[-1] for d in (25, 50, 100)]
    limit = (8 * found[2] - 6 * found[1] + found[0]) / 3  # Richardson, in powers of 1/L
    assert limit == pytest.approx(2.515, abs=2e-3)
    assert residual_limit(RELU, 1.0, sigma_w2=2.0).free_spread == pytest.approx(2, rel=1e-9)
