"""With and without weights are one distribution: two-sample tests on layer statistics, seeds fixed.

Each p-value of a true statement is uniform; the least of K, times K, falls below 1/1000 once in a thousand.
A twin that is wrong on purpose (other inputs, other weights) must be told apart by the same test.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from initmath.simulate import Experiment, InputGram, run

NETWORKS = 400
LAYERS = (0, 3, 7)


def statistics(trajectories, gradients: bool) -> dict[str, np.ndarray]:
    """One row a network: what layers say about themselves."""
    found = {}
    for layer in LAYERS:
        found[f"q {layer}"] = trajectories.second_y[:, layer, 0]
        found[f"mean_x {layer}"] = trajectories.mean_x[:, layer, 1]
        found[f"fourth_x {layer}"] = trajectories.fourth_x[:, layer, 0]
        found[f"slope {layer}"] = trajectories.slope[:, layer, 1]
        found[f"1 - c {layer}"] = trajectories.one_minus_correlation[:, layer, 0, 1]
        if gradients:
            found[f"gradient {layer}"] = trajectories.gram_delta[:, layer, 0, 0]
            found[f"gradients together {layer}"] = trajectories.gram_delta[:, layer, 0, 1]
            found[f"known {layer}"] = trajectories.known_e[:, layer, 0]
    return found


def least_p(one, other, gradients=True) -> float:
    """The least p-value over all statistics (Kolmogorov–Smirnov), times their number."""
    a, b = statistics(one, gradients), statistics(other, gradients)
    tested = [name for name in a if np.ptp(a[name]) > 1e-9]
    return len(tested) * min(stats.ks_2samp(a[name], b[name]).pvalue for name in tested)


CASES = {
    "relu": dict(activation="relu", sigma_w2=2.0),
    "tanh with bias": dict(activation="tanh", sigma_w2=1.5, sigma_b2=0.3),
    "sign": dict(activation="sign", sigma_w2=1.3),
    "chaotic": dict(activation="erf", sigma_w2=6.0, sigma_b2=0.05),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("width", [3, 24])
def test_same_distribution(case, width):
    common = dict(CASES[case], width=width, depth=8, networks=NETWORKS, backward=True)
    without = run(Experiment(**common, seed=1))
    explicit = run(Experiment(**common, seed=2, method="explicit"))
    assert least_p(without, explicit) > 1e-3


def test_a_wrong_twin_is_told_apart():
    common = dict(activation="relu", width=24, depth=8, networks=NETWORKS, backward=True)
    without = run(Experiment(**common, sigma_w2=2.0, seed=1))
    wrong = run(Experiment(**common, sigma_w2=2.3, seed=2, method="explicit"))
    assert least_p(without, wrong) < 1e-4
    orthogonal = run(Experiment(**common, sigma_w2=2.0, seed=2, weights="orthogonal"))
    assert least_p(without, orthogonal) < 1e-4


@pytest.mark.parametrize("weights", ["uniform", "truncated_normal"])
def test_other_weights_have_the_same_limit(weights):
    """At N = 96 the fourth moment of the weights is not seen by 150 networks."""
    common = dict(
        activation="tanh", sigma_w2=1.5, sigma_b2=0.1, width=96, depth=8, networks=150, backward=True
    )
    assert least_p(run(Experiment(**common)), run(Experiment(**common, weights=weights))) > 1e-3


def test_float32_is_the_same_distribution():
    common = dict(activation="gelu", sigma_w2=1.9, width=24, depth=8, networks=NETWORKS, backward=True)
    assert least_p(run(Experiment(**common)), run(Experiment(**common, seed=5, dtype="float32"))) > 1e-3


def test_three_inputs():
    gram = InputGram.of([[1.0, 0.2, 0.1], [0.2, 2.0, -0.5], [0.1, -0.5, 0.5]])
    common = dict(
        activation="relu", sigma_w2=2.0, width=12, depth=8, networks=NETWORKS, backward=True, inputs=gram
    )
    assert least_p(run(Experiment(**common)), run(Experiment(**common, seed=5, method="explicit"))) > 1e-3


@pytest.mark.parametrize(("method", "networks"), [("without_weights", 4000), ("explicit", 800)])
def test_innovations_of_the_gradient_have_the_stated_mean_and_variance(method, networks):
    """(|δ_l|² − conditional mean)/(conditional standard deviation): mean 0, variance 1, uncorrelated."""
    # Narrow, so that the span of the inputs is a large part of the layer.
    found = run(Experiment("tanh", 12, 10, networks, 1.8, 0.2, backward=True, method=method, seed=3))
    own = np.diagonal(found.gram_delta, axis1=2, axis2=3)
    z = (own - found.expected_delta)[:, :, 0] / np.sqrt(found.variance_delta[:, :, 0])
    n = len(z)
    assert np.abs(z.mean(axis=0) * np.sqrt(n)).max() < 4
    spread = (z**2).mean(axis=0)
    error = np.sqrt(((z**2).var(axis=0)) / n)
    assert (np.abs(spread - 1) < 4 * error).all()
    correlation = np.corrcoef(z.T)[np.triu_indices(10, 1)]
    assert np.abs(correlation).max() * np.sqrt(n) < 4.5


def test_expected_norm_of_the_gradient_before_the_activation():
    found = run(Experiment("relu", 10, 6, 4000, 2.0, backward=True, seed=4))
    e = np.diagonal(found.gram_e, axis1=2, axis2=3)[:, :, 0]
    expected = found.known_e[:, :, 0] + found.fresh_e[:, :, 0] * (10 - found.rank) / 10
    difference = (e - expected)[:, :-1]
    assert (np.abs(difference.mean(0)) < 4 * difference.std(0) / np.sqrt(4000)).all()
    assert np.allclose(e[:, -1], 1) and np.allclose(found.known_e[:, -1], 1)


def test_forward_innovations_are_chi_squared():
    """Given the layer below, N q_{l+1}/(σ_w² m₂ + σ_b²) is χ² with N degrees of freedom, exactly."""
    found = run(Experiment("gelu", 16, 12, 500, 1.7, 0.1, seed=6))
    u = stats.chi2.cdf(16 * found.second_y / found.conditional_q, 16)
    for layer in range(12):
        assert stats.kstest(u[:, layer, 0], "uniform").pvalue > 1e-3 / 12
