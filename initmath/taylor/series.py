"""Truncated power series at 0 of an expression tree, with exact coefficients.

Every function is expanded by the differential equation it satisfies (exp: y' = u' y, tanh: y' = (1 − y²)
u', …), so a series of n terms costs O(n²) operations in the coefficient field: the rationals, or the
rationals with the constants that occur (log 2, √π, tanh 1, a parameter) as generators.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sympy import (
    QQ,
    Integer,
    RealField,
    S,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atanh,
    cos,
    cosh,
    cot,
    coth,
    csch,
    erf,
    erfc,
    erfi,
    exp,
    log,
    pi,
    sec,
    sech,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)
from sympy.polys.constructor import construct_domain

from initmath.integral import Phi

__all__ = ["DECIMALS", "DIGITS", "NotAnalytic", "Series", "expand_at_zero", "taylor_coefficients"]

_NOT_FINITE = (S.NaN, S.ComplexInfinity, S.Infinity, S.NegativeInfinity, S.ImaginaryUnit)
DIGITS = 150
DECIMALS = RealField(dps=DIGITS)
_SPARE = 4  # further terms, for what a removable singularity consumes


class NotAnalytic(Exception):
    """There is no power series at 0; the message says why."""


class _TooShort(Exception):
    """A removable singularity consumed more terms than there were to spare."""


@dataclass(frozen=True)
class Series:
    """x^start · (c₀ + c₁ x + … ) + O(x^(start + len(c))).

    Attributes
    ----------
    field : Domain
        SymPy's field of the coefficients.
    start : int
        Power of the first coefficient; negative at a pole.
    terms : list
        Elements of ``field``.
    """

    field: Any
    start: int
    terms: list[Any]

    @property
    def end(self) -> int:
        """First power that is not known."""
        return self.start + len(self.terms)

    def coefficient(self, k: int) -> Any:
        """Return the coefficient of x^k, for k < end."""
        return self.terms[k - self.start] if k >= self.start else self.field.zero

    def over(self, field: Any) -> Series:
        """Return the same series with coefficients in a larger field."""
        if field == self.field:
            return self
        return Series(field, self.start, [field.convert_from(c, self.field) for c in self.terms])

    def cut(self) -> Series:
        """Drop leading zeros, so that ``start`` is the valuation (an exact zero keeps no terms)."""
        lead = next((i for i, c in enumerate(self.terms) if not _is_zero(c, self.field)), len(self.terms))
        return Series(self.field, self.start + lead, self.terms[lead:])


def taylor_coefficients(expr: Any, x: Any, order: int) -> list[Any]:
    """Coefficients c₀ … c_order of the Taylor series of an expression at 0, exact.

    Parameters
    ----------
    expr : Expr
        Analytic at 0 (a removable singularity is allowed).
    x : Symbol
    order : int

    Returns
    -------
    list of Expr, length order + 1

    Raises
    ------
    NotAnalytic
        If there is no such series, or a function has no rule here.

    Examples
    --------
    >>> from sympy import sin, tanh
    >>> from initmath.integral import x
    >>> taylor_coefficients(tanh(x), x, 5)
    [0, 1, 0, -1/3, 0, 2/15]
    >>> taylor_coefficients(sin(x) / x, x, 4)
    [1, 0, -1/6, 0, 1/120]
    """
    series = expand_at_zero(expr, x, order)
    return [series.field.to_sympy(series.coefficient(k)) for k in range(order + 1)]


def expand_at_zero(expr: Any, x: Any, order: int, field: Any = QQ) -> Series:
    """Power series with at least the terms up to x^order, starting at x^0.

    With `DECIMALS` for the field the coefficients are floating-point numbers of `DIGITS` digits: the
    generators that irrational constants need make exact arithmetic slow.
    """
    spare = _SPARE
    while True:
        length = order + 1 + spare
        try:
            series = _expand(expr, x, length, {x: _identity(field, length)})
            if series.end <= order:
                raise _TooShort
            lead = series.cut()
            if lead.terms and lead.start < 0:
                raise NotAnalytic("a pole at 0")
            return Series(series.field, 0, [series.coefficient(k) for k in range(order + 1)])
        except _TooShort:
            spare *= 4
            if spare > 300:
                raise NotAnalytic("the leading terms cancel beyond all orders tried") from None


def square(series: Series) -> Series:
    """Square a series that starts at x^0."""
    return _mul(series, series)


def derivative(series: Series) -> Series:
    """Differentiate a series that starts at x^0."""
    field = series.field
    return Series(field, 0, [field(k) * c for k, c in enumerate(series.terms)][1:])


# ------------------------------------------------------------------------------
# The expression tree


def _expand(expr: Any, x: Any, length: int, seen: dict[Any, Series]) -> Series:
    if expr not in seen:
        seen[expr] = _expand_node(expr, x, length, seen)
    return seen[expr]


def _expand_node(expr: Any, x: Any, length: int, seen: dict[Any, Series]) -> Series:
    if not expr.has(x):
        return _constant(expr, length, seen[x].field)
    if expr.is_Add or expr.is_Mul:
        parts = [_expand(arg, x, length, seen) for arg in expr.args]
        total = parts[0]
        for part in parts[1:]:
            total = _add(total, part) if expr.is_Add else _mul(total, part)
        return total
    if expr.is_Pow and not expr.exp.has(x):
        return _power(_expand(expr.base, x, length, seen), expr.exp)
    if expr.is_Pow:
        return _exp(_mul(_log(_expand(expr.base, x, length, seen)), _expand(expr.exp, x, length, seen)))
    rule = _RULES.get(expr.func)
    if rule is None or len(expr.args) != 1:
        raise NotAnalytic(f"no rule to expand {expr.func.__name__} at 0")
    return rule(_expand(expr.args[0], x, length, seen))


def _identity(field: Any, length: int) -> Series:
    return Series(field, 0, [field.zero, field.one] + [field.zero] * (length - 2))


def _constant(value: Any, length: int, like: Any) -> Series:
    field, element = _element(value, like)
    return Series(field, 0, [element] + [field.zero] * (length - 1))


def _element(value: Any, like: Any) -> tuple[Any, Any]:
    """Return a constant as an element of the rationals with its irrational parts as generators."""
    if value.has(*_NOT_FINITE) or value.is_real is False:
        raise NotAnalytic(f"the constant {value} is not a finite real number")
    if like.is_RR:
        return like, like.from_sympy(value.evalf(DIGITS))
    field, (element,) = construct_domain([value], field=True, composite=True)
    if field.is_ZZ or field.is_QQ:
        return QQ, QQ.convert_from(element, field)
    if not field.is_Field:
        larger = field.get_field()
        return larger, larger.convert_from(element, field)
    return field, element


def _is_zero(value: Any, field: Any) -> bool:
    """Whether a coefficient vanishes; the field does not know that its generators are related (√2·√2 − 2)."""
    if not value:
        return True
    if field.is_QQ:
        return False
    if field.is_RR:
        return bool(abs(value) < field(10) ** -100)
    number = field.to_sympy(value)
    if number.free_symbols:
        return bool(number.expand() == 0)
    return bool(number == 0) or bool(abs(number.evalf(40)) < Integer(10) ** -60)


# ------------------------------------------------------------------------------
# Arithmetic


def _same(a: Series, b: Series) -> tuple[Series, Series]:
    field = a.field if a.field == b.field else a.field.unify(b.field)
    return a.over(field), b.over(field)


def _add(a: Series, b: Series) -> Series:
    a, b = _same(a, b)
    start, end = min(a.start, b.start), min(a.end, b.end)
    return Series(a.field, start, [a.coefficient(k) + b.coefficient(k) for k in range(start, end)])


def _mul(a: Series, b: Series) -> Series:
    a, b = _same(a, b)
    n = min(len(a.terms), len(b.terms))
    return Series(a.field, a.start + b.start, _product(a.terms[:n], b.terms[:n], a.field))


def _product(a: Sequence[Any], b: Sequence[Any], field: Any) -> list[Any]:
    """First len(a) terms of the product, len(a) == len(b)."""
    out = [field.zero] * len(a)
    for i, left in enumerate(a):
        if left:
            for j in range(len(a) - i):
                if b[j]:
                    out[i + j] += left * b[j]
    return out


def _scaled(a: Series, factor: Any) -> Series:
    return _mul(a, _constant(factor, len(a.terms), a.field))


def _regular(a: Series) -> tuple[Series, Any]:
    """Return a series that starts at x^0, and its constant term as an expression."""
    lead = a.cut()
    if lead.terms and lead.start < 0:
        raise NotAnalytic("an argument has a pole at 0")
    if a.end <= 0:
        raise _TooShort
    full = Series(a.field, 0, [a.coefficient(k) for k in range(a.end)])
    head = full.terms[0]
    if _is_zero(head, a.field):
        full.terms[0] = a.field.zero
        return full, Integer(0)
    return full, a.field.to_sympy(head)


def _shifted(u: Series, value: Any) -> tuple[Series, Any]:
    """Put u and a constant into one field; returns the series and the constant's element."""
    field, element = _element(value, u.field)
    common = u.field if u.field == field else u.field.unify(field)
    return u.over(common), common.convert_from(element, field)


