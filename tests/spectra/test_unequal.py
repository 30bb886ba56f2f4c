"""Spectra of unequal layers: closed forms, the law of equal layers, exact series, and sampled matrices."""

from math import pi

import numpy as np
import pytest
from sympy import Rational, Symbol, expand, simplify

from initmath.errors import InputError
from initmath.spectra import (
    Layer,
    bernoulli,
    layered_moments_series,
    moments_series,
    spectral_law,
    spectral_law_of_layers,
)
from initmath.spectra.chain_equation import ChainEquation, Group
from initmath.spectra.expectation import expectation
from initmath.spectra.slope import SlopeLaw


def orthogonal(activation, **rest):
    return Layer(activation, weights="orthogonal", **rest)


def discrete(atoms):
    values, weights = (np.array(column, dtype=np.complex128) for column in zip(*atoms, strict=True))
    return SlopeLaw("discrete", float("nan"), values, weights, tuple(atoms), (), 0.0)


def narayana(k, c):
    """Moments of Marchenko-Pastur for XXᵀ, N₁ × N₀, entries 1/N₀: Σ N(k, j) cʲ⁻¹."""
    from math import comb

    return sum(comb(k, j) * comb(k, j - 1) // k * c ** (j - 1) for j in range(1, k + 1))


@pytest.mark.parametrize("c", [0.25, 0.5, 2.0, 5.0])
def test_rectangular_marchenko_pastur(c):
    law = spectral_law_of_layers([Layer("x", ratio=c)])
    low, high = (1 - c**0.5) ** 2, (1 + c**0.5) ** 2
    np.testing.assert_allclose(law.support, [(low, high)], rtol=1e-12)
    assert law.parts[0].branch_points == (True, True)
    lam = low + (high - low) * np.linspace(0.001, 0.999, 41)
    np.testing.assert_allclose(
        law.density(lam), np.sqrt((high - lam) * (lam - low)) / (2 * pi * c * lam), rtol=1e-10
    )
    assert law.atoms == (((0.0, 1 - 1 / c),) if c > 1 else ())
    for k in (1, 2, 3, 4, 6):
        assert law.moment(k) == pytest.approx(narayana(k, c), rel=1e-12)
        assert law.integrated_moment(k) == pytest.approx(narayana(k, c), rel=1e-10)
    p = np.array([0.85, 0.9, 0.99])
    np.testing.assert_allclose(law.cdf(law.quantile(p)), p, atol=1e-12)
    assert law.cdf(low * 0.99) == pytest.approx(max(0, 1 - 1 / c), abs=1e-14)
    assert law.density(high * 1.01) == 0 and law.cdf(high) == pytest.approx(1, abs=1e-14)


def test_the_transpose_has_the_same_positive_spectrum():
    # JᵀJ against JJᵀ: linear layers in the reverse order, entries scaled by their own fan
    down = spectral_law_of_layers([Layer("x", ratio=0.5), Layer("x", ratio=3)])
    back = spectral_law_of_layers([Layer("x", ratio=1 / 3), Layer("x", ratio=2)])
    # unnormalised: σ_w² N_l/N_{l−1} of one is σ_w² of the other
    factor = (3 * 0.5) / 1
    np.testing.assert_allclose(np.array(down.support) / np.array(back.support), factor, rtol=1e-11)
    lam = np.array([0.2, 1.0, 3.0])
    above = (1 - down.cdf(lam * factor)) * 1.5
    np.testing.assert_allclose(above, 1 - back.cdf(lam), atol=1e-11)


@pytest.mark.parametrize("kind", ["gaussian", "orthogonal"])
@pytest.mark.parametrize(("name", "depth"), [("tanh", 1), ("tanh", 3), ("relu", 20), ("hardtanh", 3)])
def test_equal_layers_agree_with_their_own_law(name, depth, kind):
    own = spectral_law(name, depth, kind)
    law = spectral_law_of_layers([Layer(name, weights=kind)] * depth)
    assert len(law.support) == len(own.support) and len(law.atoms) == len(own.atoms)
    np.testing.assert_allclose(law.log_atoms, own.log_atoms, rtol=1e-12)
    np.testing.assert_allclose(law.support, own.support, rtol=1e-11)
    p = np.array([0.1, 0.55, 0.7, 0.9, 0.97])
    np.testing.assert_allclose(law.log_quantile(p), own.log_quantile(p), rtol=1e-8)
    if own.support:
        lam = own.support[-1][1] * np.array([1e-4, 0.01, 0.3, 0.9, 0.99])
        np.testing.assert_allclose(law.density(lam), own.density(lam), rtol=1e-8)
        np.testing.assert_allclose(law.cdf(lam), own.cdf(lam), atol=1e-11)
    assert law.sigma2_jjt == pytest.approx(own.sigma2_jjt)
    assert law.moment(3) == pytest.approx(own.moment(3), rel=1e-12)


def test_splitting_a_group_changes_nothing():
    own = spectral_law("tanh", 3, "orthogonal")
    law = own.slopes
    one = ChainEquation((Group(law, 1.0, 3),), (), 1.0, 0.0)
    two = ChainEquation((Group(law, 1.0, 1), Group(law, 1.0, 2)), (), 1.0, 0.0)
    x = np.array([-3.0, 0.0, 1.0])
    found = []
    for equation in (one, two):
        start, _, _ = equation.negative(x)
        state, inside = equation.follow(start, x)
        assert inside.all()
        found.append(equation.at(state).m)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)


