"""What each SymPy function does to a ball.

Every entry takes ``(values, analytic)``.  The values are `arb` (constants) or `acb` (anything that depends
on the integration variable).  With ``analytic`` set, ``acb.integral`` asks for a bound on a whole disc: a
function that has a branch cut must then return a non-finite ball as soon as its argument may touch the cut.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import methodcaller
from typing import Any

import sympy as sp
from flint import acb, arb

from initmath.balls.stable import Erfcx, Logistic, LogOnePlusExp
from initmath.integral import Phi

__all__ = ["DIRECT", "FUNCTIONS", "NOT_FINITE", "Operation", "erfcx_ball", "of_one", "power"]

Operation = Callable[[list[Any], bool], Any]

#: Operations of one value that need no flag, as a plain function of the value: the hot loop calls it.
DIRECT: dict[Operation, Callable[[Any], Any]] = {}

_ZERO = arb(0)
_MINUS_ONE = arb(-1)

NOT_FINITE = acb(arb.nan(), arb.nan())


def _real_if_possible(value: Any) -> Any:
    return value.real if isinstance(value, acb) and value.imag.is_zero() else value


def _outside_real(value: Any, low: float | None, high: float | None) -> bool:
    """Whether an acb may touch the real rays (-oo, low] or [high, oo), where a cut lies."""
    if not value.imag.contains(0):
        return False
    below = low is not None and not value.real > low
    above = high is not None and not value.real < high
    return below or above


def _touches_imaginary_rays(value: Any) -> bool:
    """Whether an acb may touch ±i[1, oo), the cuts of atan and asinh."""
    return bool(value.real.contains(0)) and not abs(value.imag) < 1


def log(value: Any, analytic: bool) -> Any:
    """Principal logarithm."""
    if isinstance(value, arb):
        return value.log() if value > 0 else _real_if_possible(acb(value).log())
    return value.log(analytic=analytic)


def square_root(value: Any, analytic: bool) -> Any:
    """Principal square root; the root of an exact zero is zero."""
    if isinstance(value, arb):
        if value >= 0:
            return value.sqrt()
        if value < 0:
            return acb(0, (-value).sqrt())
        return arb.nan()
    return value.sqrt(analytic=analytic)


def power(value: Any, exponent: Any, analytic: bool) -> Any:
    """``value**exponent`` with a real exponent that is not an integer."""
    if isinstance(value, arb) and isinstance(exponent, arb):
        if value > 0:
            return (exponent * value.log()).exp()
        if value.is_zero() and exponent > 0:
            return arb(0)
        if value >= 0 and exponent > 0:
            # A ball that starts at zero: x ↦ x^s increases.
            return arb(0).union((exponent * value.upper().log()).exp())
        return _real_if_possible(acb(value).pow(acb(exponent)))
    base = value if isinstance(value, acb) else acb(value)
    if not analytic and isinstance(exponent, arb) and exponent > 0 and base.contains(0):
        # |z^s| = |z|^s: bounded near zero, though not analytic there.
        size = (exponent * base.abs_upper().log()).exp() if base.abs_upper() > 0 else arb(0)
        return acb(arb(0).union(size)) if base.imag.is_zero() and base.real >= 0 else _disc(size)
    return base.pow(exponent if isinstance(exponent, acb) else acb(exponent), analytic=analytic)


def _disc(radius: arb) -> acb:
    """Return a box around zero that contains the disc."""
    side = arb(0, radius.upper())
    return acb(side, side)


def _zeta(values: list[Any], analytic: bool) -> Any:
    """Riemann's zeta(s), or Hurwitz's zeta(s, a) with its cut along a ≤ 0."""
    if len(values) == 1:
        return values[0].zeta()
    order, shift = values
    if analytic and isinstance(shift, acb) and _outside_real(shift, 0, None):
        return NOT_FINITE
    return order.zeta(shift)


def _not_holomorphic(real: Callable[[arb], Any], complex_: Callable[[acb], Any]) -> Operation:
    """re, im and conjugate: values everywhere, analytic nowhere."""

    def operation(values: list[Any], analytic: bool) -> Any:
        value = values[0]
        if isinstance(value, arb):
            return real(value)
        return NOT_FINITE if analytic else complex_(value)

    return operation


def of_one(direct: Callable[[Any], Any]) -> Operation:
    """Return a function of one value without cuts, as an operation that a program calls directly."""

    def operation(values: list[Any], analytic: bool) -> Any:
        return direct(values[0])

    DIRECT[operation] = direct
    return operation


def _method(name: str) -> Operation:
    return of_one(methodcaller(name))


def _tanh(value: Any) -> Any:
    """Tanh; beyond Re u = ±1 by e^{∓2u}, so that a wide ball far out stays finite."""
    if isinstance(value, acb):
        if value.real > 1:
            small = (-2 * value).exp()
            return 1 - 2 * small / (1 + small)
        if value.real < -1:
            small = (2 * value).exp()
            return 2 * small / (1 + small) - 1
    return value.tanh()


def _imaginary_cuts(name: str) -> Operation:
    def operation(values: list[Any], analytic: bool) -> Any:
        value = values[0]
        if analytic and isinstance(value, acb) and _touches_imaginary_rays(value):
            return NOT_FINITE
        return getattr(value, name)()

    return operation


def _real_cuts(name: str, low: float | None, high: float | None) -> Operation:
    def operation(values: list[Any], analytic: bool) -> Any:
        value = values[0]
        if isinstance(value, acb):
            if analytic and _outside_real(value, low, high):
                return NOT_FINITE
            return getattr(value, name)()
        result = getattr(value, name)()
        return result if result.is_finite() else _real_if_possible(getattr(acb(value), name)())

    return operation


def asinh(values: list[Any], analytic: bool) -> Any:
    """Inverse hyperbolic sine; as ±log(±z + √(1 + z²)) away from the cuts, where a wide disc stays finite."""
    value = values[0]
    if isinstance(value, acb) and value.real > 0:
        return log(value + square_root(1 + value * value, analytic), analytic)
    if isinstance(value, acb) and value.real < 0:
        return -log(square_root(1 + value * value, analytic) - value, analytic)
    if isinstance(value, acb) and analytic and _touches_imaginary_rays(value):
        return NOT_FINITE
    return value.asinh()


def _phi(values: list[Any], analytic: bool) -> Any:
    return (values[0] * -(arb(1) / 2).sqrt()).erfc() / 2


def _abs(values: list[Any], analytic: bool) -> Any:
    value = values[0]
    if isinstance(value, arb):
        return abs(value)
    return value.real_abs(analytic=analytic) if value.imag.contains(0) or analytic else arb(abs(value))


def _sign(values: list[Any], analytic: bool) -> Any:
    value = values[0]
    return value.sgn() if isinstance(value, arb) else value.real_sgn(analytic=analytic)


def _heaviside(values: list[Any], analytic: bool) -> Any:
    value = values[0]
    if isinstance(value, acb):
        return value.real_heaviside(analytic=analytic)
    if value > 0:
        return arb(1)
    if value < 0:
        return arb(0)
    if value.is_zero():
        return values[1] if len(values) > 1 else arb(1) / 2
    return arb(0.5, 0.5)


def _extremum(real: str, analytic_name: str) -> Operation:
    def operation(values: list[Any], analytic: bool) -> Any:
        result = values[0]
        for value in values[1:]:
            if isinstance(result, arb) and isinstance(value, arb):
                result = getattr(result, real)(value)
            else:
                result = getattr(acb(result), analytic_name)(acb(value), analytic=analytic)
        return result

    return operation


def _gamma_upper(values: list[Any], analytic: bool) -> Any:
    order, value = values
    if isinstance(value, acb) and analytic and _outside_real(value, 0, None):
        return NOT_FINITE
    return value.gamma_upper(order)


def _gamma_lower(values: list[Any], analytic: bool) -> Any:
    order, value = values
    if isinstance(value, acb) and analytic and _outside_real(value, 0, None):
        return NOT_FINITE
    return value.gamma_lower(order)


def _expint(values: list[Any], analytic: bool) -> Any:
    order, value = values
    if isinstance(value, acb) and analytic and _outside_real(value, 0, None):
        return NOT_FINITE
    return value.expint(order)


def _bessel(name: str, cut: bool) -> Operation:
    def operation(values: list[Any], analytic: bool) -> Any:
        order, value = values
        if cut and isinstance(value, acb) and analytic and _outside_real(value, 0, None):
            return NOT_FINITE
        return getattr(value, name)(order)

    return operation


def _lambertw(values: list[Any], analytic: bool) -> Any:
    value = values[0]
    branch = 0 if len(values) < 2 or values[1].is_zero() else -1
    if isinstance(value, arb):
        return value.lambertw(branch)
    if analytic and not value.real > -0.36 and value.imag.contains(0):
        return NOT_FINITE
    return value.lambertw(branch)


def _atan2(values: list[Any], analytic: bool) -> Any:
    above, beside = values
    if isinstance(above, arb) and isinstance(beside, arb):
        return arb.atan2(above, beside)
    above, beside = acb(above), acb(beside)
    if beside.real > 0:
        return _imaginary_cuts("atan")([above / beside], analytic)
    if analytic or not (above.imag.is_zero() and beside.imag.is_zero()):
        return NOT_FINITE
    return acb(arb.atan2(above.real, beside.real))


def _acot(values: list[Any], analytic: bool) -> Any:
    return _imaginary_cuts("atan")([1 / values[0]], analytic)


def log_one_plus_exp(values: list[Any], analytic: bool) -> Any:
    """log(1 + e^u): for Re u > 0 as u + log(1 + e^{-u}), so that a wide ball far out stays finite."""
    value = values[0]
    real = value if isinstance(value, arb) else value.real
    far = real > _ZERO
    small = (-value if far else value).exp()
    if analytic and isinstance(small, acb) and not small.real > _MINUS_ONE and small.imag.contains(_ZERO):
        return NOT_FINITE
    return value + small.log1p() if far else small.log1p()


def logistic(values: list[Any], analytic: bool) -> Any:
    """1/(1 + e^{-u}): for Re u < 0 as e^u/(1 + e^u), so that a wide ball far out stays finite."""
    value = values[0]
    real = value if isinstance(value, arb) else value.real
    if real < _ZERO:
        small = value.exp()
        return small / (1 + small)
    if real > _ZERO:
        return 1 / (1 + (-value).exp())
    return (1 + (value / 2).tanh()) / 2


def erfcx_ball(value: arb) -> arb:
    """Enclose exp(t²)·erfc(t) for real t; it decreases, so a wide ball is enclosed by its end points.

    Examples
    --------
    >>> erfcx_ball(arb(10) ** 6).str(10, radius=False)
    '5.641895835e-7'
    """
    if value.rad() > (abs(value.mid()) + 1) * arb(2) ** -20:
        return _erfcx_point(value.lower()).union(_erfcx_point(value.upper()))
    return _erfcx_point(value)


def _erfcx_point(value: arb) -> arb:
    if value > 4096:
        # erfcx(t) = U(1/2, 1/2, t²)/√π for t > 0; nearer to zero the product below loses fewer bits.
        result = (value * value).hypgeom_u(arb(1) / 2, arb(1) / 2) / arb.pi().sqrt()
        if result.is_finite():
            return result
    return (value * value).exp() * value.erfc()


def _erfcx(values: list[Any], analytic: bool) -> Any:
    value = values[0]
    if isinstance(value, arb):
        return erfcx_ball(value)
    return (value * value).exp() * value.erfc()


FUNCTIONS: dict[type, Operation] = {
    sp.exp: _method("exp"),
    sp.log: lambda values, analytic: log(values[0], analytic),
    sp.sin: _method("sin"),
    sp.cos: _method("cos"),
    sp.tan: _method("tan"),
    sp.cot: _method("cot"),
    sp.sec: _method("sec"),
    sp.csc: _method("csc"),
    sp.sinh: _method("sinh"),
    sp.cosh: _method("cosh"),
    sp.tanh: of_one(_tanh),
    sp.coth: _method("coth"),
    sp.sech: _method("sech"),
    sp.csch: _method("csch"),
    sp.atan: _imaginary_cuts("atan"),
    sp.acot: _acot,
    sp.asinh: asinh,
    sp.asin: _real_cuts("asin", -1, 1),
    sp.acos: _real_cuts("acos", -1, 1),
    sp.atanh: _real_cuts("atanh", -1, 1),
    sp.acosh: _real_cuts("acosh", 1, None),
    sp.atan2: _atan2,
    sp.erf: _method("erf"),
    sp.erfc: _method("erfc"),
    sp.erfi: _method("erfi"),
    Phi: _phi,
    sp.gamma: _method("gamma"),
    sp.loggamma: _real_cuts("lgamma", 0, None),
    sp.digamma: _method("digamma"),
    sp.uppergamma: _gamma_upper,
    sp.lowergamma: _gamma_lower,
    sp.expint: _expint,
    sp.Ei: _real_cuts("ei", 0, None),
    sp.Si: _method("si"),
    sp.Ci: _real_cuts("ci", 0, None),
    sp.Shi: _method("shi"),
    sp.Chi: _real_cuts("chi", 0, None),
    sp.besselk: _bessel("bessel_k", True),
    sp.besseli: _bessel("bessel_i", True),
    sp.besselj: _bessel("bessel_j", True),
    sp.bessely: _bessel("bessel_y", True),
    sp.LambertW: _lambertw,
    sp.zeta: _zeta,
    sp.Abs: _abs,
    sp.sign: _sign,
    sp.Heaviside: _heaviside,
    sp.Max: _extremum("max", "real_max"),
    sp.Min: _extremum("min", "real_min"),
    sp.sinc: _method("sinc"),
    sp.re: _not_holomorphic(lambda v: v, lambda v: v.real),
    sp.im: _not_holomorphic(lambda v: arb(0), lambda v: v.imag),
    sp.conjugate: _not_holomorphic(lambda v: v, lambda v: v.conjugate()),
    sp.factorial: lambda values, analytic: (values[0] + 1).gamma(),
    LogOnePlusExp: log_one_plus_exp,
    Logistic: logistic,
    Erfcx: _erfcx,
}
