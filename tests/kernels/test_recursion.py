"""Infinitely wide networks: closed recursions, simulation, limits in depth, many inputs against few."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from initmath.errors import Divergent, InputError, NotEnclosed
from initmath.kernels import infinite_width
from initmath.kernels.composed import Composed, Plan
from initmath.simulate import Experiment, InputGram, run


def gram(count, features=6, seed=0, normalised=False):
    x = np.random.default_rng(seed).normal(size=(count, features))
    if normalised:
        x *= np.sqrt(features) / np.linalg.norm(x, axis=1, keepdims=True)
    return x @ x.T / features


def arc_cosine(g, depth, sigma_w2, sigma_b2):
    """ReLU's recursion as it is printed (Jacot 2018, Cho and Saul 2009)."""
    k = sigma_w2 * g + sigma_b2
    t = k.copy()
    for _ in range(depth):
        q = np.sqrt(np.outer(np.diagonal(k), np.diagonal(k)))
        theta = np.arccos(np.clip(k / q, -1, 1))
        np.fill_diagonal(theta, 0.0)
        k = sigma_w2 * q * (np.sin(theta) + (np.pi - theta) * np.cos(theta)) / (2 * np.pi) + sigma_b2
        t = k + sigma_w2 * t * (np.pi - theta) / (2 * np.pi)
    return k, t


@pytest.mark.parametrize("normalised", [False, True])
def test_relu_is_the_arc_cosine_recursion(normalised):
    g = gram(150, normalised=normalised)
    found = infinite_width("relu", g, depth=5, sigma_w2=2.0, sigma_b2=0.3)
    k, t = arc_cosine(g, 5, 2.0, 0.3)
    assert np.allclose(found.nngp, k, rtol=1e-12) and np.allclose(found.ntk, t, rtol=1e-11)
    assert np.max(np.abs(found.nngp - k)) <= found.nngp_error + 1e-13 * np.max(k)
    for matrix in (found.nngp, found.ntk):
        assert np.array_equal(matrix, matrix.T)
        assert np.linalg.eigvalsh(matrix)[0] > -1e-12 * np.trace(matrix)


def test_erf_is_williams_recursion():
    g = gram(70)
    found = infinite_width("erf", g, depth=3, sigma_w2=1.7, sigma_b2=0.2)
    k = 1.7 * g + 0.2
    for _ in range(3):
        d = 1 + 2 * np.diagonal(k)
        k = 1.7 * 2 / np.pi * np.arcsin(2 * k / np.sqrt(np.outer(d, d))) + 0.2
    assert np.allclose(found.nngp, k, rtol=1e-13)


