"""Kernels in doubles: identities that every one obeys, other quadratures, and no cancellation at c → 1."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import erf
from sympy import Rational

from initmath.activation import resolve
from initmath.activation.catalogue import names
from initmath.errors import Divergent, InputError
from initmath.kernels import Pair, kernel, kernels
from initmath.kernels.closed import GaussianErf, Homogeneous, LinearErf, closed_family
from initmath.kernels.pairs import cuts_of, pair_values
from initmath.kernels.parallel import Parallel
from initmath.kernels.table import build
from initmath.quadrature import moments
from initmath.quadrature.kernel import pair_expectation

SOME = ("relu", "gelu", "erf", "tanh", "silu", "hardtanh", "elu", "sin", "softplus", "leaky_relu_0.2")
DATA = Path(__file__).parent.parent / "data" / "reference.json"
RECORDS = [
    r
    for r in json.loads(DATA.read_text())
    if r["id"].split(".")[0] in ("kernel", "dkernel") and r["id"].endswith("c0.5") and "E[g" in r["quantity"]
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r["id"])
def test_the_references(record):
    found = kernels(record["activation"], 1.0, 1.0, 0.5)
    slope = record["id"].startswith("dkernel")
    value = found.derivative_kernel if slope else found.kernel
    error = found.derivative_kernel_error if slope else found.kernel_error
    assert abs(value - float(record["value"])) <= error + 1e-15
    assert error <= 1e-12 * (1 + abs(value))


@pytest.mark.parametrize("name", names()[::12])
def test_against_a_finer_rule_on_other_panels(name):
    rng = np.random.default_rng(len(name))
    q1, q2 = np.exp(rng.uniform(-2, 1.2, (2, 2)))
    gap = np.array([rng.uniform(0, 2), 10 ** rng.uniform(-9, 0)])
    act = resolve(name)
    g = act.numpy(0)
    found = kernels(act, q1, q2, gap=gap)
    reference = pair_expectation(
        lambda a, b: np.stack([g(a) * g(b), np.abs(g(a) * g(b))]), q1, q2, np.sqrt(q1 * q2) * (1 - gap),
        cuts_of(act), orders=(22, 16), base=tuple(np.linspace(-12.5, 12.5, 22)), gap=gap,
    )  # fmt: skip
    value, size = reference.value
    if np.all(reference.error[0] < 1e-12 * size):
        assert np.all(np.abs(found.kernel - value) <= 1e-12 * size)
    assert np.all(np.abs(found.kernel - value) <= found.kernel_error + reference.error[0] + 1e-13 * size)


@pytest.mark.parametrize("name", ["soft_clipping", "isru", "rootsig", "hardswish"])
def test_against_the_certified_kernel(name):
    number = kernel(resolve(name), "kernel", Pair(Rational(7, 10), Rational(6, 5), Rational(3, 10))).number
    found = kernels(name, 0.7, 1.2, 0.3)
    assert abs(found.kernel - float(number)) <= found.kernel_error + 1e-14 * abs(float(number))


@pytest.mark.parametrize("name", SOME)
def test_the_end_points(name):
    act = resolve(name)
    q = np.array([0.3, 1.0, 4.0])
    true = moments(act, q)
    same = kernels(act, q, q, 1.0)
    assert same.kernel == pytest.approx(true.second_moment.value, rel=1e-12)
    assert same.derivative_kernel == pytest.approx(true.derivative_second_moment.value, rel=1e-12)
    assert np.all(same.defect == 0)
    assert kernels(act, q, 2 * q, 0.0).kernel == pytest.approx(
        true.mean.value * moments(act, 2 * q).mean.value, rel=1e-11, abs=1e-14
    )


@pytest.mark.parametrize("name", SOME)
def test_price(name):
    """∂k/∂c = √(q₁q₂) E g'(y₁) g'(y₂), by a difference quotient of fourth order."""
    h, q1, q2 = 2e-3, 0.8, 1.9
    for c in (-0.7, 0.1, 0.8):
        k = kernels(name, q1, q2, c + h * np.array([-2, -1, 1, 2])).kernel
        slope = (k[0] - 8 * k[1] + 8 * k[2] - k[3]) / (12 * h)
        expected = np.sqrt(q1 * q2) * kernels(name, q1, q2, c).derivative_kernel
        assert slope == pytest.approx(expected, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("name", SOME)
def test_nothing_cancels_where_two_inputs_become_one(name):
    """m₂ − k = χ̂ q (1 − c) + … in every decade of 1 − c, to the error that is stated."""
    gap = 10.0 ** -np.arange(4, 19, 2)
    found = kernels(name, 1.3, 1.3, gap=gap)
    slope = moments(resolve(name), 1.3).derivative_second_moment.value
    leading = 1.3 * slope * gap
    assert np.all(np.abs(found.defect / leading - 1) <= 2 * np.sqrt(gap) + found.defect_error / leading)
    # g(y₁) − g(y₂) carries the rounding of both, √(m₂/defect) of it relative to itself
    rounding = np.finfo(float).eps * np.sqrt(found.kernel / leading)
    assert np.all(found.defect_error <= (10 * rounding + 1e-12) * leading)
    if found.method == "closed form":
        assert np.all(found.defect_error <= 1e-14 * leading)


def test_symmetries_of_gelu():
    c = np.linspace(-1, 1, 41)
    up, down = kernels("gelu", 1.0, 1.0, c), kernels("gelu", 1.0, 1.0, -c)
    assert up.kernel - down.kernel == pytest.approx(c / 2, abs=1e-15)
    assert kernels("gelu", 0.7, 2.0, c).kernel == pytest.approx(
        kernels("gelu", 2.0, 0.7, c).kernel, rel=1e-14
    )


@pytest.mark.parametrize("name", SOME[1::2])
def test_gram_matrices_are_positive_semidefinite(name):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(6, 3)) * np.exp(rng.normal(0, 0.3, (6, 1)))
    p = x @ x.T
    q = np.diagonal(p)
    c = np.clip(p / np.sqrt(q[:, None] * q[None, :]), -1, 1)
    k = kernels(name, q[:, None], q[None, :], c).kernel
    assert np.linalg.eigvalsh((k + k.T) / 2)[0] > -1e-12 * np.trace(k)


def test_families_are_recognised_by_their_form():
    assert closed_family(resolve("abs")) == Homogeneous(0.0, 1.0)
    assert closed_family(resolve("Max(2*x, x/2)")) == Homogeneous(1.25, 0.75)
    assert closed_family(resolve("1/3 + 2*erf(x/4)")) == GaussianErf(1 / 3, 2.0, 0.25)
    assert isinstance(closed_family(resolve("gelu")), LinearErf)
    assert isinstance(closed_family(resolve("x*Phi(3*x) - x/7")), LinearErf)
    for name in ("tanh", "square", "erf(x)**2", "erf(x + 1)", "x*erf(x**2)", "relu6"):
        assert closed_family(resolve(name)) is None


@pytest.mark.parametrize("name", ["abs", "prelu", "1/3 + 2*erf(x/4)", "x*Phi(3*x) - x/7", "x/5 + x*erf(x)"])
def test_closed_families_against_quadrature(name):
    rng = np.random.default_rng(1)
    q1, q2 = np.exp(rng.normal(0, 1, (2, 12)))
    gap = np.concatenate([[0.0, 2.0, 1e-12, 2 - 1e-9], rng.uniform(0, 2, 8)])
    found, values = kernels(name, q1, q2, gap=gap), pair_values(resolve(name), q1, q2, gap)
    scale = np.sqrt(np.abs(found.kernel + found.defect))
    assert np.all(np.abs(found.kernel - values.kernel) <= 1e-13 * scale**2)
    assert np.all(np.abs(found.derivative_kernel - values.derivative_kernel) <= 1e-12 * 4)


def test_the_arc_cosine_kernel():
    theta = np.linspace(0, np.pi, 33)
    found = kernels("relu", 2.0, 3.0, np.cos(theta))
    exact = np.sqrt(6.0) * (np.sin(theta) + (np.pi - theta) * np.cos(theta)) / (2 * np.pi)
    assert found.kernel == pytest.approx(exact, abs=2e-15)
    assert found.derivative_kernel == pytest.approx((np.pi - theta) / (2 * np.pi), abs=2e-8)
    assert kernels("erf", 2.0, 2.0, 0.5).kernel == pytest.approx(2 / np.pi * np.arcsin(0.4), rel=1e-15)
    assert erf(1.0) > 0.84  # SciPy's erf is the function meant


def test_parallel_inputs():
    q = np.exp(np.random.default_rng(2).uniform(-0.3, 0.3, 9))
    for name, exact in (("tanh", 1e-14), ("gelu", 1e-14), ("softplus", 1e-14)):
        act = resolve(name)
        parallel = Parallel.of(act, q)
        part, scale = parallel.defect(slice(0, 9), slice(0, 9))
        direct = kernels(act, q[:, None], q[None, :], 1.0)
        lengths = direct.kernel + direct.defect
        found = lengths * part
        assert np.all(np.abs(found - direct.defect) <= lengths * scale * parallel.error + direct.defect_error)
        assert np.all(np.abs(found - direct.defect) <= exact + direct.defect_error)
    near = 1.0 + 1e-6 * np.arange(3)
    small, _ = Parallel.of(resolve("tanh"), near).defect(slice(0, 3), slice(0, 3))
    assert small[0, 2] == pytest.approx(4 * small[0, 1], rel=1e-4) and 0 < small[0, 1] < 1e-13


@pytest.mark.slow
def test_tables_carry_the_error_that_they_have():
    rng = np.random.default_rng(11)
    for name, low, high, alone in (
        ("tanh", -0.01, 0.01, False),
        ("hardtanh", -0.02, 0.02, False),
        ("elu", -0.1, 0.1, True),
    ):
        act = resolve(name)
        table = build(act, low, high, alone)
        q1, q2 = np.exp(rng.uniform(low, high, (2, 6)))
        q2 = q1 if alone else q2
        gap = rng.uniform(0, 2, 6)
        true = pair_values(act, q1, q2, gap)
        for k in range(6):
            _, slope = table.drop(*(np.full((1, 1), v) for v in (q1[k] ** 0.5, q2[k] ** 0.5, gap[k])))
            assert abs(slope[0, 0] - true.derivative_kernel[k]) <= 10 * table.error[1] + 1e-13
        assert (max(table.error) < 1e-10) == (name != "hardtanh")  # its kinks are away from 0


@pytest.mark.parametrize(
    "arguments",
    [
        {"q1": 0.0, "q2": 1.0, "c": 0.5},
        {"q1": 1.0, "q2": np.inf, "c": 0.5},
        {"q1": 1.0, "q2": 1.0, "c": 1.5},
        {"q1": 1.0, "q2": 1.0, "gap": -0.1},
        {"q1": 1.0, "q2": 1.0},
        {"q1": 1.0, "q2": 1.0, "c": 0.5, "gap": 0.5},
        {"q1": [1.0, 2.0], "q2": [1.0, 2.0, 3.0], "c": 0.5},
        {"q1": "one", "q2": 1.0, "c": 0.5},
        {"q1": 1.0, "q2": 1.0, "c": np.nan},
    ],
)
def test_bad_input_is_refused(arguments):
    with pytest.raises(InputError):
        kernels("tanh", **arguments)


def test_divergence_is_named_and_growth_is_not_hidden():
    with pytest.raises(Divergent):
        kernels("exp(x**2)", 1.0, 1.0, 0.5)
    far = kernels("exp(x)", 25.0, 25.0, 0.3)  # its mass lies beyond the panels
    assert abs(far.kernel - np.exp(25 * 1.3)) <= far.kernel_error
    assert kernels("tanh", np.zeros((0, 2)) + 1, 1.0, 0.5).kernel.shape == (0, 2)
