"""Quotients N/D with a common zero: their value near it, without 0/0.

If N and D both vanish to order m at p, then on every convex set B that contains p

    N(z)/(z − p)^m  ∈  hull N^(m)(B)/m!,      D(z)/(z − p)^m  ∈  hull D^(m)(B)/m!,

by Taylor's formula with the integral remainder.  So N/D is enclosed by N^(m)(B)/D^(m)(B), also on discs that
contain p: sin(x)/x, (x·cos x − sin x)/x² and their like become ordinary analytic integrands, with proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flint import acb
from sympy import Add, Function, Mul, Pow, fraction, together

from initmath.balls.functions import NOT_FINITE, Operation
from initmath.errors import Divergent, NotEnclosed

__all__ = ["Quotient", "fill_removable", "vanishing_denominators"]

_MAX_ORDER = 12


class Quotient(Function):  # type: ignore[misc]
    """N/D as a function of the variable with a removable singularity at p, inert.

    Arguments: N, D, N^(m), D^(m), the variable, p.
    """

    nargs = 6

    def _ball_program_(self) -> tuple[list[Any], Any]:
        from initmath.balls.program import Late, Program

        numerator, denominator, high_numerator, high_denominator, variable, point = self.args
        programs = [Program(e, variable) for e in (numerator, denominator, high_numerator, high_denominator)]

        class Bound(Late):
            def bind(self, values: Mapping[Any, Any], prec: int) -> Operation:
                num, den, high_num, high_den = (p.bind(values, prec) for p in programs)
                place = acb(Program(point).bind(values, prec)(None, False))

                def operation(arguments: list[Any], analytic: bool) -> Any:
                    z = arguments[0]
                    below = den(z, analytic)
                    if _excludes_zero(below):
                        value = num(z, analytic) / below
                        if z.is_exact():
                            return value
                    else:
                        value = None
                    hull = acb(z).union(place)
                    below = high_den(hull, analytic)
                    if not _excludes_zero(below):
                        return NOT_FINITE if value is None else value
                    near = high_num(hull, analytic) / below
                    if value is None or near.rel_accuracy_bits() > value.rel_accuracy_bits():
                        return near
                    return value

                return operation

        return [variable], Bound()


def _excludes_zero(value: Any) -> bool:
    value = acb(value)
    return bool(value.is_finite() and (value.real != 0 or value.imag != 0))


def vanishing_denominators(expr: Any, variable: Any, point: Any) -> bool:
    """Whether some denominator of the expression is exactly zero at the point.

    Examples
    --------
    >>> from sympy import sin
    >>> from initmath.integral import x
    >>> vanishing_denominators(sin(x) / x, x, 0), vanishing_denominators(sin(x) / (1 + x**2), x, 0)
    (True, False)
    """
    if not expr.has_free(variable) or isinstance(expr, Quotient):
        return False
    if isinstance(expr, Pow) and expr.exp.is_Integer and expr.exp.is_negative:
        if expr.base.subs(variable, point) == 0:
            return True
    return any(vanishing_denominators(arg, variable, point) for arg in expr.args)


def fill_removable(expr: Any, variable: Any, point: Any) -> Any:
    """Rewrite the 0/0 quotients at ``point`` so that they can be evaluated there.

    Raises
    ------
    Divergent
        The expression has a true pole at the point: it is not integrable there.
    NotEnclosed
        The order of a zero could not be decided.

    Examples
    --------
    >>> from flint import acb
    >>> from sympy import sin
    >>> from initmath.balls import compile_ball
    >>> from initmath.integral import x
    >>> f = compile_ball(fill_removable(sin(x) / x, x, x * 0), x)
    >>> f(acb(0), True)
    1.00000000000000
    """
    if not vanishing_denominators(expr, variable, point):
        return expr
    if isinstance(expr, Pow) and expr.exp.is_Integer and expr.exp.is_positive:
        return Pow(fill_removable(expr.base, variable, point), expr.exp)
    if isinstance(expr, (Add, Mul)):
        try:
            return expr.func(*(fill_removable(arg, variable, point) for arg in expr.args))
        except Divergent:
            return _combined(expr, variable, point)
    if isinstance(expr, Pow):
        return _quotient(expr, variable, point)
    try:
        return expr.func(*(fill_removable(arg, variable, point) for arg in expr.args))
    except Divergent as error:
        # A pole inside a function proves nothing: exp(−1/x²) is bounded.
        raise NotEnclosed(f"{expr} has a singularity at {variable} = {point}") from error


def _combined(expr: Any, variable: Any, point: Any) -> Any:
    """Bring the terms (or factors) with poles together: their poles may cancel."""
    polar = [
        a for a in expr.args if vanishing_denominators(a, variable, point) and isinstance(a, (Add, Mul, Pow))
    ]
    rest = [a for a in expr.args if a not in polar]
    if isinstance(expr, Mul):
        zeros = [a for a in rest if a.has_free(variable) and a.subs(variable, point) == 0]
        others = [fill_removable(a, variable, point) for a in rest if a not in zeros]
        return Mul(*others, _quotient(Mul(*polar, *zeros), variable, point))
    others = [fill_removable(a, variable, point) for a in rest]
    return Add(*others, _quotient(Add(*polar), variable, point))


def _quotient(expr: Any, variable: Any, point: Any) -> Any:
    numerator, denominator = fraction(together(expr))
    if denominator.subs(variable, point) != 0:
        return numerator / denominator
    high, low = numerator, denominator
    for _ in range(_MAX_ORDER):
        value = low.subs(variable, point)
        if value != 0 and value.is_zero is not True:
            return Quotient(numerator, denominator, high, low, variable, point)
        top = high.subs(variable, point)
        if top.is_zero is None or not top.is_finite:
            raise NotEnclosed(f"the order of the zero of {numerator} at {point} is undecided")
        if top != 0:
            raise Divergent(f"{expr} is not integrable at {variable} = {point}: it has a pole there")
        high, low = high.diff(variable), low.diff(variable)
    raise NotEnclosed(f"{expr} has a zero of order above {_MAX_ORDER} at {point}")