@pytest.mark.slow
def test_order_matters_only_through_the_widths():
    a, b = Layer("tanh", q=0.5), Layer("relu")
    one, two = spectral_law_of_layers([a, b]), spectral_law_of_layers([b, a])
    np.testing.assert_allclose(one.quantile([0.6, 0.9]), two.quantile([0.6, 0.9]), rtol=1e-10)
    narrow = [
        Layer("tanh", q=0.5, ratio=0.5), Layer("relu", ratio=2)
    ], [Layer("relu", ratio=0.5), Layer("tanh", q=0.5, ratio=2)]  # fmt: skip
    laws = [spectral_law_of_layers(layers) for layers in narrow]
    assert [dict(law.atoms)[0.0] for law in laws] == pytest.approx([0.5, 0.75])


def test_a_bottleneck_that_widens_again():
    # N, 2N, N, N/2 of ReLU units: rank N/4 of N/2 from the last layer
    law = spectral_law_of_layers(
        [Layer("relu", ratio=2), Layer("relu", ratio=0.5), orthogonal("relu", ratio=0.5)]
    )
    assert law.atoms == ((0.0, pytest.approx(0.5)),)
    exact = layered_moments_series(
        [[Rational(1, 2)] * 4] * 3,
        ["gaussian", "gaussian", "orthogonal"],
        [2, Rational(1, 2), Rational(1, 2)],
    )
    for k, value in enumerate(exact, 1):
        assert law.moment(k) == pytest.approx(float(value), rel=1e-12)
        assert law.integrated_moment(k) == pytest.approx(float(value), rel=1e-9)


def test_free_projections():
    # N, 3N, 3N/2 with orthonormal columns, then rows: a product of free projections (Voiculescu 1987)
    law = spectral_law_of_layers([orthogonal("x", ratio=3), orthogonal("x", ratio=0.5)])
    alpha, beta = 1 / 3, 1 / 2
    r = np.sqrt(4 * alpha * beta * (1 - alpha) * (1 - beta))
    edges = alpha + beta - 2 * alpha * beta + np.array([-r, r])
    np.testing.assert_allclose(law.support[0], 3 * edges, rtol=1e-12)
    assert law.atoms == ((0.0, pytest.approx(1 / 3)),)


def test_orthogonal_atoms_by_dimension():
    # eigenvalues 1 and 4 of weight 0.4 survive the loss of a tenth: (0.4 − 0.1)/0.9 each
    slopes = discrete([(0.0, 0.2), (1.0, 0.4), (4.0, 0.4)])
    law = spectral_law_of_layers([orthogonal(slopes, sigma_w2=1.0), orthogonal("x", sigma_w2=1.0, ratio=0.9)])
    assert dict(law.atoms) == pytest.approx({0.0: 1 / 9, 1.0: 1 / 3, 4.0: 1 / 3})
    assert law.mass == pytest.approx(1, abs=1e-12)


def test_one_varying_slope_is_a_push_forward():
    law = spectral_law_of_layers(
        [orthogonal("x", ratio=0.5), orthogonal("tanh", sigma_w2=1.0), orthogonal("x", ratio=3)]
    )
    own = spectral_law("tanh", 1, "orthogonal", sigma_w2=1.0)
    assert law.atoms == ((0.0, pytest.approx(2 / 3)),)
    lam = np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(3 * (1 - law.cdf(3 * lam)), 1 - own.cdf(lam), atol=1e-12)
    np.testing.assert_allclose(law.quantile([0.8, 0.95]), 3 * own.quantile([0.4, 0.85]), rtol=1e-10)
    assert law.quantile(0.3) == 0


