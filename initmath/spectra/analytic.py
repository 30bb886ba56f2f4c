"""An analytic expression on arrays of complex numbers: the continuation of one piece of an activation.

The contour of `initmath.spectra.slope` runs beside the real line, where `Activation.numpy` cannot go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as special
from sympy import (
    Add,
    Integer,
    Mul,
    Pow,
    asinh,
    atan,
    cos,
    cosh,
    erf,
    erfc,
    exp,
    log,
    sin,
    sinh,
    tan,
    tanh,
)

from initmath.errors import InputError
from initmath.integral import Phi

__all__ = ["Analytic", "analytic"]

Analytic = Callable[[Any], Any]

_FUNCTIONS: dict[Any, Callable[[Any], Any]] = {
    asinh: np.arcsinh,
    atan: np.arctan,
    cos: np.cos,
    cosh: np.cosh,
    erf: special.erf,
    erfc: special.erfc,
    exp: np.exp,
    log: np.log,
    Phi: special.ndtr,
    sin: np.sin,
    sinh: np.sinh,
    tan: np.tan,
    tanh: np.tanh,
}


def analytic(expr: Any, x: Any) -> Analytic:
    """Return the expression as a function of a complex array.

    1 − tanh²u is taken as sech²u, so that it keeps its digits where it is small.

    Examples
    --------
    >>> from sympy import tanh
    >>> from initmath.integral import x
    >>> f = analytic(1 - tanh(x)**2, x)
    >>> bool(abs(f(np.array([20.0 + 1j]))[0] / (4 * np.exp(-40 - 2j)) - 1) < 1e-13)
    True
    """
    expr = expr.replace(_is_sech_squared, _sech_squared)

    def evaluate(values: Any) -> Any:
        z = np.asarray(values, dtype=np.complex128)
        with np.errstate(all="ignore"):
            found = _evaluate(expr, x, z, {})
        return np.broadcast_to(np.asarray(found, dtype=np.complex128), z.shape)

    return evaluate


def _tanh_squared(node: Any) -> tuple[Any, Any] | None:
    """Return (c, u) where a sum is c − c tanh²u."""
    if not (isinstance(node, Add) and len(node.args) == 2):
        return None
    constant, rest = node.as_independent(*node.free_symbols, as_Add=True)
    if constant == 0:
        return None
    square = -rest / constant
    if isinstance(square, Pow) and square.exp == 2 and isinstance(square.base, tanh):
        return constant, square.base.args[0]
    return None


def _is_sech_squared(node: Any) -> bool:
    return _tanh_squared(node) is not None


def _sech_squared(node: Any) -> Any:
    constant, argument = _tanh_squared(node) or (node, Integer(0))
    return constant * cosh(argument) ** -2


def _evaluate(expr: Any, x: Any, z: Any, known: dict[Any, Any]) -> Any:
    if expr == x:
        return z
    if not expr.free_symbols:
        return complex(expr)
    if expr not in known:
        known[expr] = _operate(expr, x, z, known)
    return known[expr]


def _operate(expr: Any, x: Any, z: Any, known: dict[Any, Any]) -> Any:
    if isinstance(expr, Pow) and expr.exp.is_Integer:
        return _evaluate(expr.base, x, z, known) ** int(expr.exp)
    parts = [_evaluate(argument, x, z, known) for argument in expr.args]
    if isinstance(expr, Add | Mul):
        total = parts[0]
        for part in parts[1:]:
            total = total + part if isinstance(expr, Add) else total * part
        return total
    if isinstance(expr, Pow):
        return np.power(parts[0], parts[1])
    function = _FUNCTIONS.get(expr.func)
    if function is None or len(parts) != 1:
        raise InputError(f"no analytic continuation of {expr.func} is known: a spectrum needs one")
    return function(parts[0])
