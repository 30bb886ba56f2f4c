"""How fast an expression grows on one side of the line: rigorous bounds read off its structure.

`Growth` proves, for all t = ±x beyond ``start``, an upper bound of |e|, a lower bound of |e| and the sign of
e, each from the bounds of the arguments; nothing is sampled.  The upper bound makes the Gaussian tail
rigorous, the lower one proves divergence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import reduce
from itertools import product
from typing import Any

import sympy as sp
from flint import acb, arb
from sympy import Add, Mul, Pow, S, exp, log

from initmath.balls import evaluate
from initmath.balls.removable import Quotient
from initmath.balls.stable import Erfcx, Logistic, LogOnePlusExp
from initmath.enclosure.bound import Bound
from initmath.errors import NotEnclosed
from initmath.integral import Phi

__all__ = ["Growth", "Quadratic"]

Quadratic = tuple[arb, arb, arb]
"""(a0, a1, a2): the real bound a0 + a1·t + a2·t²."""

_PREC = 64
#: So many bounds for one tail at most; beyond, one bound stands for the sum.
_MAX_TERMS = 64
#: A steeper e^{ct²} is not needed: the tail beyond t = 1 is below e^{−c}.
_STEEPEST = 1 << 20
_BOUNDED_BY = {
    sp.tanh: 1, sp.erf: 1, sp.sin: 1, sp.cos: 1, sp.sech: 1, Phi: 1, Logistic: 1, sp.sign: 1, sp.Heaviside: 1,
    sp.sinc: 1, sp.atan: 2, sp.acot: 2, sp.erfc: 2, sp.Si: 2,
}  # fmt: skip
#: |f(u)| ≤ k·|u| for every real u.
_LIPSCHITZ = {
    sp.tanh: 1, sp.erf: 2, sp.sin: 1, sp.atan: 1, sp.asinh: 1, sp.Si: 1, sp.Abs: 1,
}  # fmt: skip
_POSITIVE = (exp, sp.cosh, sp.sech, Logistic, LogOnePlusExp, sp.erfc, Erfcx, Phi, sp.Abs)
_ODD_INCREASING = (sp.tanh, sp.sinh, sp.atan, sp.asinh, sp.erf, sp.erfi, sp.Si)


class Growth:
    """Bounds of expressions in ``side·t`` for all t ≥ ``start``.

    Parameters
    ----------
    variable : Symbol
    side : int
        +1 for x → +∞, −1 for x → −∞.
    values : mapping of Symbol to arb
        Parameters.
    start : float
        The bounds are needed from here on; proving one may raise it.

    Examples
    --------
    >>> from initmath.integral import x
    >>> bound = Growth(x, 1, {}, 0.0).upper(x * sp.exp(-x) + 3)
    >>> bound.rates
    (0.0, 0.0, 1.0)
    """

    def __init__(self, variable: Any, side: int, values: Mapping[Any, arb], start: float) -> None:
        self.variable = variable
        self.side = side
        self.values = dict(values)
        self.start = max(float(start), 1.0)
        self._upper: dict[Any, Bound | None] = {}
        self._lower: dict[Any, Bound | None] = {}
        self._polynomials: dict[Any, list[arb] | None] = {}

    # -- pieces ----------------------------------------------------------------

    def constant(self, expr: Any) -> arb | None:
        """Value of an expression without the variable."""
        if expr.has_free(self.variable):
            return None
        return evaluate(expr, self.values, _PREC)

    def polynomial(self, expr: Any) -> list[arb] | None:
        """Coefficients in t, lowest first, of a polynomial in the variable; None for anything else."""
        if expr not in self._polynomials:
            coefficients = None
            if expr == self.variable:
                coefficients = [arb(0), arb(self.side)]
            elif expr.is_polynomial(self.variable):
                listed = reversed(sp.Poly(expr, self.variable).all_coeffs())
                coefficients = [evaluate(c, self.values, _PREC) * self.side**k for k, c in enumerate(listed)]
            self._polynomials[expr] = coefficients
        return self._polynomials[expr]

    def _beyond(self, bound: float) -> None:
        self.start = max(self.start, bound)

    def _leading(self, coefficients: list[arb]) -> arb | None:
        """Leading coefficient, with ``start`` raised until it makes up at least half of the polynomial."""
        leading = coefficients[-1]
        if not leading != 0:
            return None
        if len(coefficients) > 1:
            rest = sum((abs(c) for c in coefficients[:-1]), arb(0))
            self._beyond(float((2 * rest / abs(leading)).upper()) * (1 + 1e-9))
        return leading

    # -- sign -------------------------------------------------------------------

    def sign(self, expr: Any) -> int | None:
        """+1 where the expression is proven ≥ 0 for all t ≥ start, −1 where ≤ 0, None if unknown."""
        constant = self.constant(expr)
        if constant is not None:
            return 1 if constant >= 0 else -1 if constant <= 0 else None
        if isinstance(expr, _POSITIVE):
            return 1
        if isinstance(expr, Mul):
            product = 1
            for factor in expr.args:
                sign = self.sign(factor)
                if sign is None:
                    return None
                product *= sign
            return product
        if isinstance(expr, Pow):
            base, exponent = expr.args
            if not exponent.is_Integer or exponent % 2 == 0 or base.is_positive:
                return 1
            return self.sign(base)
        if isinstance(expr, _ODD_INCREASING):
            return self.sign(expr.args[0])
        coefficients = self.polynomial(expr)
        if coefficients is not None:
            leading = self._leading(coefficients)
            return None if leading is None else (1 if leading > 0 else -1)
        if isinstance(expr, Add):
            signs = {self.sign(term) for term in expr.args}
            return signs.pop() if len(signs) == 1 else self._dominant_sign(expr)
        if isinstance(expr, log):
            lower = self.lower(expr.args[0])
            return 1 if lower is not None and lower.grows and lower.at(arb(self.start)) >= 1 else None
        return None

    def _dominant_sign(self, expr: Any) -> int | None:
        dominant = self._dominant(expr)
        return None if dominant is None else self.sign(dominant[0])

    def _dominant(self, expr: Any) -> tuple[Any, Bound] | None:
        """Find the term that is at least twice all the others together, beyond a start that may rise."""
        best: tuple[Any, Bound] | None = None
        for term in expr.args:
            bound = self.lower(term)
            if bound is not None and (best is None or bound.rates > best[1].rates):
                best = term, bound
        if best is None:
            return None
        rest = self.upper(expr - best[0])
        if rest is None or not rest.rates < best[1].rates:
            return None
        ratio = rest * best[1] ** arb(-1)
        t = arb(self.start)
        for _ in range(24):
            slope = ratio.power.max(arb(0)) / (1 + t) + ratio.linear + 2 * ratio.quadratic * t
            falling = slope <= 0 or ratio.decays
            if falling and ratio.quadratic <= 0 and ratio.at(t) <= 0.5:
                self._beyond(float(t.upper()))
                return best
            t = t * 2
        return None

    # -- bounds from above --------------------------------------------------------

    def upper(self, expr: Any) -> Bound | None:
        """Return a bound of |expr| for all t ≥ start, or None."""
        if expr not in self._upper:
            self._upper[expr] = None  # no rule below asks for the same expression again
            self._upper[expr] = self._find_upper(expr)
        return self._upper[expr]

    def _find_upper(self, expr: Any) -> Bound | None:
        constant = self.constant(expr)
        if constant is not None:
            return Bound(_magnitude(constant)) if constant.is_finite() else None
        coefficients = self.polynomial(expr)
        if coefficients is not None:
            return Bound(sum((_magnitude(c) for c in coefficients), arb(0)), arb(len(coefficients) - 1))
        if isinstance(expr, Add):
            return _fold([self.upper(term) for term in expr.args], Bound.__add__)
        if isinstance(expr, Mul):
            return _fold([self.upper(factor) for factor in expr.args], Bound.__mul__)
        if (exponent := _exponent(expr)) is not None:
            return _exponential(self.top(exponent))
        if isinstance(expr, Pow):
            return self._upper_power(*expr.args)
        if isinstance(expr, Quotient):
            numerator, below = self.upper(expr.args[0]), self.lower(expr.args[1])
            return None if numerator is None or below is None else numerator * below ** arb(-1)
        if isinstance(expr, (sp.Max, sp.Min)):
            return _fold([self.upper(arg) for arg in expr.args], Bound.__add__)
        return self._upper_function(expr)

    def upper_terms(self, expr: Any) -> list[Bound] | None:
        """Return bounds whose sum bounds |expr| for all t ≥ start, or None.

        The tail of a sum is the sum of the tails: each term keeps its own rates.
        """
        if isinstance(expr, Add):
            found: list[Bound] = []
            for term in expr.args:
                bounds = self.upper_terms(term)
                if bounds is None:
                    break
                found += bounds
            else:
                if len(found) <= _MAX_TERMS:
                    return found
        factors = _factors(expr)
        if factors is not None:
            lists = [self.upper_terms(factor) for factor in factors]
            known = [bounds for bounds in lists if bounds is not None]
            if len(known) == len(lists) and math.prod(map(len, known)) <= _MAX_TERMS:
                return [reduce(Bound.__mul__, choice) for choice in product(*known)]
        bound = self.upper(expr)
        return None if bound is None else [bound]

    def _upper_power(self, base: Any, exponent: Any) -> Bound | None:
        power = self.constant(exponent)
        if power is None:
            return None
        if power >= 0:
            bound = self.upper(base)
        elif power < 0:
            bound = self.lower(base)
        else:
            return None
        return None if bound is None else bound**power

    def _upper_function(self, expr: Any) -> Bound | None:  # noqa: C901
        kind: Any = type(expr)
        u: Any = expr.args[0] if expr.args else None
        found: list[Bound | None] = []
        if kind in _BOUNDED_BY:
            found.append(Bound(arb(_BOUNDED_BY[kind])))
        if kind in (sp.asin, sp.acos):
            inner = self.upper(u)
            if inner is not None and inner.decays and inner.at(arb(self.start)) <= 1:
                found.append(Bound(arb(4)))  # real only where |u| ≤ 1
        if kind in _LIPSCHITZ and (inner := self.upper(u)) is not None:
            found.append(Bound(inner.scale * _LIPSCHITZ[kind], inner.power, inner.linear, inner.quadratic))
        if kind is Logistic:
            found.append(_exponential(self.top(u)))  # 1/(1+e^{-u}) ≤ e^u
        elif kind is LogOnePlusExp:
            found.append(_exponential(self.top(u)))  # log(1+e^u) ≤ e^u
            if (inner := self.upper(u)) is not None:
                found.append(Bound(arb(1)) + inner)  # ≤ log 2 + |u|
        elif kind in (sp.erfc, Erfcx) and self.sign(u) == 1:
            found.append(_exponential(self.top(-(u**2))) if kind is sp.erfc else Bound(arb(1)))
        elif kind is Phi and self.sign(u) == -1:
            found.append(_exponential(self.top(-(u**2) / 2)))
        elif kind in (sp.cosh, sp.sinh, sp.sech):
            found += self._upper_hyperbolic(kind, u)
        elif kind is sp.erfi:
            inner = self.upper(u)
            rise = _exponential(self.top(u**2))
            if inner is not None and rise is not None:
                found.append(Bound(arb(2)) * inner * rise)  # |erfi u| ≤ 2/√π·|u|·e^{u²}
        elif kind is sp.asinh:
            inner = self.upper(u)
            if inner is not None:
                found.append(_logarithm(Bound(arb(1)) + Bound(arb(2)) * inner))  # asinh|u| ≤ log(1 + 2|u|)
        elif kind is log:
            found += self._upper_log(u)
        elif kind is sp.LambertW and len(expr.args) == 1 and self.sign(u) == 1:
            inner = self.upper(u)
            if inner is not None:
                found += [inner, _logarithm(Bound(arb(1)) + inner)]  # W(u) ≤ log(1+u) ≤ u for u ≥ 0
        best: Bound | None = None
        for bound in found:
            if bound is not None:
                best = bound.slower(best)
        return best

    def _upper_hyperbolic(self, kind: Any, u: Any) -> list[Any]:
        up, down = _exponential(self.top(u)), _exponential(self.top(-u))
        if kind is sp.sech:
            # sech u ≤ 2·e^{-|u|}: either sign of the exponent bounds it.
            return [Bound(arb(2)) * b for b in (up, down) if b is not None]
        return [None if up is None or down is None else up + down]

    def _upper_log(self, u: Any) -> list[Any]:
        found: list[Any] = []
        if isinstance(u, Add):
            number, rest = u.as_coeff_Add()
            if number is S.One and self.sign(rest) == 1:
                found.append(self.upper(rest))  # log(1+v) ≤ v
        above, below = self.upper(u), self.lower(u)
        if above is not None and below is not None:
            found.append(_logarithm(above) + _logarithm(below ** arb(-1)))
        return found

    # -- bounds from below --------------------------------------------------------

    def lower(self, expr: Any) -> Bound | None:
        """Return a positive bound of |expr| from below for all t ≥ start, or None."""
        if expr not in self._lower:
            self._lower[expr] = None
            self._lower[expr] = self._find_lower(expr)
        return self._lower[expr]

    def _find_lower(self, expr: Any) -> Bound | None:
        constant = self.constant(expr)
        if constant is not None:
            magnitude = constant.abs_lower()
            return Bound(magnitude) if magnitude > 0 else None
        coefficients = self.polynomial(expr)
        if coefficients is not None:
            leading = self._leading(coefficients)
            degree = len(coefficients) - 1
            # |p(t)| ≥ |a|t^d/2 and t ≥ (1+t)/2 for t ≥ 1
            return None if leading is None else Bound(leading.abs_lower() / 2 ** (degree + 1), arb(degree))
        if isinstance(expr, Mul):
            return _fold([self.lower(factor) for factor in expr.args], Bound.__mul__)
        if (exponent := _exponent(expr)) is not None:
            return self._lower_exponential(exponent)
        if isinstance(expr, Pow):
            power = self.constant(expr.args[1])
            if power is None or not (power >= 0 or power < 0):
                return None
            bound = self.lower(expr.args[0]) if power >= 0 else self.upper(expr.args[0])
            return None if bound is None or bound.scale.is_zero() else bound**power
        if isinstance(expr, Add):
            return self._lower_sum(expr)
        return self._lower_function(expr)

    def _lower_sum(self, expr: Any) -> Bound | None:
        best: Bound | None = None
        signs = {self.sign(term) for term in expr.args}
        if len(signs) == 1 and None not in signs:
            for term in expr.args:
                bound = self.lower(term)
                if bound is not None:
                    best = bound.faster(best)
            return best
        number, rest = expr.as_coeff_Add()
        if number is not S.Zero and (bound := self.upper(rest)) is not None and bound.decays:
            margin = (evaluate(abs(number), {}, _PREC) - bound.at(arb(self.start))).lower()
            if margin > 0:
                best = Bound(margin)
        dominant = self._dominant(expr)
        return best if dominant is None else (Bound(arb(0.5)) * dominant[1]).faster(best)

    def _lower_exponential(self, exponent: Any) -> Bound | None:
        bound = _exponential(self.bottom(exponent))
        rate = self.lower(exponent)
        if rate is not None and self.sign(exponent) == 1 and _beats_squares(rate):
            least = self._least_share_of_squares(rate)
            if least is not None:
                return Bound(arb(1), arb(0), arb(0), least, unbounded=True)
        return bound

    def _least_share_of_squares(self, rate: Bound) -> arb | None:
        """Return c > 0 with rate ≥ c·t² for all t ≥ a start that may rise: rate/t² rises from there on.

        (1 + t)ⁿ ≥ tⁿ for n ≥ 0 and ≥ (2t)ⁿ for n < 0, t ≥ 1; the slope of the logarithm of
        t^(n−2)·exp(bt + ct²) has the sign of n − 2 + bt + 2ct².
        """
        n, b, c = rate.power, rate.linear, rate.quadratic
        t = arb(self.start)
        for _ in range(24):
            if n - 2 + b * t + 2 * c * t * t >= 0 and b + 4 * c * t >= 0 and c >= 0:
                self._beyond(float(t.upper()))
                share = rate.scale * arb(2) ** n.min(arb(0)) * t ** (n - 2) * (b * t + c * t * t).exp()
                least = share.min(arb(_STEEPEST)).lower()
                return least if least > 0 else None
            t = t * 2
        return None

    def _lower_function(self, expr: Any) -> Bound | None:  # noqa: C901
        kind: Any = type(expr)
        u: Any = expr.args[0] if expr.args else None
        found: list[Any] = []
        if kind is sp.Abs:
            found.append(self.lower(u))
        elif kind is sp.cosh:
            found += [
                Bound(arb(1)),
                _half(_exponential(self.bottom(u))),
                _half(_exponential(self.bottom(-u))),
            ]
        elif kind is Logistic:
            sign = self.sign(u)
            if sign == 1:
                found.append(Bound(arb(0.5)))
            elif sign == -1:
                found.append(_half(_exponential(self.bottom(u))))
        elif kind is LogOnePlusExp:
            sign = self.sign(u)
            if sign == 1:
                found += [Bound(arb(0.5)), self.lower(u)]
            elif sign == -1:
                found.append(_half(_exponential(self.bottom(u))))  # log(1+y) ≥ y/2 on [0, 1]
        elif kind in (sp.tanh, sp.erf, sp.atan, sp.asinh, sp.sinh):
            inner = self.lower(u)
            if inner is not None and inner.grows:
                found.append(Bound(getattr(inner.at(arb(self.start)), kind.__name__)().abs_lower()))
        elif kind is Phi and self.sign(u) == 1:
            found.append(Bound(arb(0.5)))
        elif kind is log:
            inner = self.lower(u)
            if inner is not None and inner.grows and (start := inner.at(arb(self.start))) > 1:
                found.append(Bound(start.log().abs_lower()))
        best: Bound | None = None
        for bound in found:
            if bound is not None and bound.scale > 0:
                best = bound.faster(best)
        return best

    # -- real quadratic bounds, for exponents ---------------------------------------

    def top(self, expr: Any) -> Quadratic | None:
        """a0 + a1·t + a2·t² ≥ expr for all t ≥ start, or None."""
        coefficients = self.polynomial(expr)
        if coefficients is not None:
            if len(coefficients) <= 3:
                constant, linear, quadratic = (coefficients + [arb(0)] * 3)[:3]
                return constant, linear, quadratic
            leading = self._leading(coefficients)
            if leading is not None and leading < 0:
                return arb(0), arb(0), leading / 2  # p(t) ≤ a·t^d/2 ≤ a·t²/2 for t ≥ 1
            return None
        if isinstance(expr, Add):
            tops = [self.top(term) for term in expr.args]
            if all(part is not None for part in tops):
                a0, a1, a2 = (sum((part[k] for part in tops if part), arb(0)) for k in range(3))
                return a0, a1, a2
        if isinstance(expr, Mul):
            number, rest = expr.as_coeff_Mul()
            if number not in (S.One, S.NegativeOne):
                factor = evaluate(abs(number), {}, _PREC)
                bound = self.top(rest if number.is_positive else -rest)
                if bound is not None:
                    return bound[0] * factor, bound[1] * factor, bound[2] * factor
        return self._top_by_size(expr)

    def _top_by_size(self, expr: Any) -> Quadratic | None:
        zero = arb(0)
        if self.sign(expr) == -1:
            bound = self.lower(expr)
            if bound is not None and bound.grows:
                if bound.linear > 0 and bound.quadratic >= 0 and bound.power >= 0:
                    return zero, zero, -bound.scale * bound.linear**2 / 2  # e^{bt} ≥ b²t²/2
                if bound.power >= 2:
                    return zero, zero, -bound.scale
                if bound.power >= 1:
                    return zero, -bound.scale, zero
            return zero, zero, zero
        bound = self.upper(expr)
        if bound is None or not (bound.linear <= 0 and bound.quadratic <= 0):
            return None
        if bound.power <= 0:
            return bound.scale, zero, zero
        if bound.power <= 1:
            return bound.scale, bound.scale, zero
        if bound.power <= 2:
            return 2 * bound.scale, zero, 2 * bound.scale
        return None

    def bottom(self, expr: Any) -> Quadratic | None:
        """a0 + a1·t + a2·t² ≤ expr for all t ≥ start, or None."""
        top = self.top(-expr)
        return None if top is None else (-top[0], -top[1], -top[2])


def _beats_squares(bound: Bound) -> bool:
    """Whether a lower bound certainly grows faster than t² (decided on the balls, not on their middles)."""
    if bound.unbounded or bound.quadratic > 0:
        return True
    if not bound.quadratic >= 0:
        return False
    return bool(bound.linear > 0 or (bound.linear >= 0 and bound.power > 2))


def _exponent(expr: Any) -> Any | None:
    """Return u for e^u and for a^v = e^{v·log a} with a number a > 0; None for anything else."""
    if isinstance(expr, exp):
        return expr.exp
    if isinstance(expr, Pow) and expr.base.is_number and expr.base.is_positive and not expr.exp.is_number:
        return expr.exp * log(expr.base)
    return None


def _factors(expr: Any) -> tuple[Any, ...] | None:
    """Return the factors of a product or of a small power of a sum; None for anything else."""
    if isinstance(expr, Mul) and any(f.has(Add) for f in expr.args):
        return tuple(expr.args)
    if isinstance(expr, Pow) and isinstance(expr.base, Add) and expr.exp.is_Integer and 2 <= expr.exp <= 4:
        return (expr.base,) * int(expr.exp)
    return None


def _magnitude(value: arb) -> arb:
    if isinstance(value, acb):
        raise NotEnclosed("a coefficient is not real")
    return value.abs_upper()


def _fold(bounds: list[Bound | None], combine: Callable[[Bound, Bound], Bound]) -> Bound | None:
    result: Bound | None = None
    for bound in bounds:
        if bound is None:
            return None
        result = bound if result is None else combine(result, bound)
    return result


def _exponential(exponent: Quadratic | None) -> Bound | None:
    return None if exponent is None else Bound(exponent[0].exp(), arb(0), exponent[1], exponent[2])


def _half(bound: Bound | None) -> Bound | None:
    return None if bound is None else Bound(arb(0.5)) * bound


def _logarithm(bound: Bound) -> Bound:
    """Bound of log⁺ of a bounded quantity; log(1+t) ≤ 3·(1+t)^{1/8}."""
    constant = bound.scale.log().max(arb(0)) if bound.scale > 0 else arb(0)
    parts = [
        (bound.quadratic.max(arb(0)), arb(2)),
        (bound.linear.max(arb(0)), arb(1)),
        (3 * bound.power.max(arb(0)), arb(0.125)),
    ]
    result = Bound(constant)
    for rate, power in parts:
        if not rate.is_zero():
            result = result + Bound(rate, power)
    return result
