"""Arrays: no overflow, no lost digits, the kind of float kept."""

from __future__ import annotations

import math
import warnings

import mpmath
import numpy as np
import pytest
from sympy import erf, lambdify, sympify

from initmath.activation import catalogue, resolve
from initmath.errors import InputError
from initmath.integral import Phi, x

POINTS = np.concatenate(
    [np.linspace(-6, 6, 25) + 0.0137, [1e-4, -1e-4, 1e-8, -1e-12, 30.3, -30.3, 100.7, -100.7, 1e3, -1e3]]
)


def true_values(name: str, order: int) -> list[object]:
    act = resolve(name)
    smooth = act.pieces if order == 0 else act.derivative
    plain = [p.expr.rewrite(erf) if p.expr.has(Phi) else p.expr for p in smooth.pieces]
    functions = [lambdify(x, sympify(e), "mpmath") for e in plain]
    values: list[object] = []
    for point in POINTS:
        with mpmath.workdps(40 if abs(point) < 50 else 500):
            number = sum(float(point) > float(c) for c in smooth.breakpoints)
            try:
                values.append(functions[number](mpmath.mpf(float(point))))
            except (OverflowError, ZeroDivisionError):
                values.append(None)
    return values


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("name", sorted(catalogue()))
def test_against_high_precision(name: str, order: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = resolve(name).numpy(order)(POINTS)
    tolerance = 1e-12 if name == "siren" else 5e-14  # 30·x is itself rounded
    for point, value, true in zip(POINTS, found, true_values(name, order), strict=True):
        if true is None:
            continue
        if abs(true) > 1e300:
            assert not abs(value) < 1e300, point
        else:
            assert abs(float(value) - true) <= tolerance * (1 + abs(true)), point


@pytest.mark.parametrize(
    "name", ["tanhshrink", "bent_identity", "shifted_softplus", "bipolar_sigmoid", "elu", "sinc"]
)
@pytest.mark.parametrize("order", [0, 1])
def test_small_arguments_keep_their_relative_accuracy(name: str, order: int) -> None:
    points = np.array([-1e-3, -1e-6, 1e-6, 1e-3])
    act = resolve(name)
    smooth = act.pieces if order == 0 else act.derivative
    for point, value in zip(points, act.numpy(order)(points), strict=True):
        piece = smooth.pieces[sum(point > float(c) for c in smooth.breakpoints)]
        true = piece.expr.evalf(30, subs={x: sympify(float(point), rational=True)}, maxn=200)
        assert math.isclose(value, float(true), rel_tol=1e-13), (point, value, true)


@pytest.mark.parametrize(
    "name", ["softplus", "sigmoid", "mish", "silu", "logsigmoid", "tanh", "gelu_tanh", "selu"]
)
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.longdouble])
def test_the_kind_of_float_is_kept(name: str, kind: type) -> None:
    for order in (0, 1):
        values = resolve(name).numpy(order)(np.linspace(-3, 3, 7, dtype=kind))
        assert values.dtype == kind
        reference = resolve(name).numpy(order)(np.linspace(-3, 3, 7))
        np.testing.assert_allclose(
            values.astype(float),
            reference,
            rtol=4 * float(np.finfo(kind).eps) + 2e-15,
            atol=float(np.finfo(kind).eps),
        )


def test_longdouble_is_more_than_double() -> None:
    if np.finfo(np.longdouble).eps > 1e-18:
        pytest.skip("long double is double here")
    value = resolve("lecun_tanh").numpy()(np.array([1], dtype=np.longdouble))[0]
    true = np.longdouble("1.7159") * np.tanh(np.longdouble(2) / 3)
    assert abs(value - true) < 1e-18


def test_shapes_scalars_and_nan() -> None:
    relu = resolve("relu").numpy()
    assert relu(2) == 2.0
    assert relu(np.ones((2, 3))).shape == (2, 3)
    assert relu(np.array([])).shape == (0,)
    assert np.isnan(resolve("hardtanh").numpy()(np.array([np.nan, 0.5])))[0]
    assert np.isnan(resolve("heaviside").numpy(1)(np.array([np.nan])))[0]
    np.testing.assert_array_equal(resolve("hardtanh").numpy(1)(np.array([-2, 0.0, 2])), [0, 1, 0])


def test_the_value_at_a_jump_is_that_of_the_expression() -> None:
    assert resolve("sign").numpy()(0.0) == 0
    assert resolve("heaviside").numpy()(0.0) == 0.5
    assert resolve("hardshrink").numpy()(0.5) == 0


def test_removable_singularities() -> None:
    assert resolve("sinc").numpy()(0.0) == 1
    assert resolve("sinc").numpy(1)(0.0) == 0
    assert resolve("x/sinh(x)").numpy()(0.0) == pytest.approx(1, abs=1e-15)
    assert resolve("(exp(x) - 1)/x").numpy(1)(0.0) == pytest.approx(0.5, abs=1e-15)


def test_symbols_need_numbers() -> None:
    with pytest.raises(InputError, match="give them with --param"):
        resolve("leaky_relu", {"a": "symbol"}).numpy()
    with pytest.raises(ValueError, match="order"):
        resolve("relu").numpy(2)