def test_series():
    c = Symbol("c", positive=True)
    found = layered_moments_series([[1] * 4], ["gaussian"], [c])
    for k, value in enumerate(found, 1):
        assert expand(value - narayana(k, c)) == 0
    mu = [Rational(1, 2)] * 4
    assert layered_moments_series([mu] * 6, ["gaussian"] * 6) == moments_series(mu, 6)
    a, b = Symbol("a", positive=True), Symbol("b", positive=True)
    two = layered_moments_series([[1, 1]] * 2, ["gaussian"] * 2, [a, b], count=2)
    assert simplify(two[1] - (1 + b + a * b)) == 0  # N₂ (1/N₀ + 1/N₁ + 1/N₂)
    # a projection of rank p and Bernoulli slopes: both Beta-like products of free projections
    p = Rational(1, 3)
    found = layered_moments_series([[1] * 3, [p] * 3], ["orthogonal"] * 2, [2, 1], [1, 1], 3)
    alpha = Rational(1, 2)
    # tr (PQ)² = α p (α + p − α p), here times 2² for the singular value √2
    assert found[1] == 4 * alpha * p * (alpha + p - alpha * p)


def test_expectation_takes_it():
    law = spectral_law_of_layers([Layer("x", ratio=0.5)])
    assert expectation(law, lambda x: np.exp(x)) == pytest.approx(1, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    "layers",
    [
        [orthogonal("tanh", q=1e-4)] * 2,
        [Layer(discrete([(0.001, 0.5), (1000.0, 0.5)]), ratio=0.05)],
        [orthogonal(discrete([(0.001, 0.5), (1000.0, 0.5)])), orthogonal(discrete([(1.0, 0.9), (1.2, 0.1)]))],
        [Layer("gelu", ratio=0.3), orthogonal("sigmoid")],
        [orthogonal(bernoulli(0.5)), orthogonal(bernoulli(0.5))],
    ],
)
def test_odd_networks_have_their_moments(layers):
    law = spectral_law_of_layers(layers)
    assert law.error < 1e-8
    for k in (3, 4):
        mean = np.exp(k * law.log_mean)
        assert law.integrated_moment(k) * mean == pytest.approx(law.moment(k), rel=1e-7)


def test_wrong_input():
    for layers, message in (
        ([], "layers"),
        ([Layer("relu", ratio=0.0)], "ratio"),
        ([Layer("relu", weights="uniform")], "weights"),
        ([Layer("relu", q=-1.0)], "q must be"),
        (["relu"], "Layer"),
    ):
        with pytest.raises(InputError, match=message):
            spectral_law_of_layers(layers)
    with pytest.raises(InputError):
        layered_moments_series([[1]], ["gaussian"], count=3)


def sampled(layers, width, rng):
    """λ of one draw of the free model: independent diagonals, matrices by the stated convention."""
    jacobian, sizes = np.eye(width), [width]
    for name, kind, c in layers:
        rows, columns = round(sizes[-1] * c), sizes[-1]
        z = rng.standard_normal(rows)
        slope = {"relu": np.sqrt(2) * (z > 0), "tanh": 1 / np.cosh(z) ** 2, "x": np.ones(rows)}[name]
        w = rng.standard_normal((rows, columns))
        if kind == "orthogonal":
            q, r = np.linalg.qr(w if rows >= columns else w.T)
            q = q * np.sign(np.diag(r))
            # entry variance 1/columns
            w = q * np.sqrt(rows / columns) if rows >= columns else q.T
        else:
            w /= np.sqrt(columns)
        jacobian = slope[:, None] * (w @ jacobian)
        sizes.append(rows)
    return np.linalg.svd(jacobian, compute_uv=False) ** 2, sizes[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "chain",
    [
        [("relu", "gaussian", 2.0), ("tanh", "orthogonal", 0.5), ("relu", "gaussian", 0.5)],
        [("tanh", "orthogonal", 2.0), ("relu", "orthogonal", 0.25), ("tanh", "gaussian", 3.0)],
        [("x", "orthogonal", 0.5), ("tanh", "orthogonal", 1.0), ("x", "gaussian", 0.75)],
    ],
)
def test_against_sampled_free_matrices(chain):
    rng = np.random.default_rng(5)
    law = spectral_law_of_layers(
        [Layer(name, 1.0, 2.0 if name == "relu" else 1.0, kind, c) for name, kind, c in chain]
    )
    # sampled() has √2 in its ReLU slopes, so that there σ_w² = 1
    draws = [sampled(chain, 480, rng) for _ in range(24)]
    probe = np.exp(law.log_mean) * np.array([0.03, 0.3, 1.0, 3.0])
    rows = np.array([[np.sum(lam > at) / size for at in probe] for lam, size in draws])
    smooth = np.array([[np.sum(lam / (lam + at)) / size for at in probe] for lam, size in draws])
    # − m at z = −at is E λ/(λ + at), and on the continuous part it is an integral of the density
    exact = np.array([expectation(law, lambda x, at=at: 1 / (1 + at * np.exp(-x))) for at in probe])
    scatter = smooth.std(axis=0, ddof=1) / np.sqrt(len(draws))
    assert np.all(np.abs(smooth.mean(axis=0) - exact) < 4.5 * scatter + 1 / 480)
    assert np.all(np.abs(rows.mean(axis=0) - (1 - law.cdf(probe))) < 6e-3)