def _slope(u: Series) -> list[Any]:
    """Return k u_k, the coefficients of x u'."""
    return [u.field(k) * c for k, c in enumerate(u.terms)]


def _power(u: Series, exponent: Any) -> Series:
    """Expand u^α by u y' x = α x u' y; negative whole powers may have poles."""
    if exponent.is_Integer and exponent >= 0 and u.start >= 0:
        return _whole_power(u, int(exponent))
    lead = u.cut()
    if not lead.terms:
        raise _TooShort
    start = exponent * lead.start
    if not start.is_Integer or (lead.start != 0 and not exponent.is_Integer):
        raise NotAnalytic(f"a branch point at 0 (power {exponent})")
    head = lead.field.to_sympy(lead.terms[0])
    if not exponent.is_Integer and head.is_negative:
        raise NotAnalytic(f"the power {exponent} of a negative number")
    lead, _ = _shifted(lead, exponent)
    lead, first = _shifted(lead, head**exponent)
    _, alpha = _shifted(lead, exponent)  # now in the common field
    field, a = lead.field, lead.terms
    y = [first]
    for n in range(1, len(a)):
        total = field.zero
        for k in range(1, n + 1):
            if a[k]:
                total += (alpha * field(k) - field(n - k)) * a[k] * y[n - k]
        y.append(total / (field(n) * a[0]))
    return Series(field, int(start), y)


