"""The spectral law against closed forms, exact moments, reference values and itself by other routes."""

import json
from math import pi
from pathlib import Path

import numpy as np
import pytest
from mpmath import exp as mpexp
from mpmath import log as mplog
from mpmath import mpc, mpf, workdps
from scipy.integrate import quad
from sympy import Rational, Symbol, expand

from initmath.activation import resolve
from initmath.activation.catalogue import names
from initmath.errors import InputError
from initmath.quadrature import expectation
from initmath.spectra import bernoulli, moments_series, slope_law, spectral_law, spectral_law_of
from initmath.spectra.expectation import expectation as mean_over_spectrum
from initmath.spectra.uniform import resolvent_sums

REFERENCE = json.loads((Path(__file__).parents[1] / "data" / "reference.json").read_text())
ISO = {entry["id"]: entry for entry in REFERENCE if entry["id"].startswith("iso.")}

ACTIVATIONS = ("tanh", "erf", "hardtanh", "relu", "gelu", "silu")
QUICK = [
    (a, w, n)
    for a in ("tanh", "hardtanh", "relu", "elu")
    for w in ("gaussian", "orthogonal")
    for n in (1, 2, 20)
]
FULL = [(a, w, n) for a in ACTIVATIONS for w in ("gaussian", "orthogonal") for n in (1, 2, 8, 64, 1000)]


def fuss_catalan(depth, phi):
    """λ and λρ at the angle φ (Haagerup-Möller)."""
    lam = np.sin((depth + 1) * phi) ** (depth + 1) / (np.sin(phi) * np.sin(depth * phi) ** depth)
    density = (
        np.sin(phi) ** 2 * np.sin(depth * phi) ** (depth - 1) / (pi * np.sin((depth + 1) * phi) ** depth)
    )
    return lam, density


@pytest.mark.parametrize("depth", [1, 2, 5, 30])
def test_linear_gaussian_is_fuss_catalan(depth):
    law = spectral_law("x", depth)
    phi = np.linspace(0.05, 0.95, 41) * pi / (depth + 1)
    lam, density = fuss_catalan(depth, phi)
    np.testing.assert_allclose(law.density(lam), density, rtol=1e-10)
    edge = (depth + 1) ** (depth + 1) / depth**depth
    assert law.support[-1][1] == pytest.approx(edge, rel=1e-12)
    # the closed cumulative distribution against integration of the closed density
    middle = fuss_catalan(depth, 0.5 * pi / (depth + 1))[0]
    above = quad(lambda x: float(law.density(x)), middle, edge * (1 - 1e-14), limit=200, epsabs=1e-9)[0]
    assert 1 - law.cdf(middle) == pytest.approx(above, abs=1e-6)


def test_marchenko_pastur_quantiles():
    law = spectral_law("x", 1)
    lam = np.array([0.01, 0.3, 1.0, 3.0, 3.99])
    # F(λ) = 1/2 + [√(λ(4−λ)) + 4 arcsin(√λ/2 ...)]/2π, here with θ = arccos(1 − λ/2)
    theta = np.arccos(1 - lam / 2)
    cdf = (theta + np.sin(theta)) / pi
    np.testing.assert_allclose(law.cdf(lam), cdf, atol=1e-13)
    np.testing.assert_allclose(law.quantile(cdf), lam, rtol=1e-11)
    assert law.quantile(0.0) >= 0 and law.quantile(1.0) == pytest.approx(4.0)


def test_orthogonal_relu_two_layers_is_half_an_arcsine_law():
    law = spectral_law("relu", 2, "orthogonal")
    lam = np.array([0.05, 1.0, 2.5, 3.9])
    np.testing.assert_allclose(law.density(lam), 0.5 / (pi * np.sqrt(lam * (4 - lam))), rtol=1e-9)
    assert law.atoms == ((0.0, 0.5),)
    assert law.support == pytest.approx(np.array([[0.0, 4.0]]))
    assert float(law.cdf(0.0)) == 0.5 and law.quantile(0.4) == 0.0


@pytest.mark.parametrize(
    ("depth", "moments"), [(1, (1, 3, 11, 45)), (3, (1, 7, 67, 741)), (6, (1, 13, 241, 5225))]
)
def test_relu_gaussian_moments(depth, moments):
    assert moments_series([Rational(1, 2)] * 4, depth) == moments
    law = spectral_law("relu", depth)
    for k, value in enumerate(moments, 1):
        assert law.moment(k) == pytest.approx(value, rel=1e-13)
        assert law.integrated_moment(k) == pytest.approx(value, rel=1e-10)


