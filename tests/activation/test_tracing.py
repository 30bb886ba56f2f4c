"""Callables: traced to an exact expression that agrees with them, or used numerically and labelled so."""

from __future__ import annotations

import math
from math import tanh as imported_tanh
from typing import Any

import numpy as np
import pytest
import scipy.special as sp
import sympy
from sympy import Abs, Heaviside, Max, Min, Rational, erf, exp, log, pi, sin, sqrt, tanh

from initmath.activation import resolve
from initmath.activation.tracing import MAX_PATHS, exact
from initmath.errors import InputError
from initmath.integral import Phi, x

SLOPE = 0.2


def helper(v: Any) -> Any:
    return math.log1p(math.exp(v))


def mish(v: Any) -> Any:
    return v * math.tanh(helper(v))


def leaky(v: Any) -> Any:
    if v > 0:
        return v
    return SLOPE * v


def hardswish(v: Any) -> Any:
    if v < -3:
        return 0.0
    return v if v > 3 else v * (v + 3) / 6


def with_closure(scale: float) -> Any:
    return lambda v: np.tanh(scale * v)


def gelu_tanh(v: Any) -> Any:
    return 0.5 * v * (1 + np.tanh(np.sqrt(2 / np.pi) * (v + 0.044715 * v**3)))


@pytest.mark.parametrize(
    ("function", "expr"),
    [
        (np.tanh, tanh(x)),
        (math.tanh, tanh(x)),
        (sympy.tanh, tanh(x)),
        (abs, Abs(x)),
        (sp.erf, erf(x)),
        (sp.ndtr, Phi(x)),
        (sp.expit, 1 / (1 + exp(-x))),
        (np.sinc, sin(pi * x) / (pi * x)),
        (mish, x * tanh(log(1 + exp(x)))),
        (lambda v: imported_tanh(v), tanh(x)),
        (lambda v: np.maximum(v, 0), Max(x, 0)),
        (lambda v: np.clip(v, -1, 1), Min(1, Max(-1, x))),
        (lambda v: v.clip(-1, 1), Min(1, Max(-1, x))),
        (lambda v: np.logaddexp(0, v), log(1 + exp(x))),
        (lambda v: np.heaviside(v, 0.5), Heaviside(x)),
        (lambda v: v * sp.ndtr(v), x * Phi(x)),
        (lambda v: 0.5 * v * (1 + sp.erf(v / math.sqrt(2))), x * (1 + erf(x / sqrt(2))) / 2),
        (with_closure(0.1), tanh(x / 10)),
        (gelu_tanh, x * (1 + tanh(sqrt(2 / pi) * (x + Rational(44715, 10**6) * x**3))) / 2),
    ],
)
def test_expressions(function: Any, expr: Any) -> None:
    assert resolve(function).expr == expr


@pytest.mark.parametrize(
    ("function", "breakpoints", "exprs"),
    [
        (leaky, (0,), [x / 5, x]),
        (hardswish, (-3, 3), [0, x * (x + 3) / 6, x]),
        (lambda v: max(v, 0), (0,), [0, x]),
        (lambda v: max(0, min(1, v)), (0, 1), [0, x, 1]),
        (lambda v: np.where(v > 0, v, 0.01 * v), (0,), [x / 100, x]),
        (lambda v: v * (v > 0), (0,), [0, x]),
        (lambda v: np.where((v > -1) & (v < 1), v, np.sign(v)), (-1, 1), [-1, x, 1]),
        (lambda v: np.select([v < -1, v < 1], [-1.0, v], 1.0), (-1, 1), [-1, x, 1]),
        (lambda v: np.piecewise(v, [v < 0, v >= 0], [lambda t: -t, lambda t: t**2]), (0,), [-x, x**2]),
        (lambda v: v if abs(v) > 0.5 else 0.0, (Rational(-1, 2), Rational(1, 2)), [x, 0, x]),
    ],
)
def test_branches_become_pieces(function: Any, breakpoints: Any, exprs: Any) -> None:
    pieces = resolve(function).pieces
    assert pieces.breakpoints == breakpoints
    assert [p.expr.expand() for p in pieces.pieces] == [sympy.expand(e) for e in exprs]


def rounded(v: Any) -> Any:
    return np.round(10 * v) / 10


def needs_a_float(v: Any) -> Any:
    return v if float(v) > 0.123 else 2 * v


def lies_to_the_tracer(v: Any) -> Any:
    return v if isinstance(v, float) else 2 * v


def kink_that_the_trace_misses(v: Any) -> Any:
    return np.tanh(v) + (1e-3 if isinstance(v, float) and v > 30 else 0)


def many_paths(v: Any) -> Any:
    return sum(1.0 if v > k else -0.5 for k in range(MAX_PATHS + 1))


@pytest.mark.parametrize(
    "function", [rounded, needs_a_float, lies_to_the_tracer, kink_that_the_trace_misses, many_paths, sp.gamma]
)
def test_what_cannot_be_traced_is_numeric_and_says_so(function: Any) -> None:
    act = resolve(function)
    assert act.expr is None
    assert act.numeric is function
    assert act.numpy()(np.array([0.3]))[0] == float(function(np.float64(0.3)))
    with pytest.raises(InputError, match="only be used numerically"):
        _ = act.pieces
    assert resolve(function) == act


def test_the_slope_of_a_numeric_activation() -> None:
    act = resolve(needs_a_float)
    np.testing.assert_allclose(act.numpy(1)(np.array([-1.0, 1.0])), [2, 1], rtol=1e-9)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda v: 3.0, "constant"),
        (lambda v: np.sqrt(v), "real number"),
        (math.sqrt, "cannot be evaluated at x = -37.1"),
        (lambda v: undefined_name, "undefined_name"),  # noqa: F821
        (lambda: 1.0, "cannot be evaluated"),
        (lambda v, w: v, "cannot be evaluated"),
        (np.heaviside, "cannot be evaluated"),
        (lambda v: "text", "cannot be evaluated"),
        (lambda v: float("inf"), "no finite value"),
        (lambda v: 1j * v, "cannot be evaluated|real number"),
    ],
)
def test_wrong_callables(function: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        resolve(function)
    assert "\n" not in str(caught.value)


def test_floats_are_decimals_unless_they_are_famous() -> None:
    assert exact(0.1) == Rational(1, 10)
    assert exact(1 / 3) == Rational("0.3333333333333333")
    assert exact(math.sqrt(2)) == sqrt(2)
    assert exact(-math.pi) == -pi
    assert exact(np.sqrt(2 / np.pi)) == sqrt(2 / pi)
    assert exact(np.nextafter(math.pi, 4)) == pi
    assert exact(3.14159) == Rational("3.14159")
    assert exact(np.float32(0.5)) == Rational(1, 2)
    assert exact(np.int64(3)) == 3


def test_the_function_itself_is_left_alone() -> None:
    resolve(mish)
    assert math.tanh is mish.__globals__["math"].tanh
    assert mish(0.5) == pytest.approx(0.5 * math.tanh(math.log1p(math.exp(0.5))))
