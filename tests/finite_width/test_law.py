"""One layer: means, covariances and their derivatives in q, against closed forms and references."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from initmath.activation import resolve
from initmath.errors import InputError
from initmath.finite_width import Tangent, layer_law, weight_law
from initmath.finite_width.law import breaks
from initmath.quadrature import expectation
from initmath.quadrature.curve import Family, curve
from initmath.quadrature.kernel import pair_expectation

REFERENCE = json.loads((Path(__file__).parent.parent / "data" / "reference.json").read_text())
KERNELS = [r for r in REFERENCE if r["quantity"] == "E[g(u)g(v)]" and r["id"].endswith("c0.5")]


def test_relu_moments_are_the_closed_forms():
    q = np.array([0.3, 1.0, 7.0])
    law = layer_law(resolve("relu"), q)
    root = np.sqrt(q / (2 * np.pi))
    assert np.allclose(law.mean, [q, root, q / 2, 0.5 + 0 * q], rtol=1e-13)
    assert np.allclose(law.covariance[2, 2], 1.5 * q**2 - q**2 / 4, rtol=1e-12)
    assert np.allclose(law.covariance[0, 2], q**2, rtol=1e-12)
    assert np.allclose(law.slope[:3], [1 + 0 * q, root / (2 * q), 0.5 + 0 * q], rtol=1e-12)
    assert np.allclose(law.curvature[1], -root / (4 * q**2), rtol=1e-11)
    assert np.allclose(law.third[2, 2, 2], 5.5 * q**3, rtol=1e-12)


@pytest.mark.parametrize("name", ["tanh", "gelu", "hardtanh", "sign", "softplus", "cos", "relu6"])
def test_derivatives_in_q_are_those_of_the_means(name):
    g, h = resolve(name), 1e-3
    before, here, after = (layer_law(g, [0.8 + d]).mean[:, 0] for d in (-h, 0, h))
    law = layer_law(g, [0.8])
    assert np.allclose(law.slope[:, 0], (after - before) / (2 * h), atol=1e-6)
    assert np.allclose(law.curvature[1:, 0], ((after - 2 * here + before) / h**2)[1:], atol=1e-5)


def test_a_curve_is_the_quadrature_at_every_point():
    q = np.exp(np.random.default_rng(0).normal(0, 1.5, 200))
    for g in (np.tanh, lambda y: np.maximum(y, 0) ** 3, lambda y: np.exp(0.7 * y)):
        found, direct = curve(Family.of(g, np.abs), q, [0.0]), expectation(g, q, [0.0])
        assert np.all(np.abs(found.value[0] - direct.value) <= found.error[0] + direct.error)
        assert np.allclose(found.value[1], np.sqrt(2 * q / np.pi), rtol=1e-12)


def test_an_infinite_derivative_leaves_the_rest():
    law = layer_law(resolve("sqrt(abs(x))"), [1.0])
    assert law.valid.all() and np.isinf(law.mean[3, 0])
    assert law.mean[2, 0] == pytest.approx(np.sqrt(2 / np.pi), rel=1e-10)


def test_the_tangent_is_linear():
    law = layer_law(Tangent(0.5, 0.25), [16.0])
    assert law.mean[:, 0] == pytest.approx([16.0, 0.5, 1.25, 0.0625])


@pytest.mark.parametrize("record", KERNELS[::5], ids=lambda r: r["id"])
def test_pair_expectations_against_the_references(record):
    name = record["activation"].replace("leaky_relu_0.2", "Max(x, 0.2*x)")
    try:
        g = resolve(name)
    except InputError:
        pytest.skip(f"{name} is not a name of the catalogue")
    f = g.numpy(0)
    found = pair_expectation(lambda a, b: (f(a) * f(b))[None], 1.0, 1.0, 0.5, breaks(g))
    assert found.value[0, 0] == pytest.approx(float(record["value"]), rel=1e-7)


@pytest.mark.parametrize("c", [-1.0, -0.9999, -0.3, 0.0, 0.7, 1 - 1e-9, 1.0])
def test_pair_expectations_at_every_correlation(c):
    found = pair_expectation(
        lambda a, b: np.stack([np.sign(a) * np.sign(b), a * b, a * a * b * b]), 1.0, 4.0, 2 * c, [0.0]
    )
    exact = [2 / np.pi * np.arcsin(c), 2 * c, 4 + 8 * c * c]
    assert np.allclose(found.value[:, 0], exact, rtol=1e-9, atol=1e-9)
    assert np.all(np.abs(found.value[:, 0] - exact) <= found.error[:, 0] + 1e-12)


def test_fourth_cumulants_of_a_pre_activation():
    rng = np.random.default_rng(1)
    n, draws = 12, 400_000
    x = rng.standard_normal(n)
    second, fourth = np.mean(x**2), np.mean(x**4)
    uniform = (rng.random((draws, n)) - 0.5) * np.sqrt(12 / n) @ x
    sphere = rng.standard_normal((draws, n))
    orthogonal = (sphere / np.linalg.norm(sphere, axis=1, keepdims=True)) @ x
    for name, y in (("uniform", uniform), ("orthogonal", orthogonal)):
        law = weight_law(name)
        q = law.variance_of_sum(1.0, second, np.mean(x), n)
        kappa = law.fourth_cumulant(1.0, q, fourth, n)
        measured = np.mean(y**4) - 3 * np.mean(y**2) ** 2
        assert np.mean(y**2) == pytest.approx(q, rel=0.01)
        assert measured == pytest.approx(kappa, abs=0.03 * q**2)
