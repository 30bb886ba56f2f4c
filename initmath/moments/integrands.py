"""What is integrated for each moment of an activation, and for its slope in q."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sympy import Expr, Rational

from initmath.errors import InputError
from initmath.integral import GaussianIntegral, q, x
from initmath.piecewise import PiecewiseSmooth

__all__ = ["FURTHER", "NAMES", "integrand", "jumps", "parameter_values", "problem", "slope_integrand"]

NAMES = ("mean", "second_moment", "variance", "derivative_second_moment")
"""E g, E g², Var g and E g'² (the almost-everywhere part) at pre-activation variance q."""

FURTHER = ("derivative_fourth_moment",)
"""E g'⁴, which only the spread of the Jacobian's singular values needs."""

CACHE = 512


@lru_cache(CACHE)
def integrand(activation: Any, name: str) -> PiecewiseSmooth:
    """Return the function whose Gaussian expectation is the moment: g, g² or g'², piece by piece.

    Parameters
    ----------
    activation : Activation
    name : str
        ``"mean"``, ``"second_moment"``, ``"derivative_second_moment"`` or ``"derivative_fourth_moment"``; the
        variance is m₂ − m₁², not an integral.
    """
    if name == "mean":
        pieces: PiecewiseSmooth = activation.pieces
        return pieces
    if name == "second_moment":
        return activation.pieces.map(lambda e: e**2)  # type: ignore[no-any-return]
    if name == "derivative_second_moment":
        return activation.derivative.map(lambda e: e**2)  # type: ignore[no-any-return]
    if name == "derivative_fourth_moment":
        return activation.derivative.map(lambda e: e**4)  # type: ignore[no-any-return]
    raise InputError(f"unknown moment {name!r}: choose one of {', '.join(NAMES + FURTHER)}")


@lru_cache(CACHE)
def slope_integrand(activation: Any, name: str) -> PiecewiseSmooth:
    """Return x·f'(x): by integration by parts d/dq E f(√q z) = E[x f'(x)]/(2q), kinks included."""
    return integrand(activation, name).derivative().map(lambda e: x * e)


@lru_cache(CACHE)
def jumps(activation: Any, name: str) -> tuple[tuple[Any, Any], ...]:
    """Return (point, size) of the integrand's jumps, which add Σ size·c·φ_q(c)/(2q) to its slope in q."""
    return integrand(activation, name).jumps()


def problem(activation: Any, name: str) -> Any:
    """Return the question as an inert Gaussian integral over N(0, q).

    The derivative is the almost-everywhere one, piece by piece: where g jumps the delta is left out.
    """
    if name == "derivative_second_moment":
        body = activation.derivative.as_expr() ** 2
    elif name == "derivative_fourth_moment":
        body = activation.derivative.as_expr() ** 4
    else:
        body = activation.expr if name == "mean" else activation.expr**2
    return GaussianIntegral(body, x, 0, q)


def parameter_values(activation: Any) -> dict[Any, Any]:
    """Return the value at which each symbolic parameter is shown as a number: the default of the catalogue.

    A closed form holds for every admissible value; the decimal beside it is at these.
    """
    values: dict[Any, Any] = {}
    if activation.expr is None:
        return values
    for parameter in activation.parameters:
        symbol = parameter.value
        if getattr(symbol, "is_Symbol", False) and symbol in activation.expr.free_symbols:
            default = parameter.default
            values[symbol] = Rational(1) if default is None else _rational(default)
    for symbol in sorted(activation.expr.free_symbols - {x} - set(values), key=lambda s: s.name):
        values[symbol] = Rational(1, 2)
    return values


def _rational(default: Any) -> Any:
    """Return a default as a rational; SELU's two constants, which are not, to six digits."""
    if isinstance(default, Expr) and not default.is_Rational:
        return Rational(str(default.evalf(6)))
    return Rational(default)
