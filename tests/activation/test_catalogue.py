"""Every entry: its formula against an independent implementation, its properties against numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special as sp
from sympy import Rational, oo

from initmath.activation import Activation, catalogue, parse, resolve
from initmath.activation.catalogue import find, names

POINTS = np.concatenate([np.linspace(-7.03, 7.01, 101), [-0.013, 0.017, 41.3, -37.1]])
SELU = (1.6732632423543772848170429916717, 1.0507009873554804934193349852946)


def soft(v: Any) -> Any:
    return np.logaddexp(0, v)


def logistic(v: Any) -> Any:
    return sp.expit(v)


def shrink(v: Any) -> Any:
    return np.where(v > 0.5, v - 0.5, np.where(v < -0.5, v + 0.5, 0))


REFERENCE: dict[str, Callable[[Any], Any]] = {
    "identity": lambda v: v,
    "relu": lambda v: np.maximum(v, 0),
    "leaky_relu": lambda v: np.where(v > 0, v, 0.01 * v),
    "leaky_relu_0.2": lambda v: np.where(v > 0, v, 0.2 * v),
    "leaky_relu_0.3": lambda v: np.where(v > 0, v, 0.3 * v),
    "prelu": lambda v: np.where(v > 0, v, 0.25 * v),
    "rrelu_eval": lambda v: np.where(v > 0, v, 11 / 48 * v),
    "abs": np.abs,
    "relu6": lambda v: np.clip(v, 0, 6),
    "brelu": lambda v: np.clip(v, 0, 1),
    "hardtanh": lambda v: np.clip(v, -1, 1),
    "hard_sigmoid": lambda v: np.clip(v + 3, 0, 6) / 6,
    "hard_sigmoid_keras2": lambda v: np.clip(0.2 * v + 0.5, 0, 1),
    "sparse_sigmoid": lambda v: np.clip((v + 1) / 2, 0, 1),
    "hardshrink": lambda v: v * (np.abs(v) > 0.5),
    "softshrink": shrink,
    "threshold": lambda v: np.where(v > 1, v, 0),
    "heaviside": lambda v: np.heaviside(v, 0.5),
    "sign": np.sign,
    "pwl5": lambda v: np.select([v < -2, v < -1, v < 0, v < 1], [-1, v + 1, 0, 2 * v], v / 2 + 1.5),
    "srelu": lambda v: np.select([v < -1, v < 1], [-1 + 0.2 * (v + 1), v], 1 + 0.4 * (v - 1)),
    "square": np.square,
    "cube": lambda v: v**3,
    "cubic": lambda v: np.polyval([1 / 6, 1 / 4, -1 / 2, 0], v),
    "hermite2": lambda v: sp.eval_hermitenorm(2, v),
    "hermite3": lambda v: sp.eval_hermitenorm(3, v),
    "hermite4": lambda v: sp.eval_hermitenorm(4, v),
    "hermite5": lambda v: sp.eval_hermitenorm(5, v),
    "relu_squared": lambda v: np.maximum(v, 0) ** 2,
    "relu3": lambda v: np.maximum(v, 0) ** 3,
    "repu": lambda v: np.maximum(v, 0) ** 4,
    "star_relu": lambda v: 0.8944 * np.maximum(v, 0) ** 2 - 0.4472,
    "sparse_plus": lambda v: np.where(v > 1, v, np.where(v > -1, (v + 1) ** 2 / 4, 0)),
    "hardswish": lambda v: v * np.clip(v + 3, 0, 6) / 6,
    "hard_mish": lambda v: 0.5 * v * np.clip(v + 2, 0, 2),
    "sqnl": lambda v: np.where(np.abs(v) > 2, np.sign(v), v - np.sign(v) * v**2 / 4),
    "soft_modulus_q": lambda v: np.where(np.abs(v) > 1, np.abs(v), v**2 * (2 - np.abs(v))),
    "exp": np.exp,
    "elu": lambda v: np.where(v > 0, v, np.expm1(np.minimum(v, 0))),
    "selu": lambda v: SELU[1] * np.where(v > 0, v, SELU[0] * np.expm1(np.minimum(v, 0))),
    "celu": lambda v: np.where(v > 0, v, np.expm1(np.minimum(v, 0))),
    "celu_2": lambda v: np.where(v > 0, v, 2 * np.expm1(np.minimum(v, 0) / 2)),
    "pelu": lambda v: np.where(v > 0, v, np.expm1(np.minimum(v, 0))),
    "soft_exponential": lambda v: 2 * np.expm1(v / 2) + 0.5,
    "xielu": lambda v: np.where(v > 0, 0.8 * v**2, 0.8 * (np.expm1(np.minimum(v, 0)) - v)) + v / 2,
    "symexp": lambda v: np.sign(v) * np.expm1(np.abs(v)),
    "laplace": lambda v: np.exp(-np.abs(v)),
    "cloglog": lambda v: -np.expm1(-np.exp(v)),
    "loglog": lambda v: np.exp(-np.exp(-v)),
    "golu": lambda v: v * np.exp(-np.exp(-v)),
    "gaussian": lambda v: np.exp(-(v**2)),
    "gaussian_half": lambda v: np.exp(-(v**2) / 2),
    "xgauss": lambda v: v * np.exp(-(v**2)),
    "ricker": lambda v: (1 - v**2) * np.exp(-(v**2) / 2),
    "morlet": lambda v: np.cos(5 * v) * np.exp(-(v**2) / 2),
    "erf": sp.erf,
    "normcdf": sp.ndtr,
    "gelu": lambda v: v * sp.ndtr(v),
    "gelu_a": lambda v: v * sp.ndtr(1.7 * v),
    "xerf": lambda v: v * sp.erf(v),
    "erf_relu": lambda v: np.where(v > 0, v, sp.erf(v)),
    "serf": lambda v: v * sp.erf(soft(v)),
    "sigmoid": logistic,
    "tanh": np.tanh,
    "lecun_tanh": lambda v: 1.7159 * np.tanh(2 * v / 3),
    "dyt": lambda v: np.tanh(v / 2),
    "bipolar_sigmoid": lambda v: np.tanh(v / 2),
    "tanhshrink": lambda v: v - np.tanh(v),
    "xplustanh": lambda v: v + 0.5 * np.tanh(v),
    "tanhlu": lambda v: v + np.tanh(v),
    "penalized_tanh": lambda v: np.where(v > 0, np.tanh(v), 0.25 * np.tanh(v)),
    "lisht": lambda v: v * np.tanh(v),
    "softplus": soft,
    "shifted_softplus": lambda v: soft(v) - math.log(2),
    "logsigmoid": sp.log_expit,
    "soft_clipping": lambda v: (soft(10 * v) - soft(10 * (v - 1))) / 10,
    "silu": lambda v: v * logistic(v),
    "swish_beta": lambda v: v * logistic(1.5 * v),
    "eswish": lambda v: 1.25 * v * logistic(v),
    "quick_gelu": lambda v: v * logistic(1.702 * v),
    "gelu_tanh": lambda v: 0.5 * v * (1 + np.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v**3))),
    "dsilu": lambda v: logistic(v) * (1 + v * logistic(-v)),
    "mish": lambda v: v * np.tanh(soft(v)),
    "telu": lambda v: v * np.tanh(np.exp(v)),
    "phish": lambda v: v * np.tanh(v * sp.ndtr(v)),
    "logish": lambda v: v * np.log1p(logistic(v)),
    "smish": lambda v: v * np.tanh(np.log1p(logistic(v))),
    "gish": lambda v: v * np.log1p(-np.expm1(-np.exp(v))),
    "tanhsoft1": lambda v: np.tanh(0.87 * v) * soft(v),
    "aria2": lambda v: v * logistic(2 * v) ** 1.5,
    "elish": lambda v: np.where(v > 0, v, np.expm1(np.minimum(v, 0))) * logistic(v),
    "hard_elish": lambda v: np.where(v > 0, v, np.expm1(np.minimum(v, 0))) * np.clip((v + 1) / 2, 0, 1),
    "sinlu": lambda v: (v + np.sin(v)) * logistic(v),
    "colu": lambda v: v / (1 - v * np.exp(-(v + np.exp(v)))),
    "sin": np.sin,
    "cos": np.cos,
    "siren": lambda v: np.sin(30 * v),
    "snake": lambda v: v + np.sin(v) ** 2,
    "gcu": lambda v: v * np.cos(v),
    "sin_relu": lambda v: np.sin(v) + np.maximum(v, 0),
    "sinc": lambda v: np.sinc(v / np.pi),
    "sinc_pi": np.sinc,
    "softsign": lambda v: v / (1 + np.abs(v)),
    "elliott": lambda v: 0.5 + 0.5 * v / (1 + np.abs(v)),
    "arctan": np.arctan,
    "atlu": lambda v: v * (np.arctan(v) + np.pi / 2) / np.pi,
    "gudermann": lambda v: np.arctan(np.sinh(v)),
    "asinh": np.arcsinh,
    "isru": lambda v: v / np.hypot(1, v),
    "isrlu": lambda v: np.where(v > 0, v, v / np.hypot(1, v)),
    "squareplus": lambda v: (v + np.hypot(v, 2)) / 2,
    "bent_identity": lambda v: (np.hypot(v, 1) - 1) / 2 + v,
    "rootsig": lambda v: v / (1 + np.hypot(1, v)),
    "pflu": lambda v: v * (1 + v / np.hypot(1, v)) / 2,
    "fpflu": lambda v: np.where(v > 0, v, v + v**2 / np.hypot(1, v)),
    "cauchy": lambda v: 1 / (1 + v**2),
    "log1px2": lambda v: np.log1p(v**2),
    "symlog": lambda v: np.sign(v) * np.log1p(np.abs(v)),
    "nlrelu": lambda v: np.log1p(np.maximum(v, 0)),
}

EVERY = sorted(catalogue())


def test_there_are_enough_and_each_has_a_reference_implementation() -> None:
    assert len(catalogue()) >= 80
    assert set(REFERENCE) == set(catalogue())


def test_names_and_aliases_are_unique_and_sourced() -> None:
    seen: set[str] = set()
    for entry in catalogue().values():
        assert entry.references
        for name in (entry.name, *entry.aliases):
            assert name not in seen, name
            assert find(name) is entry
            seen.add(name)
    assert seen == set(names())


TORCH = (
    "elu hardshrink hardsigmoid hardtanh hardswish leaky_relu logsigmoid prelu relu relu6 rrelu selu "
    "celu gelu sigmoid silu mish softplus softshrink softsign tanh tanhshrink threshold"
)
KERAS = (
    "celu elu exponential gelu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu linear log_sigmoid "
    "mish relu relu6 selu sigmoid silu soft_shrink softplus softsign sparse_plus sparse_sigmoid squareplus "
    "swish tanh tanh_shrink threshold"
)
JAX = (
    "relu relu6 sigmoid softplus sparse_plus sparse_sigmoid soft_sign silu swish log_sigmoid leaky_relu "
    "hard_sigmoid hard_silu hard_swish hard_tanh elu celu selu gelu squareplus mish identity"
)


@pytest.mark.parametrize("library", [TORCH, KERAS, JAX])
def test_the_frameworks_are_covered(library: str) -> None:
    assert [name for name in library.split() if find(name) is None] == []


@pytest.mark.parametrize("name", EVERY)
def test_formula_agrees_with_an_independent_implementation(name: str) -> None:
    expected = REFERENCE[name](POINTS)
    np.testing.assert_allclose(resolve(name).numpy()(POINTS), expected, rtol=2e-13, atol=1e-14)


@pytest.mark.parametrize("name", EVERY)
def test_derivative_agrees_with_differences(name: str) -> None:
    act = resolve(name)
    kinks = np.array([float(c) for c in act.pieces.breakpoints] or [99.0])
    points = np.linspace(-3.03, 3.01, 41)
    points = points[np.abs(points[:, None] - kinks).min(axis=1) > 3e-3]
    g, h = REFERENCE[name], 1e-3 if name != "siren" else 1e-4
    slope = (8 * (g(points + h) - g(points - h)) - (g(points + 2 * h) - g(points - 2 * h))) / (12 * h)
    np.testing.assert_allclose(act.numpy(1)(points), slope, rtol=2e-8, atol=2e-8)


def _mirror(act: Activation) -> str:
    left, right = REFERENCE[act.name](-POINTS), REFERENCE[act.name](POINTS)
    if np.allclose(left, right, rtol=1e-12, atol=1e-14):
        return "even"
    return "odd" if np.allclose(left, -right, rtol=1e-12, atol=1e-14) else "none"


@pytest.mark.parametrize("name", EVERY)
def test_parity_is_proven_exactly_where_it_holds(name: str) -> None:
    act = resolve(name)
    assert act.parity == _mirror(act)


@pytest.mark.parametrize("name", EVERY)
def test_homogeneity_is_found_exactly_where_it_holds(name: str) -> None:
    g, degree = REFERENCE[name], resolve(name).homogeneity_degree
    if degree is not None:
        np.testing.assert_allclose(g(3 * POINTS), 3 ** float(degree) * g(POINTS), rtol=1e-12)
        return
    for candidate in range(6):
        assert not np.allclose(g(3 * POINTS), 3**candidate * g(POINTS), rtol=1e-9, atol=0)


@pytest.mark.parametrize("name", EVERY)
def test_limits_and_boundedness(name: str) -> None:
    act, g = resolve(name), REFERENCE[name]
    with np.errstate(all="ignore"):
        for side, limit in zip((-1, 1), act.limits, strict=True):
            far, farther = g(side * np.array([3e3, 3e5]))
            if limit is None:
                waves = g(side * np.linspace(3e3, 3.1e3, 999))
                assert np.ptp(waves) > 0.5, "no limit is claimed only where g oscillates"
            elif limit in (oo, -oo):
                sign = 1 if limit == oo else -1
                assert sign * far > 5
                assert not abs(farther) < abs(far) + 0.5
            else:
                assert math.isclose(farther, float(limit), rel_tol=1e-5, abs_tol=1e-5)
        wide = g(np.concatenate([np.linspace(-50, 50, 2001), np.linspace(-1e5, 1e5, 101)]))
    # every unbounded entry passes 7 somewhere there, no bounded one does
    assert act.bounded is bool(np.nanmax(np.abs(wide)) < 7)


@pytest.mark.parametrize("name", EVERY)
def test_kinks_and_jumps_by_differences(name: str) -> None:
    act, g = resolve(name), REFERENCE[name]
    for point in (float(c) for c in act.pieces.breakpoints):
        d = 1e-6
        jump = abs(g(np.array(point + d)) - g(np.array(point - d))) > 1e-3
        right = (g(np.array(point + 2 * d)) - g(np.array(point + d))) / d
        left = (g(np.array(point - d)) - g(np.array(point - 2 * d))) / d
        assert jump == (point in map(float, act.jumps))
        assert (jump or abs(right - left) > 1e-3) == (point in map(float, act.kinks))


@pytest.mark.parametrize("name", [name for name in EVERY if catalogue()[name].parameters])
def test_parameters_can_be_symbols(name: str) -> None:
    act = resolve(name)
    generic = act.generic
    for point in (-1.3, 0.7, 2.9):
        value = generic.expr.subs(act.values).subs(act.pieces.variable, point)
        assert math.isclose(
            float(value), float(REFERENCE[name](np.array(point))), rel_tol=1e-9, abs_tol=1e-12
        )
    if name not in ("rrelu_eval", "srelu"):  # two free symbols leave the order of slopes open, not of kinks
        assert len(generic.pieces.pieces) == len(act.pieces.pieces)


def test_a_catalogue_name_is_a_function_in_expressions() -> None:
    x = resolve("identity").expr
    for name in EVERY:
        if name.isidentifier():
            assert parse(f"{name}(x)") == resolve(name).expr
    assert parse("leaky_relu(2*x, a=1/5)").subs(x, -1) == Rational(-2, 5)
