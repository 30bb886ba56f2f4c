"""MELLIN: powers of asinh x and log(b + x²), by differentiating a known integral in a parameter."""

from __future__ import annotations

from typing import Any

from sympy import EulerGamma, Integer, Rational, asinh, erfi, exp, hyper, log, pi, sqrt

from initmath.derivation import Declined, Step
from initmath.gaussian.atoms import Kernel, only_atom
from initmath.gaussian.references import DLMF_BESSEL, DLMF_HYPER
from initmath.gaussian.rules.algebraic import _power
from initmath.gaussian.special_bessel import besselk_order_derivative
from initmath.integral import GaussianIntegral

__all__ = ["apply"]

NAME = "mellin"


def apply(node: GaussianIntegral) -> Step | Declined:
    """E asinh(cx)ⁿ for even n by ∂ⁿK_ν/∂νⁿ at ν = ½; E log(b + x²) by ₂F₂ and erfi.

    Examples
    --------
    >>> from sympy import asinh
    >>> from initmath.integral import GaussianIntegral, q, x
    >>> from initmath.gaussian.rules.mellin import apply
    >>> apply(GaussianIntegral(asinh(x) ** 2, x, 0, q)).after
    sqrt(2)*exp(1/(4*q))*besselk_order_derivative(2, 1/2, 1/(4*q))/(8*sqrt(pi)*sqrt(q))
    """
    if len(node.variables) != 1 or node.mean[0] != 0:
        return Declined(NAME, "only about mean zero in one dimension")
    atom = only_atom(node)
    if atom is None or atom.degree or atom.kernel != Kernel(rest=atom.kernel.rest) or atom.kernel.rest == 1:
        return Declined(NAME, "not a power of asinh x, nor log(b + x²), alone")
    (x,), s = node.variables, node.covariance[0][0]
    (constant,) = atom.polynomial.values()
    base, order = atom.kernel.rest.as_base_exp()
    if isinstance(base, asinh) and order.is_Integer and order > 0 and order % 2 == 0:
        slope = base.args[0] / x
        if x in slope.free_symbols:
            return Declined(NAME, "asinh of something other than c·x")
        return Step(
            NAME,
            node,
            constant * _asinh_power(int(order), slope, s),
            "Put cx = sinh(t/2): x² = (cosh t − 1)/(2c²), and ∫ tⁿ cosh(t/2) e^(−a cosh t) "
            "dt is the n-th derivative of "
            "K_ν(a) with respect to ν at ν = ½, with a = 1/(4c²q)",
            (),
            (DLMF_BESSEL,),
        )
    if isinstance(base, log) and order == 1:
        power = _power(base.args[0], x)
        if power is None or power[1] == 0:
            return Declined(NAME, "a logarithm of something other than b + x²")
        scale, b, _ = power
        return Step(
            NAME,
            node,
            constant * _log_mean(scale, b, s),
            "Differentiate in b: d/db E log(b + x²) = E 1/(b + x²) is an erfc; integrate it "
            "from b = 0, where "
            "E log x² = log(q/2) − γ",
            (),
            (DLMF_HYPER,),
        )
    return Declined(NAME, "not an even power of asinh x, nor log(b + x²)")


def _asinh_power(n: int, slope: Any, s: Any) -> Any:
    variance = slope**2 * s
    a = 1 / (4 * variance)
    return (
        exp(a)
        * besselk_order_derivative(Integer(n), Rational(1, 2), a)
        / (Integer(2) ** n * sqrt(2 * pi * variance))
    )


def _log_mean(scale: Any, b: Any, s: Any) -> Any:
    z = b / (2 * s)
    series = hyper((1, 1), (Rational(3, 2), 2), z)
    return log(scale) + log(s / 2) - EulerGamma + pi * erfi(sqrt(b) / sqrt(2 * s)) - 2 * z * series
