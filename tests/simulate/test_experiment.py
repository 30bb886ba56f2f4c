"""Experiments, their inputs and their weights: what is refused, in one line, and what is kept exactly."""

from __future__ import annotations

import numpy as np
import pytest

from initmath.errors import InputError
from initmath.simulate import WEIGHTS, Experiment, InputGram, jacobian, run
from initmath.simulate.explicit import Network
from initmath.simulate.weights import draw

GOOD = dict(activation="tanh", width=8, depth=2, networks=2, sigma_w2=1.0)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (dict(width=0), "width must be an integer of at least 1"),
        (dict(width=8.0), "width"),
        (dict(depth=0), "depth"),
        (dict(networks=0), "networks"),
        (dict(networks=True), "networks"),
        (dict(sigma_w2=-1.0), "sigma_w2 must be finite and not negative"),
        (dict(sigma_w2=float("nan")), "sigma_w2"),
        (dict(sigma_w2="big"), "sigma_w2 must be a number"),
        (dict(sigma_b2=-0.1), "sigma_b2"),
        (dict(sigma_b2=2.0), "q must be finite and at least sigma_b2"),
        (dict(sigma_w2=0.0), "the inputs must be given"),
        (dict(weights="cauchy"), "weights must be one of"),
        (dict(method="fast"), "method must be one of"),
        (dict(weights="uniform", method="without_weights"), "exact for gaussian weights only"),
        (dict(dtype="float16"), "dtype must be float32 or float64"),
        (dict(dtype="nonsense"), "dtype must be float32 or float64"),
        (dict(seed=-1), "seed"),
        (dict(width=1), "2 inputs need a width"),
        (dict(activation="tahn"), "unknown activation"),
        (dict(inputs=[[1.0, 2.0], [2.0, 1.0]]), "positive semidefinite"),
        (dict(inputs=[[1.0, 2.0]]), "B × B"),
        (dict(inputs=[["a"]]), "numbers"),
        (dict(width=1, inputs=[[1.0]], weights="weight_standardised"), "width of at least 2"),
    ],
)
def test_wrong_input_is_one_line(wrong, says):
    with pytest.raises(InputError, match=says) as caught:
        Experiment(**{**GOOD, **wrong})
    assert "\n" not in str(caught.value)


def test_input_gram_has_the_first_preactivation_variance():
    gram = InputGram.pair(1.7, 0.25, sigma_w2=1.3, sigma_b2=0.2).matrix
    assert np.allclose(1.3 * gram + 0.2, [[1.7, 0.425], [0.425, 1.7]], rtol=1e-14)
    single = InputGram.single(1.7, 1.3, 0.2).matrix
    assert np.isclose(1.3 * single[0, 0] + 0.2, 1.7)
    assert np.allclose(InputGram.of(gram).matrix, gram, rtol=1e-13)


def test_opposite_inputs_with_a_bias_do_not_exist():
    with pytest.raises(InputError, match="common bias"):
        InputGram.pair(1.0, -0.9, sigma_w2=1.0, sigma_b2=0.2)
    assert np.allclose(InputGram.pair(1.0, -1.0, sigma_w2=1.0).matrix, [[1, -1], [-1, 1]])


def test_explicit_inputs_have_exactly_the_gram_matrix():
    from initmath.simulate.explicit import Network

    experiment = Experiment(**{**GOOD, "width": 40}, inputs=InputGram.of([[2.0, 0.3], [0.3, 0.1]]))
    x = Network(experiment, 0).inputs()
    assert np.allclose(x @ x.T / 40, experiment.inputs.matrix, rtol=1e-13)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_weights_have_the_variance(weights):
    w = draw(weights, 300, 1.7, np.random.default_rng(0), np.float64)
    assert abs(np.mean(w**2) * 300 / 1.7 - 1) < 0.02
    assert abs(w.mean()) < 4 * np.sqrt(1.7 / 300) / 300
    if weights == "orthogonal":
        assert np.allclose(w @ w.T, 1.7 * np.eye(300))


def right(shape, variance, rng, dtype):
    return rng.laplace(size=shape).astype(dtype) * np.sqrt(variance / 2)


def wrong(shape, variance, rng, dtype):
    return rng.standard_normal(shape) * np.sqrt(variance / 2)


def shifted(shape, variance, rng, dtype):
    return right(shape, variance, rng, dtype) + 0.5 * np.sqrt(variance)


def ragged(shape, variance, rng, dtype):
    return np.zeros((3, 3))


def broken(shape, variance, rng, dtype):
    return np.full(shape, np.nan)


def test_a_right_sampler_is_used():
    found = run(Experiment(**{**GOOD, "width": 64, "networks": 100}, weights=right))
    assert found.method == "explicit"
    assert abs(found.second_y[:, 0, 0].mean() - 1) < 4 * found.second_y[:, 0, 0].std() / 10