def _whole_power(u: Series, n: int) -> Series:
    out = Series(u.field, 0, [u.field.one] + [u.field.zero] * (len(u.terms) - 1))
    base = u
    while n:
        if n & 1:
            out = _mul(out, base)
        base = _mul(base, base) if n > 1 else base
        n >>= 1
    return out


def _inverse(u: Series) -> Series:
    return _power(u, Integer(-1))


def _linear_ode(u: Series, value: Any) -> Series:
    """Solve y' = u' y, y(0) = value: n y_n = Σ k u_k y_{n−k}."""
    u, first = _shifted(u, value)
    slope, field = _slope(u), u.field
    y = [first]
    for n in range(1, len(u.terms)):
        total = field.zero
        for k in range(1, n + 1):
            if slope[k]:
                total += slope[k] * y[n - k]
        y.append(total / field(n))
    return Series(field, 0, y)


def _exp(u: Series) -> Series:
    u, head = _regular(u)
    return _linear_ode(u, exp(head))


def _log(u: Series) -> Series:
    u, head = _regular(u)
    if head == 0:
        raise NotAnalytic("the logarithm of 0")
    if head.is_negative:
        raise NotAnalytic("the logarithm of a negative number")
    return _primitive(_mul(Series(u.field, 0, _slope(u)), _inverse(u)), log(head))


def _primitive(slope: Series, value: Any) -> Series:
    """Go from x y' and y(0) to y."""
    slope, first = _shifted(slope, value)
    field = slope.field
    return Series(field, 0, [first] + [c / field(k) for k, c in enumerate(slope.terms) if k])


def _at_logarithm(value: Any) -> Any:
    """Write tanh(log 2) and the like as the rational number it is."""
    if isinstance(value, tanh | sinh | cosh) and value.args[0].has(log):
        return value.rewrite(exp)
    return value


def _by_slope(function: Any, slope: Callable[[Series], Series]) -> Callable[[Series], Series]:
    """Expand a function by y' = h(u) u' with h given on series."""

    def rule(u: Series) -> Series:
        u, head = _regular(u)
        return _primitive(_mul(Series(u.field, 0, _slope(u)), slope(u)), function(head))

    return rule


