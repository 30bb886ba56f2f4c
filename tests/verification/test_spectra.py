"""Spectral laws against sampled networks: true ones stand, wrong scales and ensembles fall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from initmath.errors import InputError
from initmath.quadrature import expectation
from initmath.simulate import Experiment, InlineExecutor, InputGram, sample_spectra
from initmath.spectra import spectral_law
from initmath.verification.spectra import (
    _at_zero,
    _extrapolated,
    _Group,
    assess_spectrum,
    same_spectra,
)
from initmath.verification.verdict import Verdict

OTHER = {"gaussian": "orthogonal", "orthogonal": "gaussian"}


def _experiment(law, activation, width, networks, *, model, q=1.0, seed=0, off=1.0):
    """σ_b² keeps q in a network; the free model has no use for it."""
    sigma_b2 = 0.0
    if model == "network":
        g = Experiment(activation, width=2, depth=1, networks=1, sigma_w2=1.0).activation.numpy(0)
        second = float(expectation(lambda y: g(y) ** 2, [q]).value[0])
        sigma_b2 = q - law.sigma_w2 * second
        sigma_b2 = 0.0 if abs(sigma_b2) < 1e-12 else sigma_b2
    return Experiment(
        activation,
        width=width,
        depth=law.depth,
        networks=networks,
        sigma_w2=law.sigma_w2 * off,
        sigma_b2=sigma_b2,
        inputs=InputGram.single(q, law.sigma_w2 * off, sigma_b2),
        weights=law.weights,
        seed=seed,
    )


def _three(experiment, model, more=3, **options):
    first = sample_spectra(experiment, model, **options)
    width, networks = experiment.width, more * experiment.networks
    return [
        first,
        first.at_width(width // 2, networks, **options),
        first.at_width(width // 4, networks, **options),
    ]


@pytest.fixture(scope="module")
def tanh():
    law = spectral_law("tanh", 2, "gaussian", 1.0)
    return law, _three(_experiment(law, "tanh", 256, 20, model="network"), "network", more=2)


def test_the_law_of_the_network_is_confirmed(tanh):
    law, spectra = tanh
    found = assess_spectrum(
        law, spectra, alternatives={"orthogonal": spectral_law("tanh", 2, "orthogonal", 1.0)}
    )
    assert found.verdict is Verdict.CONFIRMED, found.reason
    assert all(chance > 0.9 for chance in found.power.values())


@pytest.mark.parametrize("off", [0.97, 1.03])
def test_a_scale_that_is_three_percent_wrong_is_refuted(tanh, off):
    law, spectra = tanh
    wrong = spectral_law("tanh", 2, "gaussian", 1.0, sigma_w2=law.sigma_w2 * off)
    assert assess_spectrum(wrong, spectra).verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    "wrong",
    [("tanh", 2, "orthogonal", 1.0), ("tanh", 3, "gaussian", 1.0), ("tanh", 2, "gaussian", 1.3), ("erf", 2)],
)
def test_another_law_is_refuted(tanh, wrong):
    assert assess_spectrum(spectral_law(*wrong), tanh[1]).verdict is Verdict.REFUTED


def test_finite_width_alone_would_refute_a_true_law(tanh):
    """What the extrapolation is for: at N = 64 the raw averages contradict the law."""
    law, spectra = tanh
    assert assess_spectrum(law, spectra).verdict is not Verdict.REFUTED
    assert assess_spectrum(law, _as_if_wide(spectra[2])).verdict is Verdict.REFUTED


def _as_if_wide(spectra):
    """One width three times: nothing is extrapolated."""
    return [
        replace(spectra, experiment=replace(spectra.experiment, width=width)) for width in (10**7, 1000, 10)
    ]


def test_little_data_is_unknown():
    law = spectral_law("relu", 3, "gaussian", 1.0)
    found = assess_spectrum(law, _three(_experiment(law, "relu", 32, 8, model="free"), "free", more=1))
    assert found.verdict is Verdict.UNKNOWN and "only" in found.reason


def test_without_variance_the_law_must_hold_exactly():
    law = spectral_law("x", 5, "orthogonal", 1.0)
    spectra = _three(_experiment(law, "x", 32, 8, model="free"), "free", more=1)
    assert assess_spectrum(law, spectra).verdict is Verdict.CONFIRMED
    wrong = spectral_law("x", 5, "orthogonal", 1.0, sigma_w2=1.001)
    assert assess_spectrum(wrong, spectra).verdict is Verdict.REFUTED


def test_extrapolation_takes_out_two_orders():
    widths = [256, 128, 64]
    means = [np.array([0.3 + 2 / n - 50 / n**2]) for n in widths]
    groups = [_Group(mean, np.array([1.0]), 10) for mean in means]
    found, variance, freedom, correction = _extrapolated(widths, groups)
    assert found[0] == pytest.approx(0.3, abs=1e-14)
    assert variance[0] == pytest.approx((8 / 3) ** 2 + 2**2 + (1 / 3) ** 2)
    assert freedom[0] == min(group.freedom for group in groups)
    assert correction[0] == pytest.approx(-2 * 50 / 256**2)
    assert _at_zero(np.array([0.1, 0.3])).sum() == pytest.approx(1)


def test_same_spectra_tells_ensembles_and_scales_apart():
    law = spectral_law("tanh", 3, "gaussian", 1.0)
    first = sample_spectra(_experiment(law, "tanh", 48, 12, model="free", seed=1), "free")
    same = sample_spectra(_experiment(law, "tanh", 48, 12, model="free", seed=2), "free")
    assert same_spectra(first, same, permutations=999) > 0.01
    scaled = sample_spectra(_experiment(law, "tanh", 48, 12, model="free", seed=3, off=1.1), "free")
    other = replace(first.experiment, weights="orthogonal", seed=4)
    assert same_spectra(first, scaled, permutations=999) == 0.001
    assert same_spectra(first, sample_spectra(other, "free"), permutations=999) == 0.001


def test_wrong_input(tanh):
    law, spectra = tanh
    with pytest.raises(InputError, match="three widths"):
        assess_spectrum(law, spectra[:2])
    with pytest.raises(InputError, match="each width once"):
        assess_spectrum(law, [*spectra, spectra[0]])
    with pytest.raises(InputError, match="one model"):
        assess_spectrum(law, [replace(spectra[0], model="free"), *spectra[1:]])
    with pytest.raises(InputError, match="8 networks"):
        few = replace(spectra[0], experiment=replace(spectra[0].experiment, networks=7))
        assess_spectrum(law, [few, *spectra[1:]])
    with pytest.raises(InputError, match="one width"):
        same_spectra(spectra[0], spectra[1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "depth", "weights", "model"),
    [
        ("tanh", 4, "gaussian", "network"),
        ("tanh", 8, "orthogonal", "network"),
        ("hardtanh", 4, "orthogonal", "network"),
        ("relu", 4, "gaussian", "network"),
        ("relu", 3, "orthogonal", "free"),
        ("gelu", 2, "gaussian", "free"),
    ],
)
def test_true_laws_are_refuted_no_more_often_than_stated(activation, depth, weights, model):
    """At 5 %, 40 cases each: more than 6 refuted has probability 0.3 % if the rate is 5 %."""
    law = spectral_law(activation, depth, weights, 1.0)
    refuted = 0
    for seed in range(40):
        experiment = _experiment(law, activation, 64, 16, model=model, seed=seed)
        found = assess_spectrum(law, _three(experiment, model), level=0.05)
        refuted += found.verdict is Verdict.REFUTED
    assert refuted <= 6


@pytest.mark.slow
def test_exchange_of_networks_keeps_its_level():
    law = spectral_law("relu", 3, "gaussian", 1.0)
    p = []
    for seed in range(0, 200, 2):
        pair = [
            sample_spectra(
                _experiment(law, "relu", 24, 8, model="free", seed=seed + k),
                "free",
                executor=InlineExecutor(),
            )
            for k in (0, 1)
        ]
        p.append(same_spectra(*pair, permutations=199))
    p = np.array(p)
    assert np.mean(p <= 0.05) < 0.05 + 3.1 * np.sqrt(0.05 * 0.95 / 100)
    assert 0.4 < p.mean() < 0.62


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
@pytest.mark.parametrize("activation", ["tanh", "erf", "hardtanh", "relu", "gelu", "silu"])
def test_wide_networks(activation, weights):
    """N = 1000, a few networks: the distribution function is the law's, up to a shift of the scale.

    The slopes' mean fluctuates like √(spread/N) a layer, and the number of active units like √(p(1 − p)/N).
    GELU and SiLU at q = 1 would need σ_b² < 0: the free model stands for them.
    """
    model = "free" if activation in ("gelu", "silu") else "network"
    for depth in (1, 2, 8, 64):
        law = spectral_law(activation, depth, weights, 1.0)
        spectra = sample_spectra(_experiment(law, activation, 1000, 1, model=model), model)
        values = np.sort(spectra.log_lambda.ravel())
        zeros = int(np.sum(~np.isfinite(values)))
        rest, steps = values[zeros:], (np.arange(zeros, len(values)) + 0.5) / len(values)
        near = 1e-9 * depth  # an atom is met up to rounding
        distance = max((steps - law.log_cdf(rest + near)).max(), (law.log_cdf(rest - near) - steps).max())
        peak = np.max(law.log_density(np.quantile(rest, np.linspace(0.05, 0.95, 30)) + near))
        p = law.slopes.atom_at_zero
        scale = peak * np.sqrt(law.slopes.spread * depth / 1000)
        assert distance < 0.015 + 3 * scale + 3 * np.sqrt(min(depth, 2) * p * (1 - p) / 1000)


def test_slopes_that_are_too_rare_leave_it_open():
    """Hard-tanh at q = 0.05: 8e-6 of the neurons saturate, none of those sampled."""
    law = spectral_law("hardtanh", 4, "orthogonal", 0.05, 1.0)
    spectra = _three(_experiment(law, "hardtanh", 64, 8, model="free", q=0.05), "free")
    judged = assess_spectrum(law, spectra)
    assert judged.verdict is Verdict.UNKNOWN and judged.p is None and "too rare" in judged.reason


def test_what_could_not_refute_confirms_nothing():
    """L = 8 with widths 32, 16 and 8: the finite width is not taken out, so there is no power either."""
    law = spectral_law("tanh", 8, "orthogonal", 0.3)
    spectra = _three(_experiment(law, "tanh", 32, 40, model="free", q=0.3), "free", more=1)
    judged = assess_spectrum(law, spectra)
    assert judged.verdict is Verdict.UNKNOWN and set(judged.power.values()) == {0.0}
