"""Put numbers on expressions that contain Gaussian integrals, by mpmath alone."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import Any

import mpmath
from sympy import Derivative, Dummy, Limit, Pow, lambdify, preorder_traversal

from initmath.integral import GaussianIntegral
from initmath.piecewise import PiecewiseSmooth

DIGITS = 30

DEGREE = 4


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
        expr = expr.xreplace({e: e.doit() for e in expr.atoms(Derivative, Limit)})
        nodes = {e for e in preorder_traversal(expr) if isinstance(e, GaussianIntegral)}
        names = {node: Dummy() for node in nodes}
        value = lambdify(list(names.values()), expr.xreplace(names).subs(values), MODULES)
        return mpmath.mpmathify(value(*(_integral(node, values) for node in names)))


def _integral(node: GaussianIntegral, values: dict[Any, Any]) -> Any:
    bound = node.subs(values)
    assert not bound.free_symbols, bound.free_symbols
    if len(bound.variables) == 2:
        used = [k for k in (0, 1) if bound.integrand.has(bound.variables[k])]
        if len(used) == 2:
            return _plane(bound, mpmath.mp.dps)
        (k,) = used or (0,)
        bound = GaussianIntegral(bound.integrand, bound.variables[k], bound.mean[k], bound.covariance[k][k])
    return _line(bound, mpmath.mp.dps)


@lru_cache(maxsize=512)
def _line(bound: GaussianIntegral, digits: int) -> Any:
    """Integrate in z = (x − m)/√S on each piece; no end point at a removable pole, and more digits."""
    (variable,) = bound.variables
    pole = any(e.base == variable and e.exp.is_negative for e in bound.integrand.atoms(Pow))
    cuts = (
        (-12, -6, -3, -1.5, -0.4, 0.7, 1.5, 3, 6, 12)
        if pole
        else (-12, -6, -3, -1.5, -0.5, 0, 0.5, 1.5, 3, 6, 12)
    )
    with mpmath.workdps(digits * (3 if pole else 1)):
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


@lru_cache(maxsize=512)
def _plane(bound: GaussianIntegral, digits: int) -> Any:
    """Integrate in polar coordinates over the four sectors between the lines on which a variable is 0.

    Only for integrands whose kinks lie on those lines; ``digits`` is the precision that is set.
    """
    a, b, d = (_mpf(bound.covariance[i][j]) for i, j in ((0, 0), (0, 1), (1, 1)))
    assert all(m == 0 for m in bound.mean)
    first, shared = mpmath.sqrt(a), b / mpmath.sqrt(a)
    own = mpmath.sqrt(d - shared**2)
    f = lambdify(list(bound.variables), bound.integrand, MODULES)
    zero = mpmath.atan2(-shared, own)  # the direction in which the second variable is 0
    angles = sorted(t % (2 * mpmath.pi) for t in (mpmath.pi / 2, -mpmath.pi / 2, zero, zero + mpmath.pi))
    angles.append(angles[0] + 2 * mpmath.pi)
    radii = [
        (r, w * r * mpmath.exp(-(r**2) / 2)) for pair in ((0, 4), (4, 8), (8, 14)) for r, w in _nodes(*pair)
    ]
    total = mpmath.mpf(0)
    for low, high in itertools.pairwise(angles):
        for angle, weight in _nodes(low, high):
            y1 = first * mpmath.cos(angle)
            y2 = shared * mpmath.cos(angle) + own * mpmath.sin(angle)
            total += weight * mpmath.fsum(w * f(r * y1, r * y2) for r, w in radii)
    return total / (2 * mpmath.pi)


def _nodes(low: Any, high: Any) -> Any:
    """Gauss-Legendre, 24 nodes."""
    rule = mpmath.calculus.quadrature.GaussLegendre(mpmath.mp)
    return rule.get_nodes(low, high, DEGREE, mpmath.mp.prec)


def _mpf(value: Any) -> Any:
    if value.is_infinite:
        return mpmath.inf if value > 0 else -mpmath.inf
    return mpmath.mpf(value.evalf(mpmath.mp.dps + 5))


def close(left: Any, right: Any, tolerance: float = 1e-20) -> bool:
    """Whether two numbers agree relatively, or absolutely below 1."""
    return bool(abs(left - right) <= tolerance * max(1, abs(left), abs(right)))