def test_moments_are_polynomials_in_the_depth():
    depth = Symbol("L")
    mu = [Symbol(f"mu{k}", positive=True) for k in range(1, 5)]
    second = moments_series(mu, depth, "orthogonal", count=2)[1]
    assert expand(second - 1 - depth * (mu[1] / mu[0] ** 2 - 1)) == 0
    for n in (1, 4):
        symbolic = [e.subs(depth, n) for e in moments_series([Rational(1, 2)] * 4, depth)]
        assert symbolic == list(moments_series([Rational(1, 2)] * 4, n))


@pytest.mark.parametrize(("activation", "weights", "depth"), QUICK)
def test_mass_and_moments(activation, weights, depth):
    law = spectral_law(activation, depth, weights)
    assert abs(law.mass - 1) < 1e-6
    assert law.error < 1e-6
    for k in (3, 4):
        assert law.integrated_moment(k) == pytest.approx(law.moment(k), rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("activation", "weights", "depth"), FULL)
def test_mass_and_moments_of_the_whole_table(activation, weights, depth):
    law = spectral_law(activation, depth, weights)
    assert abs(law.mass - 1) < 1e-6
    assert law.error < 1e-6


@pytest.mark.parametrize("q", [1e-6, 0.01, 1.0, 9.0])
@pytest.mark.parametrize("depth", [1, 3])
def test_density_cdf_and_quantile_agree(q, depth):
    law = spectral_law("tanh", depth, "orthogonal", q)
    p = np.array([0.02, 0.3, 0.7])
    at = law.log_quantile(p)
    np.testing.assert_allclose(law.log_cdf(at), p, atol=1e-9)
    width = 1e-5 * (at[-1] - at[0])
    slope = (law.log_cdf(at + width) - law.log_cdf(at - width)) / (2 * width)
    np.testing.assert_allclose(law.log_density(at), slope, rtol=1e-4)


def test_one_orthogonal_layer_is_the_push_forward():
    # tanh: λ = σ² sech⁴(√q z), so F(λ) = P(|z| ≥ arsech(…))
    law = spectral_law("tanh", 1, "orthogonal")
    z = np.array([0.1, 1.0, 2.5])
    lam = law.sigma_w2 / np.cosh(z) ** 4
    from scipy.special import ndtr

    np.testing.assert_allclose(law.cdf(lam), 2 * ndtr(-z), rtol=1e-12)
    density = 2 * np.exp(-z * z / 2) / np.sqrt(2 * pi) / (lam * 4 * np.tanh(z))
    np.testing.assert_allclose(law.density(lam), density, rtol=1e-11)


def test_edges_of_the_reference_table():
    for name, entry in ISO.items():
        if ".lmax." not in name or not name.startswith(("iso.bern_", "iso.lin")):
            continue
        depth = int(name.rsplit("L=", 1)[1])
        if name.startswith("iso.lin"):
            slopes = bernoulli(1.0)
        elif "p=0." in name:
            slopes = bernoulli(float(name.split("p=")[1].split(".L")[0]))
        elif "relu" in name:
            slopes = bernoulli(0.5)
        else:
            slopes = slope_law(resolve("hardtanh"), 1.0)
        law = spectral_law_of(slopes, depth, "orthogonal" if "orth" in name else "gaussian")
        top = max([a for a, _ in law.atoms] + [high for _, high in law.support])
        assert top == pytest.approx(float(entry["value"]), rel=1e-11), name


def test_ratios_of_the_reference_table():
    for name, entry in ISO.items():
        if not name.startswith("iso.ratio."):
            continue
        q = float(Rational(name.split("q=")[1]))
        assert slope_law(resolve(entry["activation"]), q).spread == pytest.approx(
            float(entry["value"]), rel=1e-9, abs=1e-15
        ), name


@pytest.mark.parametrize("s2", [0.25, 1.0, 4.0])
def test_universal_edges_of_a_bernoulli_slope(s2):
    depth = 10**6
    law = spectral_law_of(bernoulli(1 / (1 + s2 / depth)), depth, "orthogonal")
    top = max([a for a, _ in law.atoms] + [high for _, high in law.support])
    # e^σ² while an atom is there (σ² ≤ 1), else e σ²
    limit = float(np.exp(s2)) if s2 <= 1 else float(np.exp(1) * s2)
    entry = ISO.get(f"iso.bernoulli.lmax.s2={Rational(s2)}")
    if entry:
        assert limit == pytest.approx(float(entry["value"]), rel=1e-14)
    assert top == pytest.approx(limit, rel=2e-5)