def test_identity_has_the_kernels_of_a_linear_network():
    g = gram(4)
    found = infinite_width("identity", g, depth=3, sigma_w2=0.9)
    assert np.allclose(found.nngp, 0.9**4 * g, rtol=1e-14, atol=1e-15)
    assert np.allclose(found.ntk, 4 * 0.9**4 * g, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", ["tanh", "relu", "gelu"])
def test_wide_networks_simulated(name):
    width, depth, networks = 512, 3, 200
    g = np.array([[1.0, 0.3], [0.3, 0.8]])
    made = run(
        Experiment(name, width=width, depth=depth + 1, networks=networks, sigma_w2=1.6, sigma_b2=0.1,
                   inputs=InputGram.of(g), pairs=True, seed=3)
    )  # fmt: skip
    expected = infinite_width(name, g, depth=depth, sigma_w2=1.6, sigma_b2=0.1).nngp
    sample = last_products(made)
    mean, spread = sample.mean(axis=0), sample.std(axis=0) / np.sqrt(networks)
    # the mean itself is off by O(1/N)
    assert np.all(np.abs(mean - expected) <= 4.5 * spread + 20 / width * np.abs(expected) * 0.1)


def last_products(made):
    """(1/N) Σ yᵃ yᵇ of the last layer, for (a, b) = (0, 0), (0, 1), (1, 1), a row a network."""
    return made.gram_y[:, -1]


def test_gap_keeps_its_digits_in_the_ordered_phase():
    """1 − c shrinks by χ₁ in every layer, far below what K can show."""
    g = np.array([[1.0, 0.9], [0.9, 1.0]])
    deep = [infinite_width("erf", g, depth=d, sigma_w2=0.5, sigma_b2=0.4) for d in (200, 201)]
    q = deep[0].nngp[0, 0]
    chi_1 = 0.5 * (4 / np.pi) / np.sqrt(1 + 4 * q)
    assert deep[0].gap[0, 1] < 1e-60
    assert deep[1].gap[0, 1] / deep[0].gap[0, 1] == pytest.approx(chi_1, rel=1e-12)
    # and with inputs of two lengths, through the small difference of their q
    h = np.array([[1.0, 0.8], [0.8, 0.9]])
    deep = [infinite_width("erf", h, depth=d, sigma_w2=0.5, sigma_b2=0.4).gap[0, 1] for d in (60, 61)]
    assert deep[0] < 1e-20 and deep[1] / deep[0] == pytest.approx(chi_1, rel=1e-4)


def test_a_gap_that_the_gram_matrix_cannot_say():
    one = np.ones((2, 2))
    gap = 1e-30 * (1 - np.eye(2))
    found = infinite_width("gelu", one, depth=1, sigma_w2=1.0, gap=gap)
    assert 0 < found.gap[0, 1] < 1e-28
    twice = infinite_width("gelu", one, depth=1, sigma_w2=1.0, gap=2 * gap)
    assert twice.gap[0, 1] / found.gap[0, 1] == pytest.approx(2, rel=1e-13)


def test_chaotic_correlation_is_the_fixed_point():
    """Every pair tends to the same c* < 1."""
    g = np.array([[1.0, 0.1, 0.9], [0.1, 1.0, 0.2], [0.9, 0.2, 1.0]])
    found = infinite_width("erf", g, depth=300, sigma_w2=4.0, sigma_b2=0.2)
    off = found.gap[np.triu_indices(3, 1)]
    assert np.ptp(off) < 1e-12 and 0.1 < off[0] < 1
    q, c = found.nngp[0, 0], 1 - off[0]
    assert q * c == pytest.approx(4 * 2 / np.pi * np.arcsin(2 * q * c / (1 + 2 * q)) + 0.2, rel=1e-12)


def test_relu_ntk_grows_linearly_at_criticality():
    g = np.array([[1.0, 0.2], [0.2, 1.0]])
    for depth in (10, 1000):
        found = infinite_width("relu", g, depth=depth, sigma_w2=2.0)
        assert found.nngp[0, 0] == pytest.approx(2.0, rel=1e-11)
        assert found.ntk[0, 0] == pytest.approx(2.0 * (depth + 1), rel=1e-11)
    # off the diagonal a quarter is left (Hayou 2019, arXiv:1905.13654), with corrections of order log L/L
    assert found.ntk[0, 1] / found.ntk[0, 0] == pytest.approx(0.25, abs=0.02)
    # 1 − c ~ 9π²/(2 L²)
    assert found.gap[0, 1] * 1000**2 / (4.5 * np.pi**2) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("normalised", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_many_inputs_are_the_few_one_by_one(normalised):
    """Interpolated (many pairs) against integrated (three inputs)."""
    count = 60 if normalised else 40
    g = gram(count, features=400 if not normalised else 6, normalised=normalised)
    many = infinite_width("tanh", g, depth=4, sigma_w2=1.5, sigma_b2=0.1)
    few = infinite_width("tanh", g[:3, :3], depth=4, sigma_w2=1.5, sigma_b2=0.1)
    assert many.method.startswith("interpolation") and few.method == "quadrature"
    assert np.max(np.abs(many.nngp[:3, :3] - few.nngp)) <= many.nngp_error + few.nngp_error
    assert np.max(np.abs(many.ntk[:3, :3] - few.ntk)) <= many.ntk_error + few.ntk_error
    assert many.nngp_error < 1e-9


def test_tiles_and_threads_change_nothing():
    g = gram(200)
    one = infinite_width("gelu", g, depth=3, sigma_w2=1.8, threads=1)
    two = infinite_width("gelu", g, depth=3, sigma_w2=1.8, threads=2)
    part = infinite_width("gelu", g[90:140, 90:140], depth=3, sigma_w2=1.8)
    assert np.array_equal(one.nngp, two.nngp) and np.array_equal(one.ntk, two.ntk)
    assert np.allclose(one.nngp[90:140, 90:140], part.nngp, rtol=1e-13)
    assert np.allclose(one.ntk[90:140, 90:140], part.ntk, rtol=1e-13)


@pytest.mark.parametrize(
    "arguments",
    [
        {"depth": 0},
        {"depth": 1.5},
        {"sigma_w2": 0.0},
        {"sigma_w2": "two"},
        {"sigma_b2": -0.1},
        {"gram": [[1.0, 2.0], [2.0, 1.0]]},
        {"gram": [[1.0, 0.1], [0.3, 1.0]]},
        {"gram": [[0.0]]},
        {"gram": [1.0, 2.0]},
        {"gram": [["a"]]},
        {"gap": [[0.0]]},
        {"act": "sign"},
    ],
)
def test_bad_input_is_refused(arguments):
    given = {"act": "relu", "gram": np.eye(2), "depth": 1, "sigma_w2": 2.0, **arguments}
    with pytest.raises(InputError):
        infinite_width(given.pop("act"), given.pop("gram"), **given)


def test_what_has_no_answer_says_so():
    with pytest.raises(Divergent):
        infinite_width("exp(x**2)", np.eye(2), depth=1, sigma_w2=2.0)
    with pytest.raises(Divergent):
        infinite_width("relu", np.eye(2), depth=3000, sigma_w2=4.0)
    with pytest.raises(NotEnclosed):
        infinite_width("exp(x)", 30 * np.eye(2), depth=1, sigma_w2=1.0)


@pytest.mark.parametrize("normalised", [False, True])
def test_all_layers_at_once_are_the_layers_one_by_one(normalised):
    g = gram(250, features=40, normalised=normalised)
    arguments = {"depth": 100, "sigma_w2": 1.9, "sigma_b2": 0.1}
    many = infinite_width("gelu", g, **arguments)
    few = infinite_width("gelu", g[100:140, 100:140], **arguments)
    part = slice(100, 140)
    assert many.method.endswith("at once") and few.method == "closed form"
    off = ~np.eye(40, dtype=bool)
    assert np.all(np.abs(many.gap[part, part][off] / few.gap[off] - 1) <= many.gap_error + few.gap_error)
    assert np.max(np.abs(many.nngp[part, part] - few.nngp)) <= 1e-12
    assert np.allclose(many.ntk[part, part], few.ntk, rtol=1e-12)
    assert many.gap_error < 1e-9


def test_two_inputs_of_nearly_one_length_among_others():
    """The defect of a close pair keeps its digits: it is that of the pair alone."""
    x = np.array([1.0, 1.0 + 1e-7, 2.2])
    many = infinite_width("erf", np.outer(x, x), depth=1, sigma_w2=1.0)
    u = 2 * x[:2] ** 2
    k = 2 / np.pi * np.arcsin(u[0] / (1 + u[0]))
    assert many.nngp[0, 0] == pytest.approx(k, rel=1e-14)
    assert 0 < many.gap[0, 1] < 1e-13
    alone = infinite_width("erf", np.outer(x[:2], x[:2]), depth=1, sigma_w2=1.0)
    assert many.gap[0, 1] == pytest.approx(alone.gap[0, 1], rel=1e-7)


def test_gelu_at_large_variance_is_relu():
    """E gelu'(y₁) gelu'(y₂) tends to ReLU's with corrections of order 1/√q, and does not lose its digits."""
    from initmath.kernels import kernels

    near = kernels("gelu", 1e12, 1e12, 0.3).derivative_kernel
    assert near == pytest.approx(kernels("relu", 1.0, 1.0, 0.3).derivative_kernel, abs=1e-9)


def test_the_longest_input_is_within_the_error_of_a_table():
    """At the end of the range of q, where polynomials are worst: tanh, one input three times as long."""
    from scipy.integrate import quad

    rng = np.random.default_rng(3)
    x = rng.normal(size=(40, 5))
    x[3] = 3 * x[0]
    gram = x @ x.T / 5
    found = infinite_width("tanh", gram, depth=1, sigma_w2=1.7, sigma_b2=0.1)
    for i in (int(np.argmax(np.diag(gram))), int(np.argmin(np.diag(gram))), 7):
        q = 1.7 * gram[i, i] + 0.1
        ends = sorted({0.0, *(t / np.sqrt(q) for t in (-6, -3, -1, 1, 3, 6)), -12.0, 12.0})

        def mean(f, q=q, ends=ends):
            def weighted(z):
                return f(np.sqrt(q) * z) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)

            parts = pairwise(ends)
            return sum(quad(weighted, a, b, epsabs=1e-15, epsrel=1e-13)[0] for a, b in parts)

        nngp = 1.7 * mean(lambda y: np.tanh(y) ** 2) + 0.1
        ntk = nngp + q * 1.7 * mean(lambda y: np.cosh(y) ** -4)
        assert abs(found.nngp[i, i] - nngp) <= found.nngp_error + 1e-14
        assert abs(found.ntk[i, i] - ntk) <= found.ntk_error + 1e-14


def clusters(classes, each, features=40, noise=0.8):
    """Gram matrix of normalised inputs sorted by class: classes far from each other, members near."""
    rng = np.random.default_rng(5)
    x = np.repeat(rng.normal(size=(classes, features)), each, axis=0)
    x += noise * rng.normal(size=x.shape)
    x *= np.sqrt(features) / np.linalg.norm(x, axis=1, keepdims=True)
    return x @ x.T / features


def test_inputs_sorted_by_class_are_within_the_error(monkeypatch):
    """All layers at once against every pair through every layer, most pairs between classes."""
    arguments = {"depth": 150, "sigma_w2": 0.8, "sigma_b2": 0.05}
    many = infinite_width("erf", clusters(8, 32), **arguments)
    monkeypatch.setattr(Plan, "of", lambda *_: None)
    exact = infinite_width("erf", clusters(8, 32), **arguments)
    assert many.method.endswith("at once") and exact.method == "closed form"
    off = ~np.eye(256, dtype=bool)
    assert np.all(np.abs(many.gap[off] / exact.gap[off] - 1) <= many.gap_error)
    assert np.max(np.abs(many.nngp - exact.nngp)) <= many.nngp_error
    assert np.max(np.abs(many.ntk - exact.ntk)) <= many.ntk_error
    assert many.gap_error < 1e-11


@pytest.mark.parametrize("where", ["between classes", "most opposite pair", "closest pair"])
def test_an_interpolation_wrong_away_from_the_diagonal_is_noticed(monkeypatch, where):
    """Planted: all layers at once are off by 1e-7 for some pairs, none of them near the diagonal."""
    g = clusters(8, 32)
    g = g[np.ix_(*[np.arange(256).reshape(8, 32).T.ravel()] * 2)] if where == "closest pair" else g
    off = (1 - g)[np.triu_indices(256, 1)]
    tile = Composed.tile

    def wrong(self, q_rows, q_columns, gap):
        after, ntk = tile(self, q_rows, q_columns, gap)
        bad = {
            "between classes": gap > 0.85,
            "most opposite pair": gap > off.max() - 1e-9,
            "closest pair": (gap < off.min() + 1e-9) & (gap > 1e-9),
        }[where]
        return np.where(bad, after * (1 + 1e-7), after), ntk

    monkeypatch.setattr(Composed, "tile", wrong)
    found = infinite_width("erf", g, depth=150, sigma_w2=0.8, sigma_b2=0.05)
    assert found.method == "closed form"


def test_lengths_that_part_by_many_orders_of_magnitude():
    """GELU just below σ_w² = 2: short inputs fade, long ones stay; against the closed kernel in 60 digits."""
    from mpmath import mp, mpf

    def kernel(q1, q2, p):
        root = mp.sqrt((1 + q1) * (1 + q2) - p * p)
        sine = mp.asin(p / mp.sqrt((1 + q1) * (1 + q2)))
        rest = q1 * q2 + p * p * (1 / (1 + q1) + 1 / (1 + q2) - 1)
        return p / 4 + (p * sine + rest / root) / (2 * mp.pi)

    # two in one direction among them, and clusters
    lengths, angle = np.array([0.5, 0.8, 1.1, 2.5, 4.0, 4.1]), np.array([0.3, 0.3, 1.2, 0.3, 0.5, 1.8])
    x = lengths[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    g = x @ x.T
    gap = 2 * np.sin((angle[:, None] - angle) / 2) ** 2
    found = infinite_width("gelu", g, depth=80, sigma_w2=1.98, gap=gap)
    with mp.workdps(60):
        w = mpf(1.98)
        for i, j in [(0, 1), (0, 2), (0, 3), (1, 3), (0, 4), (3, 4), (4, 5), (2, 5)]:
            q1, q2 = w * mpf(g[i, i]), w * mpf(g[j, j])
            p = mp.sqrt(q1 * q2) * (1 - mpf(gap[i, j]))
            for _ in range(80):
                q1, q2, p = w * kernel(q1, q1, q1), w * kernel(q2, q2, q2), w * kernel(q1, q2, p)
            apart = 1 - p / mp.sqrt(q1 * q2)
            assert abs(found.gap[i, j] / apart - 1) <= found.gap_error
            assert abs(found.nngp[i, j] - p) <= found.nngp_error
            assert abs(found.nngp[i, i] / q1 - 1) < 1e-10
    assert found.nngp[4, 4] / found.nngp[0, 0] > 1e20 and found.gap_error < 1e-3
