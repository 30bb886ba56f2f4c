"""Where an expectation exists: 1 − SQ > 0 beside an exponential of a square, and no pole on the line.

A rule that takes an expectation apart may leave terms that converge only for small variances, and a symmetry
gives 0 only if the integral exists.  What is needed is read off the integrand here, in one place.
"""

from __future__ import annotations

from typing import Any

from sympy import (
    Abs,
    Pow,
    Rational,
    acoth,
    atanh,
    cosh,
    cot,
    coth,
    csc,
    csch,
    erfi,
    exp,
    oo,
    preorder_traversal,
    sec,
    sinh,
    tan,
)

from initmath.balls import evaluate
from initmath.errors import NotEnclosed
from initmath.gaussian.atoms import atoms_of
from initmath.gaussian.law import condition
from initmath.integral import GaussianIntegral

__all__ = ["needed", "pole"]

_WITH_POLES = (tan, cot, sec, csc, coth, csch, atanh, acoth)
_PROBES = tuple(Rational(k, 7) for k in (0, 1, -1, 3, -3, 5, -5, 9, -9, 13, -13, 20, -20, 29, -29, 71, -71))
_PREC = 240


def needed(expr: Any) -> tuple[Any, ...]:
    """Return what must be positive for the one-dimensional Gaussian integrals in an expression to converge.

    Only exponentials of squares are looked at; what is positive for every q > 0 is left out.

    Examples
    --------
    >>> from sympy import exp
    >>> from initmath.gaussian.convergence import needed
    >>> from initmath.integral import GaussianIntegral, q, x
    >>> needed(GaussianIntegral(x * exp(x**2), x, 0, q)), needed(GaussianIntegral(exp(-(x**2)), x, 0, q))
    ((1 - 2*q,), ())
    """
    found: dict[Any, None] = {}
    for node in preorder_traversal(expr) if _squares(expr) else ():
        if not isinstance(node, GaussianIntegral) or len(node.variables) != 1 or not _squares(node.integrand):
            continue
        for atom in atoms_of(node.integrand, tuple(node.variables)):
            if atom.kernel.quadratic is None:
                continue
            required = condition(1 - node.covariance[0][0] * atom.kernel.quadratic[0][0])
            if required is not None:
                found[required] = None
    return tuple(found)


def _squares(expr: Any) -> bool:
    """Whether a power of a variable occurs inside an exponential."""
    return any(e.args[0].has(Pow) for e in expr.atoms(exp, sinh, cosh))


def pole(f: Any, x: Any, lower: Any = -oo, upper: Any = oo) -> str | None:
    """Return why ∫|f| over an interval is infinite or not known to be finite, or None where nothing is seen.

    Seen are denominators that vanish on the line (unless f stays small beside a zero at 0), functions with
    poles such as tan, and exponentials that grow faster than any normal density falls.

    Examples
    --------
    >>> from sympy import cos
    >>> from initmath.gaussian.convergence import pole
    >>> from initmath.integral import x
    >>> pole(1 / x, x), pole((1 - cos(x)) / x, x), pole(x / (x**2 + 1), x)
    ('f is unbounded at x = 0', None, None)
    >>> pole(x / (x**2 - 2), x)
    'the denominator x**2 - 2 vanishes on the line'
    """
    at_zero = False
    low, high = (end.xreplace(_some_values(end)) for end in (lower, upper))
    sides = [side for side, open_ in ((1, high > 0), (-1, low < 0)) if open_]
    for e in _sorted(f.atoms(Pow, *_WITH_POLES), x):
        if isinstance(e, Pow):
            if not e.exp.is_number or not e.exp <= -1:
                continue
            if e.base.xreplace({x: Rational(0)}).is_zero:
                at_zero = True
            if _changes_sign(e.base, x, low, high):
                return f"the denominator {e.base} vanishes on the line"
        elif isinstance(e, coth | csch):
            at_zero = True
        else:
            return f"{e} has poles"
    for e in _sorted(f.atoms(exp, sinh, cosh, erfi), x):
        if _too_fast(e, x):
            return f"{e} grows faster than the normal density falls"
    if at_zero and low <= 0 <= high and any(_unbounded_at_zero(f, x, side) for side in sides):
        return "f is unbounded at x = 0"
    return None


def _sorted(found: set[Any], x: Any) -> list[Any]:
    return sorted((e for e in found if x in e.free_symbols), key=str)


def _some_values(expr: Any) -> dict[Any, Any]:
    """Any one value for the parameters."""
    return {s: Rational(6, 5) for s in expr.free_symbols}


def _changes_sign(base: Any, x: Any, low: Any, high: Any) -> bool:
    """Whether a denominator takes both signs away from 0 on the same side (a zero at 0 is judged apart)."""
    base = base.args[0] if isinstance(base, Abs) else base
    if base == x or base.is_positive or base.is_negative:
        return False
    for side in (1, -1):
        signs = set()
        for probe in _PROBES:
            if probe * side > 0 and low <= probe <= high:
                signs.add(_sign(base, x, probe))
        if {1, -1} <= signs:
            return True
    return False


def _sign(base: Any, x: Any, at: Any) -> int:
    ball = _at(base, x, at)
    return 0 if ball is None else 1 if ball > 0 else -1 if ball < 0 else 0


def _at(f: Any, x: Any, at: Any) -> Any:
    """Evaluate at a point, at one value of the parameters."""
    try:
        return evaluate(f, {**_some_values(f), x: at}, _PREC)
    except (NotEnclosed, ValueError, ZeroDivisionError):
        return None


def _unbounded_at_zero(f: Any, x: Any, side: int) -> bool:
    """Whether |f| is larger at 10⁻⁸ than at 10⁻⁴: a pole makes it 10⁴ times larger, a removable one not."""
    near, nearer = (_at(f, x, Rational(side, 10**k)) for k in (4, 8))
    if near is None or nearer is None or not (near.is_finite() and nearer.is_finite()):
        return True
    return not abs(nearer) < 100 * abs(near) + 1


def _too_fast(e: Any, x: Any) -> bool:
    """Whether exp, sinh or cosh of a polynomial of degree above two is not bounded on the line."""
    argument = e.args[0]
    if not argument.is_polynomial(x):
        return False
    degree = argument.as_poly(x).degree()
    if degree <= 2:
        return isinstance(e, erfi) and degree == 2
    leading = argument.as_poly(x).LC()
    return not (isinstance(e, exp) and degree % 2 == 0 and leading.is_negative)