@pytest.mark.parametrize("s2", [0.25, 1.0, 4.0])
def test_universal_edges_of_a_smooth_slope(s2):
    # erf near q = 0: g'² = exp(−2x²) up to a factor, spread (1 + 4q)/√(1 + 8q) − 1 = 8q² + …
    depth = 10**6
    law = spectral_law("erf", depth, "orthogonal", q=float(np.sqrt(s2 / depth / 8)))
    # g'² comes down to 0 far out in the Gaussian, and so does the support; the mass ends at the limit's edge
    low, high = float(law.quantile(1e-5)), law.support[-1][1]
    assert law.sigma2_jjt == pytest.approx(s2, rel=1e-2)
    for name, found in (("lmax", high), ("lmin", low)):
        entry = ISO.get(f"iso.smooth.{name}.s2={Rational(s2)}")
        if entry:
            assert found == pytest.approx(float(entry["value"]), rel=2e-2), name


@pytest.mark.parametrize("distance", [0.0, 1e-9, -1e-9, 1e-6, -1e-6, 1e-4, -1e-4])
@pytest.mark.parametrize("depth", [10**4, 10**6])
def test_nearly_marginal_atoms(depth, distance):
    """1 − L(1 − p) = distance: edge and atom are that close together, and mass and moments still come out."""
    law = spectral_law_of(bernoulli(1 - (1 - distance) / depth), depth, "orthogonal")
    assert abs(law.mass - 1) < 2e-7
    assert law.error < 2e-7
    p = np.array([0.01, 0.5, 0.9, 0.99])
    np.testing.assert_allclose(law.log_cdf(law.log_quantile(p)), p, atol=1e-9)


@pytest.mark.parametrize("depth", [2, 3, 100, 1000])
def test_marginal_atoms_of_few_layers(depth):
    """Exactly marginal, the atom is the edge and keeps its digits; 1e-12 off there is still a law."""
    assert spectral_law_of(bernoulli(1 - 1 / depth), depth, "orthogonal").error < 1e-11
    assert spectral_law_of(bernoulli(1 - (1 - 1e-12) / depth), depth, "orthogonal").error < 2e-7


@pytest.mark.parametrize(("activation", "q"), [("tanh", 1e-8), ("gelu", 1e-8), ("gelu", 1e-4)])
def test_small_q(activation, q):
    assert spectral_law(activation, 20, "orthogonal", q).error < 1e-7


def test_a_slope_constant_to_rounding_is_refused():
    with pytest.raises(InputError, match="does not resolve"):
        spectral_law("tanh", 2, "orthogonal", 1e-12)


def test_quantiles_by_newton_and_by_bracketing_agree():
    law = spectral_law("tanh", 20)
    p = np.linspace(0.001, 0.999, 25)
    part = law.parts[0]
    np.testing.assert_allclose(part.solve_cdf(p), part._bracket_cdf(p), rtol=1e-9, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "weights", "depth"), [("relu", "gaussian", 3), ("tanh", "orthogonal", 4)]
)
def test_against_a_product_of_free_matrices(activation, weights, depth):
    rng = np.random.default_rng(1)
    size = 600
    law = spectral_law(activation, depth, weights)
    slope = resolve(activation).numpy(1)
    j = np.eye(size)
    for _ in range(depth):
        w = rng.normal(size=(size, size)) / np.sqrt(size)
        if weights == "orthogonal":
            u, _, v = np.linalg.svd(w)
            w = u @ v
        j = np.sqrt(law.sigma_w2) * slope(rng.normal(size=size))[:, None] * (w @ j)
    lam = np.sort(np.linalg.svd(j, compute_uv=False) ** 2)
    positive = lam > 1e-20
    empirical = (np.arange(size) + 0.5) / size
    # eigenvalues are rigid, but the rank and scale of D fluctuate by 1/√N
    assert np.abs(law.cdf(lam[positive]) - empirical[positive]).max() < 0.04


@pytest.mark.parametrize(
    "arguments",
    [
        {"depth": 0},
        {"depth": 1.5},
        {"depth": 10**7},
        {"weights": "cauchy"},
        {"q": 0},
        {"q": float("nan")},
        {"sigma_w2": -1},
    ],
)
def test_bad_input_is_one_line(arguments):
    with pytest.raises(InputError) as caught:
        spectral_law("tanh", **arguments)
    assert "\n" not in str(caught.value)


