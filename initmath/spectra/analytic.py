"""An analytic expression on arrays of complex numbers: the continuation of one piece of an activation.

The contour of `initmath.spectra.slope` runs beside the real line, where `Activation.numpy` cannot go.  Every
value is carried as a complex mantissa times e to a real exponent, because a factor may overflow where the
product does not: eˣ sech²(eˣ), 1/(1 + eˣ), and g'² of tanh far out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import scipy.special as special
from numpy.typing import NDArray
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
    sqrt,
    tan,
    tanh,
)

from initmath.errors import InputError
from initmath.integral import Phi
from initmath.spectra.near_one import log1p

__all__ = ["Analytic", "Scaled", "analytic"]

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True)
class Scaled:
    """The number mantissa × e^exponent.

    Attributes
    ----------
    mantissa : complex or ndarray of complex
    exponent : float or ndarray of float
    """

    mantissa: Any
    exponent: Any = 0.0

    @property
    def value(self) -> Any:
        """As a plain number: 0 or infinite where it leaves the range of a double."""
        if self._plain:
            return self.mantissa
        return np.where(self.mantissa == 0, 0, self.mantissa * np.exp(self.exponent))

    @property
    def log(self) -> Any:
        """Principal logarithm of the mantissa, plus the exponent."""
        return np.log(self.mantissa) + self.exponent

    @property
    def _plain(self) -> bool:
        return np.ndim(self.exponent) == 0 and self.exponent == 0

    def __add__(self, other: Scaled) -> Scaled:
        if self._plain and other._plain:
            return Scaled(self.mantissa + other.mantissa)
        top = np.maximum(self._rank, other._rank)
        top = np.where(np.isfinite(top), top, 0.0)
        return Scaled(
            self.mantissa * np.exp(self.exponent - top) + other.mantissa * np.exp(other.exponent - top), top
        )

    @property
    def _rank(self) -> Any:
        """The exponent; that of 0 counts for nothing."""
        return np.where(self.mantissa == 0, -np.inf, self.exponent)

    def __mul__(self, other: Scaled) -> Scaled:
        return Scaled(self.mantissa * other.mantissa, self.exponent + other.exponent)

    def __truediv__(self, other: Scaled) -> Scaled:
        return Scaled(self.mantissa / other.mantissa, self.exponent - other.exponent)

    def __pow__(self, power: int | float) -> Scaled:
        return Scaled(self.mantissa**power, self.exponent * power)


Analytic = Callable[[Any], Scaled]


def _exponential(u: Any) -> Scaled:
    return Scaled(np.exp(1j * np.imag(u)), np.real(u))


def _cosh(u: Any) -> Scaled:
    size = np.abs(np.real(u))
    return Scaled((np.exp(u - size) + np.exp(-u - size)) / 2, size)


def _sinh(u: Any) -> Scaled:
    size = np.abs(np.real(u))
    far = (np.exp(u - size) - np.exp(-u - size)) / 2
    near = size < 1
    return Scaled(np.where(near, np.sinh(np.where(near, u, 0)), far), np.where(near, 0.0, size))


def _erfc(u: Any) -> Scaled:
    """w(iu) e^{−u²} on the right, 2 less that on the left."""
    turned = np.where(np.real(u) < 0, -u, u)
    square = turned * turned
    right = Scaled(special.wofz(1j * turned) * np.exp(-1j * np.imag(square)), -np.real(square))
    left = Scaled(2.0) + Scaled(-right.mantissa, right.exponent)
    rightwards = np.real(u) >= 0
    return Scaled(
        np.where(rightwards, right.mantissa, left.mantissa),
        np.where(rightwards, right.exponent, left.exponent),
    )


def _normal_cdf(u: Any) -> Scaled:
    return _erfc(-u / np.sqrt(2)) * Scaled(0.5)


_WIDE: dict[Any, Callable[[Any], Scaled]] = {
    cosh: _cosh,
    erfc: _erfc,
    exp: _exponential,
    Phi: _normal_cdf,
    sinh: _sinh,
}
"""Functions that leave the range of a double."""

_PLAIN: dict[Any, Callable[[Any], Any]] = {
    asinh: np.arcsinh,
    atan: np.arctan,
    cos: np.cos,
    erf: special.erf,
    sin: np.sin,
    tan: np.tan,
    tanh: np.tanh,
}


def analytic(expr: Any, x: Any) -> Analytic:
    """Return the expression as a function of a complex array.

    1 − tanh²u is taken as sech²u, 1 + erf u as 2Φ(√2 u), …: they keep their digits where they are small.

    Examples
    --------
    >>> from sympy import exp, tanh
    >>> from initmath.integral import x
    >>> f = analytic(1 - tanh(x)**2, x)
    >>> bool(abs(f(np.array([20.0 + 1j])).value[0] / (4 * np.exp(-40 - 2j)) - 1) < 1e-13)
    True
    >>> f(np.array([1e4])).log.real.round(3)
    array([-19998.614])
    >>> analytic(exp(x) * (1 - tanh(exp(x))**2), x)(np.array([700.0])).value
    array([0.+0.j])
    """
    tape = _Tape(x)
    result = tape.slot(expr.replace(_is_sum, _without_cancellation))
    steps = tuple(tape.steps)

    def evaluate(values: Any) -> Scaled:
        z = np.asarray(values, dtype=np.complex128)
        slots = [Scaled(z)]
        with np.errstate(all="ignore"):
            for function, arguments in steps:
                slots.append(function(*[slots[a] for a in arguments]))
        found = slots[result]
        return Scaled(
            np.broadcast_to(np.asarray(found.mantissa, dtype=np.complex128), z.shape),
            np.broadcast_to(np.asarray(found.exponent, dtype=np.float64), z.shape),
        )

    return evaluate


def _is_sum(node: Any) -> bool:
    return isinstance(node, Add)


def _without_cancellation(total: Any) -> Any:
    """Rewrite what cancels: 1 − tanh²u, 1 ± tanh u, 1 ± erf u, 2 − erfc u, 1 − Φ(u), 1 − σ(u)."""
    symbols = total.free_symbols
    constant, rest = total.as_independent(*symbols, as_Add=True)
    if constant == 0 or not symbols:
        return total
    for term in Add.make_args(rest):
        coefficient, core = term.as_independent(*symbols, as_Add=False)
        found = _paired(coefficient / constant, core)
        if found is not None:
            return constant * found + (rest - term)
    return total


def _paired(k: Any, core: Any) -> Any:
    """Return 1 + k core in a form without cancellation, None where there is none to avoid."""
    if isinstance(core, tanh) and k in (1, -1):
        return 2 / (1 + exp(-2 * k * core.args[0]))
    if isinstance(core, erf) and k in (1, -1):
        return 2 * Phi(k * sqrt(2) * core.args[0])
    if k == -1 and isinstance(core, Phi):
        return Phi(-core.args[0])
    if 2 * k == -1 and isinstance(core, erfc):
        return Phi(sqrt(2) * core.args[0])
    if k == -1 and isinstance(core, Pow):
        if core.exp == 2 and isinstance(core.base, tanh):
            return cosh(core.base.args[0]) ** -2
        grown = core.base - 1
        if core.exp == -1 and isinstance(grown, exp):
            return 1 / (1 + exp(-grown.args[0]))
    return None


class _Tape:
    """Operations in order, common subexpressions shared; slot 0 is the argument."""

    def __init__(self, x: Any) -> None:
        self.steps: list[tuple[Callable[..., Scaled], tuple[int, ...]]] = []
        self.known: dict[Any, int] = {x: 0}
        self.x = x

    def slot(self, expr: Any) -> int:
        if expr not in self.known:
            function, arguments = self.operation(expr)
            places = tuple(self.slot(argument) for argument in arguments)
            self.steps.append((function, places))
            self.known[expr] = len(self.steps)
        return self.known[expr]

    def operation(self, expr: Any) -> tuple[Callable[..., Scaled], tuple[Any, ...]]:
        """Return a function of values and the expressions that they belong to."""
        if self.x not in expr.free_symbols:
            constant = Scaled(complex(expr))
            return lambda: constant, ()
        if isinstance(expr, Add):
            return lambda *terms: reduce(Scaled.__add__, terms), expr.args
        if isinstance(expr, Mul):
            return lambda *factors: reduce(Scaled.__mul__, factors), expr.args
        if isinstance(expr, Pow) and expr.exp.is_Rational:
            power = int(expr.exp) if expr.exp.is_Integer else float(expr.exp)
            return lambda base: base**power, (expr.base,)
        if isinstance(expr, Pow):
            return lambda base, exponent: Scaled(np.power(base.value, exponent.value)), expr.args
        return _function(expr)


def _function(expr: Any) -> tuple[Callable[..., Scaled], tuple[Any, ...]]:
    argument = expr.args[0]
    if isinstance(expr, log):
        if isinstance(argument, Add) and Integer(1) in argument.args:
            return _log_one_plus, (argument, argument - 1)
        return lambda u: Scaled(u.log), (argument,)
    if len(expr.args) == 1 and expr.func in _WIDE:
        wide = _WIDE[expr.func]
        return lambda u: wide(u.value), (argument,)
    if len(expr.args) == 1 and expr.func in _PLAIN:
        plain = _PLAIN[expr.func]
        return lambda u: Scaled(plain(u.value)), (argument,)
    raise InputError(f"no analytic continuation of {expr.func} is known: a spectrum needs one")


def _log_one_plus(whole: Scaled, small: Scaled) -> Scaled:
    """log(1 + small), of a small one without cancellation."""
    value = small.value
    near = np.abs(value) < 0.5
    return Scaled(np.where(near, log1p(np.where(near, value, 0)), whole.log))
