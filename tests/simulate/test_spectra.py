"""Sampled spectra: the Jacobian's own singular values, exact zeros, moments of the free model, executors."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from initmath.errors import InputError
from initmath.simulate import Experiment, InlineExecutor, InputGram, jacobian, sample_spectra


def _experiment(activation="tanh", **changes):
    given = dict(width=48, depth=3, networks=3, sigma_w2=1.3, sigma_b2=0.1, seed=4) | changes
    single = InputGram.single(1.0, given["sigma_w2"], given["sigma_b2"])
    return Experiment(activation, inputs=single, **given)


@pytest.mark.parametrize("weights", ["gaussian", "orthogonal", "uniform"])
def test_of_the_networks_own_jacobian(weights):
    experiment = _experiment(weights=weights)
    found = sample_spectra(experiment)
    for number in range(3):
        plain = np.linalg.svd(jacobian(experiment, number), compute_uv=False)
        assert np.abs(found.log_lambda[number] / 2 - np.log(plain)).max() < 1e-9
    assert (found.active == 1).all() and (found.rank == 48).all() and found.q == pytest.approx(1)


@pytest.mark.parametrize("model", ["network", "free"])
@pytest.mark.parametrize(("activation", "weights"), [("relu", "gaussian"), ("hardtanh", "orthogonal")])
def test_zeros_are_counted_by_rank(model, activation, weights):
    found = sample_spectra(_experiment(activation, weights=weights, depth=30), model)
    assert (found.rank == np.rint(48 * found.active.min(axis=1))).all()
    assert (found.rank < 48).all()
    assert (np.diff(np.where(np.isfinite(found.log_lambda), found.log_lambda, -1e9), axis=1) <= 0).all()


def test_mean_of_the_free_model():
    """E tr JJᵀ/N = (σ_w² E g'²)^L exactly, at any width: 1 for ReLU at σ_w² = 2."""
    experiment = replace(_experiment("relu"), sigma_w2=2.0, width=32, depth=2, networks=400)
    means = np.exp(sample_spectra(experiment, "free").log_lambda).mean(axis=1)
    assert abs(means.mean() - 1) < 4 * means.std() / 20


@pytest.mark.parametrize("model", ["network", "free"])
def test_the_executor_does_not_matter(model):
    experiment = _experiment("relu", weights="orthogonal")
    found = sample_spectra(experiment, model)
    seen = []
    inline = sample_spectra(
        experiment, model, executor=InlineExecutor(), progress=lambda *now: seen.append(now)
    )
    assert (inline.log_lambda == found.log_lambda).all() and (inline.active == found.active).all()
    assert seen == [(1, 3), (2, 3), (3, 3)]
    more = sample_spectra(replace(experiment, networks=5), model)
    assert (more.log_lambda[:3] == found.log_lambda).all()


@pytest.mark.slow
def test_other_processes():
    experiment = _experiment()
    with ProcessPoolExecutor(2) as pool:
        there = sample_spectra(experiment, executor=pool)
    assert (there.log_lambda == sample_spectra(experiment).log_lambda).all()


def test_another_width_draws_from_streams_of_its_own():
    found = sample_spectra(_experiment())
    again, same = found.at_width(48, 3), found.at_width(48, 3)
    assert (again.log_lambda == same.log_lambda).all()
    assert not np.isin(again.log_lambda, found.log_lambda).any()


def test_wrong_input():
    with pytest.raises(InputError, match="model must be one of network, free"):
        sample_spectra(_experiment(), "ideal")
    with pytest.raises(InputError, match="overflowed at layer"):
        sample_spectra(_experiment("exp", depth=12, sigma_w2=20.0), "network")
    with pytest.raises(InputError, match="memory"):
        sample_spectra(_experiment(width=10**7))
    with pytest.raises(InputError, match="variance"):
        sample_spectra(_experiment(weights=lambda shape, variance, rng, dtype: rng.standard_normal(shape)))
