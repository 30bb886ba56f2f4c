"""Rewrite an expression so that wide balls stay narrow: the same function, a better enclosure.

``log(1 + exp(u))``, ``1/(1 + exp(-u))`` and ``exp(t²)·erfc(t)`` are bounded by their arguments, but their
parts are not: a ball for ``exp(u)`` far out swallows the 1 beside it, and ``exp(t²)`` overflows where
``erfc(t)`` vanishes.  Each pair becomes one inert function with its own enclosure.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sympy import Add, Expr, Function, Mul, Pow, S, cosh, erfc, exp, expand, log, sinh, sqrt, tanh

from initmath.integral import Phi

__all__ = ["Erfcx", "LogOnePlusExp", "Logistic", "stabilise"]


class LogOnePlusExp(Function):  # type: ignore[misc]
    """log(1 + e^u), inert."""

    nargs = 1
    is_nonnegative = True


class Logistic(Function):  # type: ignore[misc]
    """1/(1 + e^{-u}), inert."""

    nargs = 1
    is_positive = True


class Erfcx(Function):  # type: ignore[misc]
    """exp(t²)·erfc(t), inert; the name `erfcx` is usual."""

    nargs = 1
    is_positive = True


@lru_cache(maxsize=4096)
def stabilise(expr: Any) -> Any:
    """Return an expression of equal value on the real line whose parts do not overflow or cancel.

    Examples
    --------
    >>> from sympy import Symbol, log, exp
    >>> x = Symbol("x", real=True)
    >>> stabilise(log(1 + exp(x)))
    LogOnePlusExp(x)
    >>> stabilise(exp(x)/(1 + exp(x)))
    Logistic(x)
    """
    if not expr.args or not isinstance(expr, Expr) or hasattr(expr, "_ball_") or expr.has_free is None:
        return expr
    if not all(isinstance(arg, Expr) for arg in expr.args):
        return expr
    if isinstance(expr, Add):
        expr = _from_the_tail(expr)
        if not isinstance(expr, Add):
            return stabilise(expr)
    if isinstance(expr, Phi) and expr.args[0].is_negative:
        return erfc(-expr.args[0] / sqrt(2)) / 2
    args = [stabilise(arg) for arg in expr.args]
    if isinstance(expr, log):
        written = _logarithm_of(args[0])
        if written is not None:
            return written
    if isinstance(expr, Pow) and args[1].is_Integer and args[1].is_negative:
        split = _two_exponentials(args[0])
        if split is not None:
            scale, lead, other = split
            return scale ** args[1] * exp(lead * args[1]) * Logistic(-other) ** (-args[1])
    if isinstance(expr, Mul):
        return _product(args)
    return expr if tuple(args) == expr.args else expr.func(*args)


def _from_the_tail(total: Any) -> Any:
    """Write c·Φ(u), u > 0, as c − c·Φ(−u): large terms c·(Φ(u) − Φ(v)) then cancel before any rounding."""
    terms: list[Any] = []
    for term in total.args:
        factors = Mul.make_args(term)
        near = [f for f in factors if isinstance(f, Phi) and f.args[0].is_positive]
        if len(near) == 1:
            rest = Mul(*(f for f in factors if f is not near[0]))
            terms += [rest, -rest * Phi(-near[0].args[0])]
        else:
            terms.append(term)
    return Add(*terms)


def _logarithm_of(u: Any) -> Any | None:
    """Logarithm of a·e^u + b·e^v, of cosh, and of products of such; None for anything else."""
    split = _two_exponentials(u)
    if split is not None:
        scale, lead, other = split
        return Add(log(scale), lead, LogOnePlusExp(other))
    if isinstance(u, cosh):
        return u.args[0] - log(2) + LogOnePlusExp(-2 * u.args[0])
    if isinstance(u, Mul):
        parts = [_logarithm(factor) for factor in u.args]
        if all(part is not None for part in parts):
            return Add(*parts)
    return None


def _logarithm(factor: Any) -> Any | None:
    """Logarithm of a positive factor, by its structure; None for anything else."""
    base, power = factor.as_base_exp()
    if isinstance(factor, exp):
        return factor.args[0]
    if factor.is_number and factor.is_positive:
        return log(factor)
    if isinstance(base, Logistic):
        return -power * LogOnePlusExp(-base.args[0])
    split = _two_exponentials(base)
    if split is None:
        return None
    scale, lead, other = split
    return power * Add(log(scale), lead, LogOnePlusExp(other))


def _two_exponentials(base: Any) -> tuple[Any, Any, Any] | None:
    """Match ``a·e^u + b·e^v``, a, b > 0, as a·e^u·(1 + e^w): return a, u and w = v − u + log(b/a)."""
    if not isinstance(base, Add) or len(base.args) != 2:
        return None
    parts = []
    for term in base.args:
        number, rest = term.as_coeff_Mul()
        if not number.is_positive or not (rest is S.One or isinstance(rest, exp)):
            return None
        parts.append((number, S.Zero if rest is S.One else rest.args[0]))
    if all(power.is_number for _, power in parts):
        return None
    parts.sort(key=lambda part: part[1] is not S.Zero)
    (a, u), (b, v) = parts
    return a, u, v - u + log(b / a)


def _sech_squared(factor: Any) -> Any:
    """Write 1 − tanh²u as 4σ(2u)σ(−2u): an exponential beside it would multiply what is left of the 1."""
    base, power = factor.as_base_exp()
    if not isinstance(base, Add) or len(base.args) != 2 or not power.is_Integer:
        return factor
    for lead, other in (base.args, base.args[::-1]):
        ratio = -other / lead
        if isinstance(ratio, Pow) and isinstance(ratio.base, tanh) and ratio.exp == 2:
            double = 2 * ratio.base.args[0]
            return (4 * lead * Logistic(double) * Logistic(-double)) ** power
    return factor


def _product(args: list[Any]) -> Any:
    args = list(Mul.make_args(Mul(*args)))
    if any(isinstance(factor, exp) for factor in args):
        args = list(Mul.make_args(Mul(*(_sech_squared(factor) for factor in args))))
    for index, factor in enumerate(args):
        base, power = factor.as_base_exp()
        if isinstance(base, sinh) and power.is_Integer and power.is_positive:
            partner = cosh(base.args[0]) ** -power
            if partner in args:
                rest = [a for a in args if a not in (factor, partner)]
                return _product([*rest, tanh(base.args[0]) ** power])
        if not isinstance(factor, exp):
            continue
        exponent = factor.args[0]
        for other, second in enumerate(args):
            base, power = second.as_base_exp()
            if isinstance(base, Logistic) and power.is_Integer and power.is_positive:
                ratio = -exponent / base.args[0]
                if ratio.is_Integer and ratio.is_positive:
                    # e^{-kv}·σ(v)^n = e^{-(k-m)v}·σ(v)^{n-m}·σ(-v)^m with m = min(k, n)
                    times = min(int(ratio), int(power))
                    rest = [a for i, a in enumerate(args) if i not in (index, other)]
                    mirrored = Logistic(-base.args[0]) ** times * base ** (power - times)
                    return _product([*rest, exp(-(ratio - times) * base.args[0]), mirrored])
            if isinstance(second, erfc):
                t = second.args[0]
                rest_exponent = expand(exponent - t**2)
                if not rest_exponent.free_symbols or rest_exponent.count_ops() < exponent.count_ops():
                    rest = [a for i, a in enumerate(args) if i not in (index, other)]
                    return _product([*rest, exp(rest_exponent), Erfcx(t)])
    return Mul(*args)
