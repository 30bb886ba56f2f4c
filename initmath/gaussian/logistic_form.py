"""Reading an expression as a polynomial in x, T = tanh κx and ℓ = log cosh κx, exactly.

Every spelling of the logistic family is one of these: with E = e^{2κx} one has E = (1 + T)/(1 − T), so that
a rational function of E that is bounded with its derivatives (σ, σ′, sech², tanh …) cancels to a polynomial
in T.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sympy import Add, Dummy, Integer, Mul, Poly, Pow, S, cancel, cosh, exp, igcd, ilcm, log, sech, sinh, tanh
from sympy.polys.polyerrors import PolynomialError

__all__ = ["LogisticForm", "logistic_form"]

_MAX_MULTIPLE = 8

_MAX_SIZE = 100
"""Cancelling a longer rational function takes minutes; the longest that came out a polynomial has size 42."""

_MAX_CONSTANTS = 3
"""Different irrational constants, each a further unknown for the cancellation."""

T, E, LOG_COSH = Dummy("T"), Dummy("E"), Dummy("l")


@dataclass(frozen=True)
class LogisticForm:
    """Σ c·xⁿ·tanh(κx)^m·log(cosh κx)^l.

    Attributes
    ----------
    kappa : Expr
        κ > 0.
    terms : tuple of ((n, m, l), c)
    """

    kappa: Any
    terms: tuple[tuple[tuple[int, int, int], Any], ...]


@lru_cache(maxsize=1024)
def logistic_form(expr: Any, x: Any) -> LogisticForm | None:
    """Return the expression as a polynomial in x, tanh κx, log cosh κx for one κ, or None.

    Examples
    --------
    >>> from sympy import exp
    >>> from initmath.integral import x
    >>> form = logistic_form(1 / (1 + exp(-x)), x)
    >>> form.kappa, form.terms
    (1/2, (((0, 1, 0), 1/2), ((0, 0, 0), 1/2)))
    """
    # sinh u = cosh u·tanh u, so that sinh/cosh cancels before cosh² = 1/(1 − tanh²) is used
    expr = expr.replace(sinh, lambda u: cosh(u) * tanh(u)).replace(_is_even_power, _square)
    rates = [rate for rate in (_rate(e, x) for e in expr.atoms(exp, tanh, log)) if rate is not None]
    unit = _unit(rates)
    if unit is None:
        return None
    if unit.could_extract_minus_sign():
        unit = -unit
    reduced = _Reduction(x, unit).reduce(expr)
    if reduced is None or _size(reduced) > _MAX_SIZE:
        return None
    named: dict[Any, Any] = {}
    reduced = _with_named_constants(reduced, named)
    if len(named) > _MAX_CONSTANTS:
        return None
    try:
        terms = _polynomial(reduced, x)
        if terms is None:
            # Perhaps only powers of some e^{gcx} occur, as in (e^x − e^{−x})/(e^x + e^{−x}).
            step, coarser = _coarsen(reduced, x)
            if step == 1:
                return None
            unit, terms = unit * step, _polynomial(coarser, x)
    except PolynomialError:
        return None
    if terms is None:
        return None
    constants = {symbol: constant for constant, symbol in named.items()}
    restored = tuple((monomial, c.xreplace(constants)) for monomial, c in terms)
    # A denominator that vanishes for these constants only: then the identity in the symbols says nothing.
    if any(c.has(S.ComplexInfinity, S.NaN) for _, c in restored):
        return None
    return LogisticForm(unit / 2, restored)


def _size(reduced: Any) -> int:
    """Return the number of operations, three times that where a coefficient such as e^{-10} occurs."""
    operations = int(reduced.count_ops())
    return 3 * operations if reduced.atoms(exp) else operations


def _polynomial(reduced: Any, x: Any) -> tuple[tuple[tuple[int, int, int], Any], ...] | None:
    """Cancel to a polynomial in x, T and ℓ, or None."""
    numerator, denominator = cancel(reduced, x, T, LOG_COSH).as_numer_denom()
    if not denominator.free_symbols.isdisjoint({x, T, LOG_COSH}):
        return None
    poly = Poly(numerator, x, T, LOG_COSH)
    if any(x in c.free_symbols for c in poly.coeffs()):
        return None
    return tuple((monomial, c / denominator) for monomial, c in poly.terms())


def _with_named_constants(expr: Any, named: dict[Any, Any]) -> Any:
    """Replace irrational constants by symbols: an identity in the symbols is one in the constants.

    Without this, `cancel` works over a field of expressions such as √2 or e^{1/3}, in which nothing bounds
    its time.
    """
    if expr.is_Rational or expr.is_Symbol:
        return expr
    if isinstance(expr, (Add, Mul)) or (isinstance(expr, Pow) and expr.exp.is_Integer):
        return expr.func(*(_with_named_constants(arg, named) for arg in expr.args))
    if expr.free_symbols:
        return expr
    return named.setdefault(expr, Dummy(f"c{len(named)}"))


def _coarsen(reduced: Any, x: Any) -> tuple[int, Any]:
    """Write a rational function of E = (1+T)/(1−T) by E^g, g the largest; return g and it in the new T."""
    if LOG_COSH in reduced.free_symbols:
        return 1, reduced
    numerator, denominator = cancel(reduced.xreplace({T: (E - 1) / (E + 1)}), x, E).as_numer_denom()
    polys = [Poly(part, x, E) for part in (numerator, denominator)]
    step = int(igcd(0, *(power for poly in polys for _, power in poly.monoms())))
    if step <= 1:
        return 1, reduced
    base = (1 + T) / (1 - T)
    parts = [Add(*(c * x**n * base ** (k // step) for (n, k), c in poly.terms())) for poly in polys]
    return step, parts[0] / parts[1]


def _is_even_power(expr: Any) -> bool:
    return (
        isinstance(expr, Pow)
        and isinstance(expr.base, (sech, cosh))
        and expr.exp.is_Integer
        and expr.exp % 2 == 0
    )


def _square(expr: Any) -> Any:
    u, half = expr.base.args[0], expr.exp / 2
    return (1 - tanh(u) ** 2) ** (half if isinstance(expr.base, sech) else -half)


def _rate(function: Any, x: Any) -> Any | None:
    """Return the c of the e^{cx} that the function is a rational function of (or of whose log it is)."""
    u = function.args[0]
    if not u.has(x) or isinstance(function, log):
        if isinstance(function, log) and isinstance(u, cosh):
            c = u.args[0].as_independent(x, as_Add=False)[0]
            return 2 * c if u.args[0] == c * x else None
        return None
    slope = u.coeff(x) if isinstance(u, Add) else u.as_independent(x, as_Add=False)[0]
    if (u - slope * x).has(x):
        return None
    return 2 * slope if isinstance(function, tanh) else slope


def _unit(rates: list[Any]) -> Any | None:
    """Return the greatest c of which all rates are small integer multiples."""
    if not rates:
        return None
    ratios = [rate / rates[0] for rate in rates]
    if not all(r.is_Rational and r != 0 for r in ratios):
        return None
    denominator = ilcm(1, *(r.q for r in ratios))
    divisor = igcd(0, *(r.p * (denominator // r.q) for r in ratios))
    unit = rates[0] * Integer(divisor) / Integer(denominator)
    return unit if all(abs(rate / unit) <= _MAX_MULTIPLE for rate in rates) else None


class _Reduction:
    """Replaces the functions of x by T and ℓ, for a unit rate c = 2κ."""

    def __init__(self, x: Any, unit: Any) -> None:
        self.x, self.unit = x, unit

    def reduce(self, expr: Any) -> Any | None:
        if not expr.has(self.x) or expr == self.x:
            return expr
        if isinstance(expr, (Add, Mul)):
            parts = [self.reduce(arg) for arg in expr.args]
            return None if None in parts else expr.func(*parts)
        if isinstance(expr, exp):
            power, rest = self._split(expr.args[0])
            return None if power is None else ((1 + T) / (1 - T)) ** power * exp(rest)
        if isinstance(expr, Pow) and expr.exp.is_Integer:
            base = self.reduce(expr.base)
            return None if base is None else base**expr.exp
        if isinstance(expr, tanh):
            return self._tanh(expr.args[0])
        if isinstance(expr, log):
            return self._log(expr.args[0])
        return None

    def _split(self, u: Any) -> tuple[Any | None, Any]:
        """U = k·(unit·x) + rest with an integer k."""
        linear = u.coeff(self.x) if isinstance(u, Add) else u.as_independent(self.x, as_Add=False)[0]
        power, rest = linear / self.unit, u - linear * self.x
        if rest.has(self.x) or not power.is_Integer:
            return None, rest
        return power, rest

    def _tanh(self, u: Any) -> Any | None:
        k, rest = self._split(2 * u)
        if k is None or rest != 0:
            return None
        if abs(k) == 1:
            return k * T
        up, down = (1 + T) ** abs(k), (1 - T) ** abs(k)
        value = cancel((up - down) / (up + down))
        return value if k > 0 else -value

    def _log(self, u: Any) -> Any | None:
        """log(cosh κx) = ℓ; log(a(1 + e^{±2κx})) = log 2a ± κx + ℓ; quotients and powers of these."""
        if isinstance(u, Mul):
            parts = [self._log(factor) for factor in u.args]
            return None if None in parts else Add(*parts)
        if not u.has(self.x):
            return log(u)
        if isinstance(u, Pow) and u.exp.is_Integer:
            inner = self._log(u.base)
            return None if inner is None else u.exp * inner
        if isinstance(u, exp):
            return u.args[0]
        if isinstance(u, cosh):
            return LOG_COSH if u.args[0] in (self.unit * self.x / 2, -self.unit * self.x / 2) else None
        if isinstance(u, Add) and len(u.args) == 2:
            return self._log_sum(*u.args)
        return None

    def _log_sum(self, first: Any, second: Any) -> Any | None:
        """log(a·e^u + a·e^v) = log 2a + (u + v)/2 + log cosh((u − v)/2)."""
        (a, lead), (b, other) = first.as_coeff_Mul(), second.as_coeff_Mul()
        if a != b or not a.is_positive:
            return None
        u = S.Zero if lead is S.One else lead.args[0] if isinstance(lead, exp) else None
        v = S.Zero if other is S.One else other.args[0] if isinstance(other, exp) else None
        if u is None or v is None or u - v not in (self.unit * self.x, -self.unit * self.x):
            return None
        return log(2 * a) + (u + v) / 2 + LOG_COSH
