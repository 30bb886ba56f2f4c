"""Put numbers on expressions that contain Gaussian integrals, by mpmath alone."""

from __future__ import annotations

from typing import Any

import mpmath
from sympy import Dummy, Pow, lambdify, preorder_traversal

from initmath.integral import GaussianIntegral
from initmath.piecewise import PiecewiseSmooth

DIGITS = 30


def _phi(t: Any) -> Any:
    return mpmath.erfc(-t / mpmath.sqrt(2)) / 2


def _order_derivative(n: Any, nu: Any, a: Any) -> Any:
    n = int(n)
    wave = mpmath.cosh if n % 2 == 0 else mpmath.sinh
    top = mpmath.acosh(1 + 200 / a)
    return mpmath.quad(
        lambda t: t**n * wave(nu * t) * mpmath.exp(-a * mpmath.cosh(t)), mpmath.linspace(0, top, 9)
    )


def _owens_t(h: Any, slope: Any) -> Any:
    return mpmath.quad(lambda t: mpmath.exp(-(h**2) * (1 + t**2) / 2) / (1 + t**2), [0, slope]) / (
        2 * mpmath.pi
    )


MODULES = [
    {
        "Phi": _phi,
        "owens_t": _owens_t,
        "besselk_order_derivative": _order_derivative,
        "Heaviside": lambda t, half=0.5: mpmath.mpf(t > 0) if t != 0 else mpmath.mpf(half),
    },
    "mpmath",
]


def number(expr: Any, values: dict[Any, Any], digits: int = DIGITS) -> Any:
    """Evaluate an expression with Gaussian integrals at exact values of its symbols."""
    with mpmath.workdps(digits):
        nodes = {e for e in preorder_traversal(expr) if isinstance(e, GaussianIntegral)}
        names = {node: Dummy() for node in nodes}
        value = lambdify(list(names.values()), expr.xreplace(names).subs(values), MODULES)
        return mpmath.mpmathify(value(*(_integral(node, values) for node in names)))


def _integral(node: GaussianIntegral, values: dict[Any, Any]) -> Any:
    """Integrate in z = (x − m)/√S on each piece; no end point at a removable pole, and more digits."""
    bound = node.subs(values)
    assert not bound.free_symbols, bound.free_symbols
    (variable,) = bound.variables
    pole = any(e.base == variable and e.exp.is_negative for e in bound.integrand.atoms(Pow))
    cuts = (
        (-12, -6, -3, -1.5, -0.4, 0.7, 1.5, 3, 6, 12)
        if pole
        else (-12, -6, -3, -1.5, -0.5, 0, 0.5, 1.5, 3, 6, 12)
    )
    with mpmath.workdps(mpmath.mp.dps * (3 if pole else 1)):
        mean, deviation = _mpf(bound.mean[0]), mpmath.sqrt(_mpf(bound.covariance[0][0]))
        total = mpmath.mpf(0)
        for piece in PiecewiseSmooth.from_expr(bound.integrand, variable).pieces:
            f = lambdify(variable, piece.expr, MODULES)
            low = max(-40, (_mpf(piece.lower) - mean) / deviation)
            high = min(40, (_mpf(piece.upper) - mean) / deviation)
            if low < high:
                points = [low, *(mpmath.mpf(t) for t in cuts if low < t < high), high]
                total += mpmath.quad(lambda z, f=f: f(mean + deviation * z) * mpmath.npdf(z), points)
        return total


def _mpf(value: Any) -> Any:
    if value.is_infinite:
        return mpmath.inf if value > 0 else -mpmath.inf
    return mpmath.mpf(value.evalf(mpmath.mp.dps + 5))


def close(left: Any, right: Any, tolerance: float = 1e-20) -> bool:
    """Whether two numbers agree relatively, or absolutely below 1."""
    return bool(abs(left - right) <= tolerance * max(1, abs(left), abs(right)))
