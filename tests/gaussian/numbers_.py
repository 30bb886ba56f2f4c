"""Put numbers on expressions that contain Gaussian integrals, by mpmath alone."""

from __future__ import annotations

from typing import Any

import mpmath
from sympy import Expr, lambdify, preorder_traversal

from initmath.integral import GaussianIntegral, Phi
from initmath.piecewise import PiecewiseSmooth

DIGITS = 30


def _phi(t: Any) -> Any:
    return mpmath.erfc(-t / mpmath.sqrt(2)) / 2


def _order_derivative(n: Any, nu: Any, a: Any) -> Any:
    n = int(n)
    wave = mpmath.cosh if n % 2 == 0 else mpmath.sinh
    top = mpmath.acosh(1 + 200 / a)
    return mpmath.quad(lambda t: t**n * wave(nu * t) * mpmath.exp(-a * mpmath.cosh(t)), mpmath.linspace(0, top, 9))


def _owens_t(h: Any, slope: Any) -> Any:
    return mpmath.quad(lambda t: mpmath.exp(-(h**2) * (1 + t**2) / 2) / (1 + t**2), [0, slope]) / (2 * mpmath.pi)


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
        replaced = expr
        nodes: dict[Any, Any] = {}
        for part in preorder_traversal(expr):
            if isinstance(part, GaussianIntegral) and part not in nodes:
                nodes[part] = None
        from sympy import Dummy, Float

        back = {}
        for node in nodes:
            stand_in = Dummy()
            replaced = replaced.xreplace({node: stand_in})
            back[stand_in] = _integral(node, values)
        body = replaced.subs(values)
        names = list(back)
        value = lambdify(names, body, MODULES)(*(back[n] for n in names))
        del Float
        return mpmath.mpmathify(value)


def _integral(node: GaussianIntegral, values: dict[Any, Any]) -> Any:
    bound = node.subs(values)
    assert not bound.free_symbols, bound.free_symbols
    ((variable,), mean, variance) = bound.variables, bound.mean[0], bound.covariance[0][0]
    m, deviation = mpmath.mpf(mean.evalf(60)), mpmath.sqrt(mpmath.mpf(variance.evalf(60)))
    pieces = PiecewiseSmooth.from_expr(bound.integrand, variable).pieces
    total = mpmath.mpf(0)
    reach = 40
    for piece in pieces:
        f = lambdify(variable, piece.expr, MODULES)
        low = -reach if not piece.lower.is_finite else max(-reach, (mpmath.mpf(piece.lower.evalf(60)) - m) / deviation)
        high = reach if not piece.upper.is_finite else min(reach, (mpmath.mpf(piece.upper.evalf(60)) - m) / deviation)
        if low >= high:
            continue
        inner = [low, *(mpmath.mpf(t) for t in (-12, -6, -3, -1.5, -0.5, 0, 0.5, 1.5, 3, 6, 12) if low < t < high), high]
        total += mpmath.quad(lambda z, f=f: f(m + deviation * z) * mpmath.npdf(z), inner)
    return total


def close(left: Any, right: Any, tolerance: float = 1e-20) -> bool:
    """Whether two numbers agree relatively, or absolutely below 1."""
    return bool(abs(left - right) <= tolerance * max(1, abs(left), abs(right)))


def is_expression(value: Any) -> bool:
    """Whether a value is a SymPy expression."""
    return isinstance(value, Expr)