@pytest.mark.parametrize(
    ("sampler", "says"),
    [(wrong, "have variance"), (shifted, "variance|mean"), (ragged, "shape"), (broken, "not finite")],
)
def test_a_wrong_sampler_is_refused(sampler, says):
    with pytest.raises(InputError, match=says) as caught:
        run(Experiment(**{**GOOD, "width": 64}, weights=sampler))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("method", ["without_weights", "explicit"])
def test_overflow_names_the_layer(method):
    with pytest.raises(InputError, match=r"exp\(x\) overflowed at layer [2-9]") as caught:
        run(Experiment("exp(x)", 16, 30, 4, 3.0, method=method))
    assert "\n" not in str(caught.value)


def test_a_function_that_is_undefined_somewhere_never_gives_nan():
    def partial(v):
        return np.log(np.asarray(v))  # a Python-level function that cannot be used below 0

    with pytest.raises(InputError):
        run(Experiment(partial, 16, 3, 2, 1.0))


def untraceable(v):
    return np.interp(v, [-9.0, 0.3, 9.0], [-1.0, 0.0, 9.0])


def test_a_callable_that_cannot_be_traced_is_simulated():
    experiment = Experiment(untraceable, 64, 3, 20, 2.0, backward=True)
    found = run(experiment)
    assert experiment.activation.expr is None
    assert all(np.isfinite(v).all() for v in found.arrays.values() if v is not None)
    assert 0 < found.slope.mean() < 1.5


def test_a_single_neuron_and_a_single_layer():
    found = run(Experiment("tanh", 1, 1, 3, 1.0, inputs=InputGram.single(1.0, 1.0), backward=True))
    assert np.allclose(found.second_y, found.mean_y**2)


def test_many_inputs_leave_pairs_out():
    gram = InputGram.of(np.eye(20))
    found = run(Experiment("relu", 32, 2, 2, 2.0, inputs=gram))
    assert found.gram_y is None and found.second_y.shape == (2, 2, 20)
    assert run(Experiment("relu", 32, 2, 2, 2.0, inputs=gram, pairs=True)).gram_y.shape == (2, 2, 20, 20)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_jacobian_is_the_derivative_of_the_network(dtype):
    from initmath.simulate.explicit import Network

    experiment = Experiment("tanh", 12, 4, 2, 1.5, 0.1, weights="uniform", dtype=dtype)
    j = jacobian(experiment, 1, of_input=1)
    network = Network(experiment, 1)
    assert j.dtype == np.dtype(dtype)

    def output(x):
        walk = network.forward()
        walk.x = x
        for layer in range(1, 5):
            walk.x = np.tanh(walk.step(network.weights(layer)))
        return walk.x[1].astype(float)

    x, h = network.inputs(), 1e-2 if dtype == "float32" else 1e-5
    moved = []
    for i in range(12):
        step = np.zeros_like(x)
        step[1, i] = h
        moved.append((output(x + step) - output(x - step)) / (2 * h))
    assert np.allclose(np.transpose(moved), j, atol=1e-3 if dtype == "float32" else 1e-8)


def test_jacobian_refuses_what_does_not_exist():
    experiment = Experiment(**GOOD)
    with pytest.raises(InputError, match="no network 2"):
        jacobian(experiment, 2)
    with pytest.raises(InputError, match="no input 2"):
        jacobian(experiment, of_input=2)
    with pytest.raises(InputError, match="overflowed at layer"):
        jacobian(Experiment("exp(x)", 16, 30, 1, 3.0))


def test_weight_standardised_rows_kill_the_mean():
    """ReLU at γ² = 1/Var relu(z) keeps q = 1 with standardised rows, and does not with plain ones."""
    gamma2 = 2 / (1 - 1 / np.pi)
    common = dict(activation="relu", width=256, depth=10, networks=40, sigma_w2=gamma2)
    inputs = InputGram.of([[1 / gamma2]])
    kept = run(Experiment(**common, weights="weight_standardised", inputs=inputs)).second_y[:, -1, 0]
    grown = run(Experiment(**common, inputs=inputs)).second_y[:, -1, 0]
    assert abs(kept.mean() - 1) < 0.2 < grown.mean() - 5


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("count", "width"), [(1, 1), (2, 4), (40, 100), (60, 100)])
def test_explicit_inputs_have_the_gram_matrix_that_was_asked_for(dtype: str, count: int, width: int) -> None:
    """Both ways to a frame, few inputs (a triangular factor) and many (QR), against K₀ itself."""
    root = np.random.default_rng(count).standard_normal((count, count))
    asked = InputGram.of(root @ root.T / count)
    experiment = Experiment("tanh", width, 1, 1, 1.5, inputs=asked, method="explicit", dtype=dtype)
    x = Network(experiment, 0).inputs().astype(np.float64)
    assert x.shape == (count, width)
    assert np.abs(x @ x.T / width - asked.matrix).max() < 50 * np.finfo(dtype).eps * asked.matrix.max()