def _pair(sign: int, first: Any, second: Any) -> Callable[[Series], tuple[Series, Series]]:
    """Expand s, c with s' = c u' and c' = sign · s u'."""

    def rule(u: Series) -> tuple[Series, Series]:
        u, head = _regular(u)
        u, _ = _shifted(u, _at_logarithm(first(head)))
        u, c0 = _shifted(u, _at_logarithm(second(head)))
        _, s0 = _shifted(u, _at_logarithm(first(head)))  # now in the common field
        field, slope = u.field, _slope(u)
        s, c = [s0], [c0]
        for n in range(1, len(u.terms)):
            up = down = field.zero
            for k in range(1, n + 1):
                if slope[k]:
                    up += slope[k] * c[n - k]
                    down += slope[k] * s[n - k]
            s.append(up / field(n))
            c.append(field(sign) * down / field(n))
        return Series(field, 0, s), Series(field, 0, c)

    return rule


def _riccati(function: Any, sign: int) -> Callable[[Series], Series]:
    """Expand y' = (1 + sign · y²) u': tan and tanh."""

    def rule(u: Series) -> Series:
        u, head = _regular(u)
        u, first = _shifted(u, _at_logarithm(function(head)))
        field, slope = u.field, _slope(u)
        y, h = [first], [field.one + field(sign) * first * first]
        for n in range(1, len(u.terms)):
            total = field.zero
            for k in range(1, n + 1):
                if slope[k]:
                    total += slope[k] * h[n - k]
            y.append(total / field(n))
            # the n-th term of y²
            squared = field.zero
            for k in range(n + 1):
                squared += y[k] * y[n - k]
            h.append(field(sign) * squared)
        return Series(field, 0, y)

    return rule


def _one_plus(u: Series, factor: int) -> Series:
    """Return 1 + factor · u²."""
    return _add(_constant(Integer(1), len(u.terms), u.field), _scaled(_mul(u, u), Integer(factor)))


def _bell(factor: Any, rate: Any) -> Callable[[Series], Series]:
    """Return u ↦ factor · exp(rate · u²)."""
    return lambda u: _scaled(_exp(_scaled(_mul(u, u), Integer(1) * rate)), factor)


_HALF = Integer(1) / 2
_circular = _pair(-1, sin, cos)
_hyperbolic = _pair(1, sinh, cosh)

_RULES: dict[Any, Callable[[Series], Series]] = {
    exp: _exp,
    log: _log,
    sin: lambda u: _circular(u)[0],
    cos: lambda u: _circular(u)[1],
    sinh: lambda u: _hyperbolic(u)[0],
    cosh: lambda u: _hyperbolic(u)[1],
    tan: _riccati(tan, 1),
    tanh: _riccati(tanh, -1),
    sec: lambda u: _inverse(_circular(u)[1]),
    sech: lambda u: _inverse(_hyperbolic(u)[1]),
    csch: lambda u: _inverse(_hyperbolic(u)[0]),
    cot: lambda u: _inverse(_riccati(tan, 1)(u)),
    coth: lambda u: _inverse(_riccati(tanh, -1)(u)),
    atan: _by_slope(atan, lambda u: _inverse(_one_plus(u, 1))),
    atanh: _by_slope(atanh, lambda u: _inverse(_one_plus(u, -1))),
    asinh: _by_slope(asinh, lambda u: _power(_one_plus(u, 1), -_HALF)),
    asin: _by_slope(asin, lambda u: _power(_one_plus(u, -1), -_HALF)),
    acos: _by_slope(acos, lambda u: _scaled(_power(_one_plus(u, -1), -_HALF), Integer(-1))),
    acosh: _by_slope(acosh, lambda u: _power(_scaled(_one_plus(u, -1), Integer(-1)), -_HALF)),
    erf: _by_slope(erf, _bell(2 / sqrt(pi), Integer(-1))),
    erfc: _by_slope(erfc, _bell(-2 / sqrt(pi), Integer(-1))),
    erfi: _by_slope(erfi, _bell(2 / sqrt(pi), Integer(1))),
    Phi: _by_slope(Phi, _bell(1 / sqrt(2 * pi), -_HALF)),
}