def test_no_slope_no_spectrum():
    with pytest.raises(InputError, match="almost everywhere"):
        spectral_law("sign")


@pytest.mark.parametrize("p", [1e-3, 0.5, 0.68, 1 - 1e-6, 1.0])
def test_sums_in_closed_form_are_the_sums_over_the_nodes(p):
    law, summed = bernoulli(p), bernoulli(p)
    object.__setattr__(summed, "on_or_off", None)
    rng = np.random.default_rng(0)
    anywhere = rng.uniform(-5, 12, 200) + 1j * rng.uniform(0.01, 3.1, 200)
    beside = np.log(1 / p) + 10 ** rng.uniform(-5, -1, 50) * np.exp(1j * rng.uniform(0.1, 3, 50))
    t = np.concatenate([anywhere, beside])
    # the nodes hold a/μ₁ − 1 = (1 − p)/p to 2e-16: log u, of that size itself, has no more digits there
    lost = 1e-15 / max(1 - p, 1e-15) if p > 0.9 else 0.0
    closed, wanted = resolvent_sums(law, t), resolvent_sums(summed, t)
    for name in ("m", "one_m", "log_1m", "dm", "log_u", "dlog_u"):
        found, sums = getattr(closed, name), getattr(wanted, name)
        rtol = 1e-9 + lost * (name in ("log_u", "dlog_u"))
        np.testing.assert_allclose(found, sums, rtol=rtol, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("p", [1e-3, 0.5, 1 - 1e-6, 1 - 1e-12])
def test_sums_in_closed_form_have_all_their_digits(p):
    law = bernoulli(p)
    t = np.array([-3 + 1j, -0.5 + 0.01j, 0.1 + 2j, 5 + 0.3j, np.log(1 / p) + 1e-6 + 1e-6j])
    found = resolvent_sums(law, t)
    with workdps(40):
        for i, point in enumerate(t):
            w, share = mpexp(mpc(point)), mpf(p)
            m = 1 / (w - 1 / share)  # p a/(w − a) with a = 1/p
            one_m = 1 + m
            assert abs(complex(found.m[i]) / m - 1) < 1e-9
            assert abs(complex(found.one_m[i]) / one_m - 1) < 1e-9
            assert abs(complex(found.log_u[i]) / mplog(w * m / one_m) - 1) < 1e-13


def test_the_closed_form_is_for_one_value_beside_0():
    assert slope_law(resolve("leaky_relu"), 1.0).on_or_off is None
    assert slope_law(resolve("tanh"), 1.0).on_or_off is None


@pytest.mark.parametrize("depth", [2, 3, 8])
def test_two_slopes_have_one_component(depth):
    """Where w → 0, 1 + m is tiny and negative, which 1 + m computed from m is not."""
    law = spectral_law("leaky_relu", depth, "orthogonal")
    assert len(law.parts) == 1
    assert law.parts[0].mass == pytest.approx(1, abs=1e-9)
    low, high = law.log_support[0]
    # the spectrum lies between the smallest and the largest product of slopes
    extremes = depth * (np.log(law.sigma_w2) + np.log([0.01**2, 1.0]))
    assert extremes[0] <= low < high <= extremes[1]


@pytest.mark.parametrize(
    ("activation", "q", "reason"),
    [("sqrt(Abs(x))", 1.0, "E g'² of .* is infinite"), ("gelu", 1e4, "varies too fast")],
)
def test_no_law_of_the_slope_says_why(activation, q, reason):
    with pytest.raises(InputError, match=reason) as caught:
        spectral_law(activation, 1, "gaussian", q)
    assert "\n" not in str(caught.value)


def test_a_law_of_the_slope_that_is_kept_cannot_be_changed():
    law = slope_law(resolve("tanh"), 0.7)
    assert slope_law(resolve("tanh"), 0.7) is law
    with pytest.raises(ValueError, match="read-only"):
        law.nodes[0] = 0


def test_orthogonal_isometry_is_one_atom():
    law = spectral_law("Abs(x)", 5, "orthogonal")
    assert law.atoms == ((1.0, 1.0),) and law.support == () and law.mass == 1.0


@pytest.mark.parametrize("activation", ["x*tanh(exp(x))", "gelu_tanh", "elu", "tanhshrink"])
def test_the_resolvent_of_a_slope_on_the_negative_line(activation):
    """Against real-line quadrature by another evaluator, down to where little of a is smaller than w.

    x·tanh(eˣ): eˣ sech²(eˣ) is bounded though a factor overflows; GELU's 1 + tanh u cancels far left; the
    slope of ELU spans decades below its mean; tanhshrink has g' ~ x², a fourth power in a.
    """
    resolved = resolve(activation)
    law, slope = slope_law(resolved, 1.0), resolved.numpy(1)
    for w in law.mean * np.exp([2.0, 0.0, -3.0, -6.0, -12.0]):
        wanted = expectation(lambda x, w=w: w / (w + slope(x) ** 2), 1.0, [0.0])
        assert float(np.real(law.weights @ (w / (w + law.nodes)))) == pytest.approx(
            float(wanted.value), abs=1e-12 + 2 * float(wanted.error)
        )
    assert law.drift < 1e-11


def test_a_slope_whose_factors_overflow_has_a_law():
    law = spectral_law("x*tanh(exp(x))", 8)
    assert abs(law.mass - 1) < 1e-9 and law.error < 1e-9
    assert law.integrated_moment(3) == pytest.approx(law.moment(3) / np.exp(3 * law.log_mean), rel=1e-8)


@pytest.mark.parametrize("activation", ["gelu", "silu", "tanh", "celu"])
def test_one_orthogonal_layer_in_and_out(activation):
    """Quantiles by Newton's method against the distribution, and that against counting."""
    law = spectral_law(activation, 1, "orthogonal")
    p = np.linspace(0.51, 0.99, 25) if law.atoms else np.linspace(0.01, 0.99, 50)
    lam = law.quantile(p)
    assert (np.diff(lam) >= 0).all()
    moved = lam < law.atoms[0][0] * (1 - 1e-12) if law.atoms else np.ones_like(lam, dtype=bool)
    np.testing.assert_allclose(law.cdf(lam[moved]), p[moved], atol=1e-12)
    z = np.linspace(-9, 9, 400_001)
    weights = np.exp(-z * z / 2) / np.exp(-z * z / 2).sum()
    a = law.sigma_w2 * resolve(activation).numpy(1)(z) ** 2
    for one in lam[::6]:
        assert law.cdf(one) == pytest.approx(weights[a <= one * (1 + 1e-13)].sum(), abs=2e-5)


@pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
def test_a_law_that_spans_thousands_of_decades(weights):
    """g'² of tanh at q = 1000 falls to e^-700 within the Gaussian, and one layer's law with it."""
    law = spectral_law("tanh", 5, weights, 1e3)
    assert abs(law.mass - 1) < 1e-9 and law.error < 1e-9
    # the determinant of a free product is the product of determinants; E log λ = −1 for Marchenko-Pastur
    slope = expectation(lambda x: -4 * np.logaddexp(x, -x) + 4 * np.log(2), 1e3)
    layer = np.log(law.sigma_w2) + float(slope.value) - (weights == "gaussian")
    assert mean_over_spectrum(law, lambda s: s) == pytest.approx(5 * layer, rel=1e-7)
    assert law.log_cdf(law.log_quantile([0.01, 0.4])) == pytest.approx([0.01, 0.4], abs=1e-9)


_CATALOGUE = sorted({resolve(name).name: name for name in names()}.values())


_NO_SLOPE_LAW = {
    "signum": "almost everywhere",
    "step": "almost everywhere",
    "sinc": "removable",
    "sinc_pi": "removable",
    "soft_clipping": "no path",
}


@pytest.mark.slow
@pytest.mark.parametrize("activation", _CATALOGUE)
def test_every_slope_of_the_catalogue_has_a_law(activation):
    """Or a refusal that says why."""
    if activation in _NO_SLOPE_LAW:
        with pytest.raises(InputError, match=_NO_SLOPE_LAW[activation]):
            slope_law(resolve(activation), 1.0)
    else:
        law = slope_law(resolve(activation), 1.0)
        assert law.error < 1e-9 and law.drift < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("depth", [1, 8, 64])
@pytest.mark.parametrize(
    "activation", ["aria2", "atlu", "celu", "colu", "dsilu", "erfrelu", "gelu_tanh", "hermite2"]
)
def test_more_of_the_catalogue(activation, depth):
    for weights in ("gaussian", "orthogonal"):
        law = spectral_law(activation, depth, weights)
        assert law.error < 1e-6 and abs(law.mass - 1) < 1e-6
