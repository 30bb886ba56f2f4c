"""Gradient descent on real matrices: gradients by differences, the exact curve, steps against depth."""

from itertools import pairwise

import numpy as np
import pytest

from initmath.dynamics import STARTS, aligned_start, descend, follow, learning_time, learning_times
from initmath.dynamics.descent import gradients, product
from initmath.errors import InputError
from initmath.simulate.blas import one_thread


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


def test_gradients_are_the_derivatives():
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(shape) for shape in ((4, 3), (5, 4), (2, 5))]
    target = rng.standard_normal((2, 3))
    slopes, error = gradients(weights, target)
    assert np.allclose(error, target - weights[2] @ weights[1] @ weights[0])
    for layer, slope in enumerate(slopes):
        direction = rng.standard_normal(weights[layer].shape)
        losses = []
        for sign in (1, -1):
            moved = list(weights)
            moved[layer] = weights[layer] + sign * 1e-5 * direction
            losses.append(0.5 * np.sum((target - product(moved)) ** 2))
        assert (losses[0] - losses[1]) / 2e-5 == pytest.approx(np.sum(slope * direction), rel=1e-7)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_aligned_start_is_aligned_and_balanced(depth):
    rng = np.random.default_rng(1)
    target = rng.standard_normal((3, 6))
    start = aligned_start(target, 0.2, depth, 8, rng)
    left, _, right = np.linalg.svd(target, full_matrices=False)
    assert np.allclose(left.T @ product(start) @ right.T, 0.2 * np.eye(3), atol=1e-14)
    for w in start:
        assert np.allclose(np.linalg.svd(w, compute_uv=False)[:3], 0.2 ** (1 / depth))


def test_two_layers_follow_the_exact_curve_within_one_percent():
    found = follow(np.diag([3.0, 2.0, 1.0]), 0.01, 5.0, rng=np.random.default_rng(0))
    assert found.relative_error < 0.01
    assert found.strength[0] == pytest.approx([0.01] * 3) and found.strength[-1, 0] == pytest.approx(
        3, rel=1e-6
    )
    # learned one after the other: the curve is not trivially the same for all modes
    assert found.exact[len(found.exact) // 3].std() > 0.3


def test_the_distance_to_the_flow_is_of_first_order():
    rng = np.random.default_rng(2)
    target = rng.standard_normal((3, 4))
    errors = [
        follow(target, 0.05, 2.0, depth=3, rate=rate, rng=np.random.default_rng(0)).relative_error
        for rate in (4e-3, 2e-3)
    ]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)


def test_learning_time_is_flat_for_orthogonal_and_grows_for_gaussian():
    found = {
        start: [r.steps for r in learning_times((2, 4, 8, 16), start, np.random.default_rng(3))]
        for start in STARTS
    }
    assert max(found["orthogonal"]) <= 10
    assert found["gaussian"][3] > 4 * found["gaussian"][1] > 4 * found["orthogonal"][1] - 1


@pytest.mark.slow
def test_learning_time_up_to_depth_64():
    orthogonal = [learning_time(d, "orthogonal", np.random.default_rng(d)) for d in (8, 16, 32, 64)]
    assert all(r.interior and r.steps <= 10 for r in orthogonal)
    # the best rate falls like 1/depth
    scaled = [r.rate * r.depth for r in orthogonal]
    assert max(scaled) <= 2 * min(scaled)
    gaussian = [learning_time(d, "gaussian", np.random.default_rng(d)) for d in (4, 8, 16, 32)]
    assert all(a.steps < b.steps for a, b in pairwise(gaussian))
    assert gaussian[-1].steps > 20 * orthogonal[-2].steps


def test_giving_up_is_said():
    found = learning_time(32, "gaussian", np.random.default_rng(0), most_steps=5)
    assert found.steps is None and found.rate is None and "5 steps" in found.reason


def test_learning_time_is_the_best_of_its_grid():
    """The race against running every rate alone."""
    from initmath.dynamics.learning_time import _race
    from initmath.sampling import normal, orthogonal

    rng = np.random.default_rng(5)
    target = np.asarray(orthogonal((3, 8), 1.0, rng))
    first = [np.asarray(normal(size, 1 / 8, rng)) for size in ((8, 8), (8, 8), (3, 8))]
    rates = np.array([0.02, 0.1, 0.3, 5.0])
    steps, best = _race(first, target, rates, 0.01, 3000)
    alone = []
    for rate in rates[:3]:
        loss = descend(first, target, float(rate), 3000).loss
        alone.append(int(np.argmax(loss <= 0.01 * loss[0])))
    assert steps == min(alone) and best == int(np.argmin(alone)) and steps > 1


@pytest.mark.parametrize(
    "call",
    [
        lambda rng: descend([np.eye(2), np.eye(3)], np.eye(2), 0.1, 3),
        lambda rng: descend([], np.eye(2), 0.1, 3),
        lambda rng: descend([np.eye(2)], np.eye(2), -0.1, 3),
        lambda rng: descend([2 * np.eye(2), np.eye(2)], np.eye(2), 1e3, 50),
        lambda rng: descend([np.eye(2)], np.full((2, 2), np.nan), 0.1, 3),
        lambda rng: aligned_start(np.eye(4), 0.1, 2, 3, rng),
        lambda rng: aligned_start(np.eye(4), 0.0, 2, 4, rng),
        lambda rng: follow(np.diag([1.0, 0.0]), 0.1, 1.0, rng=rng),
        lambda rng: follow(np.eye(2), 0.1, 0.0, rng=rng),
        lambda rng: learning_time(2, "glorot", rng),
        lambda rng: learning_time(2, "gaussian", rng, outputs=32),
        lambda rng: learning_time(2, "gaussian", rng, part=1.0),
    ],
)
def test_wrong_input(call):
    with pytest.raises(InputError):
        call(np.random.default_rng(0))
