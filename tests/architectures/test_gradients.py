"""Shattered gradients: the model's laws, the networks' laws, and simulations of both."""

import numpy as np
import pytest
from mpmath import mp
from scipy.special import gammaln

from initmath.architectures import ARCHITECTURES, MASKS, angles, gradient_law, sample_gradients
from initmath.errors import InputError
from initmath.simulate.blas import one_thread


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


def test_the_model_of_the_paper():
    depth = np.arange(31)
    assert np.allclose(gradient_law("plain", 30).model, 0.5**depth, rtol=1e-13)
    assert np.allclose(gradient_law("residual", 30).model, 0.75**depth, rtol=1e-13)
    for beta in (1.0, 0.3):
        k = beta**-2
        closed = gammaln(depth + 0.5 + k) + gammaln(k) - gammaln(0.5 + k) - gammaln(depth + k)
        closed = np.exp(closed) / (1 + beta**2 * depth)
        assert np.allclose(gradient_law("batch_norm_residual", 30, beta=beta).model, closed, rtol=1e-12)


@pytest.mark.parametrize("beta", [None, 0.5])
@pytest.mark.parametrize("c0", [-1.0, -0.3, 0.0, 0.9, 1 - 1e-12])
def test_angles_to_fifty_digits(c0, beta):
    found = angles(60, c0, beta=beta)
    with mp.workdps(50):
        c, b = mp.mpf(c0), mp.inf if beta is None else mp.mpf(beta) ** 2
        for layer in range(61):
            assert abs(found[layer] - mp.acos(c)) < 1e-14 * (layer + 1) * mp.acos(c)
            kappa = (mp.sqrt(1 - c * c) + (mp.pi - mp.acos(c)) * c) / mp.pi
            c = kappa if beta is None else (c + b * kappa) / (1 + b)


def test_the_same_input_keeps_its_gradient():
    assert np.all(gradient_law("plain", 10, correlation=1.0).correlation == 1)


def slope(values, depth):
    """Local power between depth/2 and depth."""
    return np.log(values[depth] / values[depth // 2]) / np.log(2)


@pytest.mark.parametrize(
    ("architecture", "beta", "tolerance"),
    [
        ("plain", 1.0, 0.01),
        ("residual", 1.0, 0.01),
        ("residual", 0.5, 0.02),
        ("batch_norm_residual", 1.0, 1e-3),
    ],
)
def test_asymptotic_powers(architecture, beta, tolerance):
    law = gradient_law(architecture, 20_000, beta=beta)
    assert slope(law.correlation, 20_000) == pytest.approx(law.power, abs=tolerance)
    if law.model_power is not None:
        assert slope(law.model, 20_000) == pytest.approx(law.model_power, abs=tolerance)
        assert abs(law.power - law.model_power) > 100 * tolerance


def test_the_angle_falls_like_three_pi_over_depth():
    from math import log, pi

    for beta, share in ((None, 1.0), (1.0, 0.5)):
        theta = angles(100_000, 0.0, beta=beta)
        # 1/θ = share l/(3π) + ln l/(2π) share + O(1): difference between two depths
        rise = (1 / theta[100_000] - 1 / theta[50_000]) / share
        assert rise == pytest.approx(50_000 / (3 * pi) + log(2) / (2 * pi), abs=1e-3)
        gap = 2 * np.sin(theta[-1] / 2) ** 2
        assert gap * 100_000**2 * share**2 / (4.5 * pi**2) == pytest.approx(1, abs=2e-3)


def predicted(law, masks):
    """Of the gradients with respect to x₀, …, x_L: products from the layer up."""
    factors = law.factors if masks == "network" else law.model_factors
    return np.concatenate([np.cumprod(factors[::-1])[::-1], [1.0]])


@pytest.mark.parametrize("masks", MASKS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_simulated_networks(architecture, masks):
    """Width 128: what is left of 1/N and 1/batch is below three per cent."""
    law = gradient_law(architecture, 5)
    sample = sample_gradients(
        architecture, 5, masks=masks, width=128, networks=60, batch=192, rng=np.random.default_rng(1)
    )
    expected = predicted(law, masks)
    gap = np.abs(sample.correlation - expected)
    assert np.all(gap <= 4 * sample.standard_error + 0.03 * expected)
    other = predicted(law, "independent" if masks == "network" else "network")
    if architecture in ("plain", "residual"):  # the simulation tells the model from the network
        assert np.any(np.abs(sample.correlation - other) > 4 * sample.standard_error)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_simulated_networks_deeper(architecture):
    depth = 16
    law = gradient_law(architecture, depth)
    sample = sample_gradients(
        architecture, depth, width=384, networks=60, batch=384, rng=np.random.default_rng(2)
    )
    expected = predicted(law, "network")
    gap = np.abs(sample.correlation - expected)
    assert np.all(gap <= 4 * sample.standard_error + 0.05 * expected)
    if architecture == "batch_norm_residual":
        assert law.model[depth] - sample.correlation[0] > 10 * sample.standard_error[0]


def test_correlated_inputs():
    law = gradient_law("plain", 4, correlation=0.8)
    sample = sample_gradients(
        "plain", 4, correlation=0.8, width=200, networks=80, rng=np.random.default_rng(3)
    )
    assert sample.signal[0] == pytest.approx(0.8, abs=1e-12)
    expected = predicted(law, "network")
    assert np.all(np.abs(sample.correlation - expected) <= 4 * sample.standard_error + 0.01)
    assert np.all(np.abs(sample.signal - np.cos(angles(4, 0.8))) < 0.02)


@pytest.mark.parametrize(
    "call",
    [
        lambda: gradient_law("transformer", 3),
        lambda: gradient_law("plain", -1),
        lambda: gradient_law("plain", 3, correlation=1.5),
        lambda: gradient_law("batch_norm", 3, correlation=0.5),
        lambda: gradient_law("residual", 3, beta=0.0),
        lambda: gradient_law("residual", 3, beta=float("nan")),
        lambda: gradient_law("residual", 3, beta=1e200),
        lambda: gradient_law("plain", 3.5),
        lambda: sample_gradients("plain", 60, networks=4, width=3, rng=np.random.default_rng(5)),
        lambda: angles(3, float("nan")),
        lambda: sample_gradients("plain", 3, networks=1, rng=np.random.default_rng(0)),
        lambda: sample_gradients("plain", 3, masks="mine", rng=np.random.default_rng(0)),
        lambda: sample_gradients("other", 3, rng=np.random.default_rng(0)),
        lambda: sample_gradients("plain", 3, correlation=2.0, rng=np.random.default_rng(0)),
    ],
)
def test_wrong_input(call):
    with pytest.raises(InputError):
        call()


def test_depth_zero_is_the_gradient_itself():
    assert gradient_law("plain", 0).correlation.tolist() == [1.0]
