"""Innovations of true claims are standard normal, at any width and depth; wrong ones are not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from initmath.activation import resolve
from initmath.finite_width import layer_law, weight_law
from initmath.simulate import Experiment, run
from initmath.verification import Claim, innovations, judge, observe
from initmath.verification.normal import normal_score_of_chi2, without_skewness
from tests.verification.chain import simulate

GAUSSIAN = weight_law("gaussian")


def he(name, q=1.0, b=0.0):
    return (q - b) / float(layer_law(resolve(name), [q]).mean[2, 0])


def test_normal_scores_of_chi2():
    x = stats.chi2(50).rvs(20_000, random_state=0)
    assert stats.kstest(normal_score_of_chi2(x, 50.0), "norm").pvalue > 0.001
    far = normal_score_of_chi2(np.array([1.0, 5e4]), np.array([5e3, 5e3]))
    assert far[0] < -30 and far[1] > 30


def test_skewness_is_taken_out():
    shape = 30.0
    x = (stats.gamma(shape).rvs(20_000, random_state=1) - shape) / np.sqrt(shape)
    assert stats.kstest(without_skewness(x, 2 / np.sqrt(shape)), "norm").pvalue > 0.001
    assert stats.kstest(x, "norm").pvalue < 1e-6


@pytest.mark.parametrize(
    ("name", "bias"),
    [
        ("relu", 0.0),
        ("tanh", 0.2),
        pytest.param("gelu", 0.0, marks=pytest.mark.slow),
        pytest.param("hardtanh", 0.0, marks=pytest.mark.slow),
        ("softplus", 0.1),
        pytest.param("abs", 0.0, marks=pytest.mark.slow),
    ],
)
def test_true_claims_give_standard_normal_scores(name, bias):
    g, s = resolve(name), he(name, b=bias)
    scores: dict[str, list[float]] = {}
    for seed in range(12):
        seen = simulate(g, s, sigma_b2=bias, width=64, depth=8, networks=12, seed=seed)
        for each in innovations(seen, Claim(g, s, bias), GAUSSIAN):
            assert not each.mismatches.any(), each.quantity
            scores.setdefault(each.quantity, []).extend(each.z[np.isfinite(each.z)])
    assert {"q", "mean", "cross_q", "gradient"} <= set(scores)
    for quantity, z in scores.items():
        if z:
            assert stats.kstest(z, "norm").pvalue > 2e-4, quantity
            assert abs(np.var(z) - 1) < 5 * np.sqrt(2 / len(z)), quantity


@pytest.mark.parametrize("weights", ["uniform", "truncated_normal", "orthogonal", "weight_standardised"])
@pytest.mark.parametrize("name", ["relu", "tanh", pytest.param("silu", marks=pytest.mark.slow)])
def test_other_weights(name, weights):
    g, law = resolve(name), weight_law(weights)
    m = layer_law(g, [1.0]).mean[:, 0]
    s = float(1 / (m[2] - m[1] ** 2 * law.centred))
    seen = observe(run(Experiment(g, 64, 6, 60, s, weights=weights, backward=True, seed=11)))
    joint = judge(innovations(seen, Claim(g, s), law), 0.01)
    assert joint.p > 1e-3 and not joint.mismatches
    if weights == "orthogonal":
        wrong = judge(innovations(seen, Claim(g, 1.01 * s), law), 0.01)
        assert "q" in wrong.mismatches and joint.power == 1.0


def test_first_order_in_one_over_n_is_needed():
    """Without κ₄ the same uniform weights would be refuted at width 16."""
    g, s = resolve("tanh"), 2.5
    seen = observe(run(Experiment(g, 16, 8, 1000, s, weights="uniform", seed=4)))
    with_it = judge(innovations(seen, Claim(g, s), weight_law("uniform")), 0.01)
    without = judge(innovations(seen, Claim(g, s), GAUSSIAN), 0.01)
    assert with_it.p > 1e-4 and without.p < 1e-6


def test_what_has_no_variance_is_compared_exactly():
    g, s = resolve("sign"), 1.0
    found = {
        e.quantity: e
        for e in innovations(simulate(g, s, width=32, depth=4, networks=5), Claim(g, s), GAUSSIAN)
    }
    second = found["second_moment"]
    assert (second.exact == 5).all() and not second.mismatches.any() and np.isnan(second.z).all()
    wrong = innovations(
        simulate(g, s, width=32, depth=4, networks=5), Claim(resolve("2*sign(x)"), s), GAUSSIAN
    )
    assert next(e for e in wrong if e.quantity == "second_moment").mismatches.all()


def test_heavy_tails_are_left_out_and_said():
    g = resolve("exp(2*x)")
    seen = simulate(g, 0.01, width=32, depth=1, networks=5, backward=False)
    found = {e.quantity: e for e in innovations(seen, Claim(g, 0.01), GAUSSIAN)}
    assert found["second_moment"].heavy.all() and found["second_moment"].count.sum() == 0
    assert found["q"].count.all()


@pytest.mark.parametrize(
    "wrong",
    [
        "tanh(x) + x**2/100",
        pytest.param("1.01*tanh(x)", marks=pytest.mark.slow),
        pytest.param("tanh(1.01*x)", marks=pytest.mark.slow),
    ],
)
def test_a_wrong_moment_is_found(wrong):
    g, s = resolve("tanh"), he("tanh")
    seen = simulate(g, s, width=512, depth=10, networks=60, seed=1)
    assert judge(innovations(seen, Claim(g, s), GAUSSIAN), 0.01).p > 0.001
    assert judge(innovations(seen, Claim(resolve(wrong), s), GAUSSIAN), 0.01).p < 0.01


def test_dead_networks_are_no_news():
    g = resolve("relu")
    seen = simulate(g, 2.0, width=2, depth=30, networks=50, seed=0, backward=False)
    assert (seen.second_x[:, -1, 0] == 0).any()
    assert judge(innovations(seen, Claim(g, 2.0), GAUSSIAN), 0.01).p > 1e-4
