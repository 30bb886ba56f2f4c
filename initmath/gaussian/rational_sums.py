r"""E arctan²(√s z) and E log²(1 + s z²) as exact series of positive terms.

With t = x²/(1 + x²) one has arctan²x = ½Σ (4t)ⁿ/(n²·C(2n,n)) and log(1 + x²) = −log(1 − t) = Σ tⁿ/n, and

.. math:: E\,t^n = \frac{\Gamma(n+\frac12)}{\sqrt\pi}\,U\!\left(n,\tfrac12,\tfrac1{2s}\right)
          = \frac{1}{\sqrt\pi\,\Gamma(n)}\,G^{2,1}_{1,2}\!\left(\tfrac1{2s}\Big|{1-n\atop 0,\,\frac12}\right).

The series is exact but slow for large s.  Its value is computed by the trapezoidal rule on the line, whose
error is bounded in a strip: in x itself for s ≤ 1, after x = sinh v for s > 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flint import arb, ctx
from sympy import Rational, S, Sum, Symbol, expand, factorial, gamma, harmonic, meijerg, oo, pi, sqrt

from initmath.balls import working_precision

__all__ = ["ArctanSquareSum", "LogSquareSum", "arctan_square", "log_square"]

_N = Symbol("n", integer=True, positive=True)


@dataclass(frozen=True)
class _Integrand:
    """An even f of x = sinh v that increases with |x|, with the bounds that the trapezoidal rule needs.

    Attributes
    ----------
    value : Callable
        f(x) for a real ball x.
    in_strip : Callable
        Bound of E|f(X + iy)| for |y| ≤ 0.9 and X ~ N(0, s), as a function of s.
    in_sinh_strip : Callable
        The same of E|f(sinh(v + ib))|, sinh v ~ N(0, s), |b| ≤ 0.6.
    growth : tuple of float
        (a, c): f(x) ≤ a + c·x² on the line.
    order : int
        f(x) ~ x^(2·order) at 0.
    """

    value: Callable[[arb], arb]
    in_strip: Callable[[arb], arb]
    in_sinh_strip: Callable[[arb], arb]
    growth: tuple[float, float]
    order: int


# |Re arctan| ≤ π/2 and |Im arctan(x+iy)| ≤ atanh|y| < 1.48 for |y| ≤ 0.9; (π/2)² + 1.48² < 4.66.
# With x = sinh v, |Im v| ≤ 0.6: |Im arctan sinh v| ≤ atanh(sin 0.6) < 0.65; (π/2)² + 0.65² < 2.9.
_ARCTAN_SQUARE = _Integrand(
    lambda x: x.atan() ** 2, lambda s: arb("4.66"), lambda s: arb("2.9"), (2.468, 0.0), 1
)
# |log(1+w²)| ≤ |log|1+w²|| + π with 0.01 ≤ |1+w²| ≤ 2 + x²; log²v ≤ v for v ≥ 1: at most 2(4.61 + π)² + 2(2
# + x²). log(1 + sinh²v) = 2·log cosh v, |log cosh(a+ib)| ≤ |a| + |log cos 0.6| + 0.6 < |a| + 0.8 and
# a² ≤ log²(1 + 2|x|) ≤ 1 + 2|x|: at most 8(1 + 2|x|) + 8·0.64.
_LOG_SQUARE = _Integrand(
    lambda x: (x * x).log1p() ** 2,
    lambda s: arb(126) + 2 * s,
    lambda s: arb(14) + 16 * s.sqrt(),
    (1.0, 1.0),
    2,
)


class _SquareSum(Sum):  # type: ignore[misc]
    """A `sympy.Sum` over n ≥ 1 with a certified evaluation."""

    def _ball_program_(self) -> tuple[list[Any], Any]:
        s = _variance_of(self.function, self.limits[0][0], type(self)._term)

        def operation(values: list[Any], analytic: bool) -> Any:
            return _trapezoid(type(self)._integrand, values[0], ctx.prec)

        return [s], operation


class ArctanSquareSum(_SquareSum):
    """E arctan²(√s z) = ½Σ G(1/(2s))/(n·Γ(n + ½)); prints as a plain `Sum`."""

    _integrand = _ARCTAN_SQUARE

    @staticmethod
    def _term(s: Any, n: Any) -> Any:
        return _meijer(s, n) / (2 * n * gamma(n + S.Half))


class LogSquareSum(_SquareSum):
    """E log²(1 + s z²) = (2/√π)Σ H_{n−1}·G(1/(2s))/n!; prints as a plain `Sum`."""

    _integrand = _LOG_SQUARE

    @staticmethod
    def _term(s: Any, n: Any) -> Any:
        return 2 * harmonic(n - 1) * _meijer(s, n) / (sqrt(pi) * factorial(n))


def _meijer(s: Any, n: Any) -> Any:
    return meijerg(((1 - n,), ()), ((0, Rational(1, 2)), ()), 1 / (2 * s))


def arctan_square(s: Any) -> Any:
    """Return E arctan²(√s z) as an exact series.

    Examples
    --------
    >>> from initmath.balls import evaluate_to
    >>> from initmath.integral import q
    >>> evaluate_to(arctan_square(q), {q: 1}, 20).str(15, radius=False)
    '0.449700916434902'
    """
    return ArctanSquareSum(ArctanSquareSum._term(s, _N), (_N, 1, oo))


def log_square(s: Any) -> Any:
    """Return E log²(1 + s z²) as an exact series.

    Examples
    --------
    >>> from initmath.balls import evaluate_to
    >>> from initmath.integral import q
    >>> evaluate_to(log_square(q), {q: 1}, 20).str(15, radius=False)
    '0.552908573398187'
    """
    return LogSquareSum(LogSquareSum._term(s, _N), (_N, 1, oo))


@lru_cache(maxsize=256)
def _variance_of(term: Any, index: Any, make: Callable[[Any, Any], Any]) -> Any:
    """Return the s of the summand; refuse a summand that is not the one the evaluation is for."""
    for function in term.atoms(meijerg):
        s = expand(1 / (2 * function.argument))
        if term == make(s, index) or expand(term - make(s, index)) == 0:
            return s
    raise ValueError(f"not the series of a square: {term}")


def _trapezoid(f: _Integrand, s: arb, prec: int) -> arb:
    """Enclose E f(√s z); f increases with |x|, so a wide s is enclosed by its ends."""
    if not s > 0:
        return arb.nan()
    if not s.is_exact():
        low, high = (_trapezoid(f, arb(end), prec) for end in (s.lower(), s.upper()))
        return low.union(high)
    return _direct(f, s, prec) if s <= 1 else _stretched(f, s, prec)


def _step(width: float, exponent: float) -> tuple[arb, float]:
    """Height d ≤ width of the strip and an exact step h with an aliasing error of about e^{−exponent}."""
    height = min(width, math.sqrt(2 * exponent))
    h = 2 * math.pi * height / (height * height / 2 + exponent)
    return arb(int(h * 2**30)) / 2**30, height


def _direct(f: _Integrand, s: arb, prec: int) -> arb:
    """Σ h·f(√s·kh)·φ(kh), |Im z| ≤ d ≤ 0.9/√s: |φ(t+id)| = e^{d²/2}φ(t)."""
    exponent = prec * math.log(2) - 2 * f.order * math.log(float(s)) + 6
    step, height = _step(0.9 / math.sqrt(float(s)), exponent)
    count = int(math.sqrt(2 * exponent) / float(step)) + 2
    with working_precision(prec + 40):
        root, total = s.sqrt(), arb(0)
        for k in range(1, count + 1):
            t = step * k
            total += f.value(root * t) * (-t * t / 2).exp()
        total = 2 * step * total / (2 * arb.pi()).sqrt()
        d, end = arb(height), step * count
        aliasing = 2 * f.in_strip(s) * (d * d / 2).exp() / ((2 * arb.pi() * d / step).exp() - 1)
        return total + arb(0, (aliasing + _cut(f, s, root * end)).upper())


def _stretched(f: _Integrand, s: arb, prec: int) -> arb:
    """Σ h·f(sinh kh)·cosh(kh)·exp(−sinh²(kh)/(2s))/√(2πs), |Im v| ≤ b = 0.6.

    |exp(−sinh²(a+ib)/(2s))| = exp((1 − cos 2b·cosh 2a)/(4s)) and |cosh(a+ib)| ≤ cosh a, so that the integral
    along a + ib is at most e^{(1−κ)/(4s)}/√κ times the mean of |f| for the variance s/κ, κ = cos 2b.
    """
    exponent = prec * math.log(2) + math.log1p(float(s)) + 6
    step = arb(int(2 * math.pi * 0.6 / exponent * 2**30)) / 2**30
    reach = math.sqrt(2 * exponent * float(s))
    count = int(math.asinh(reach) / float(step)) + 2
    with working_precision(prec + 40):
        total = arb(0)
        for k in range(1, count + 1):
            v = step * k
            x = v.sinh()
            total += f.value(x) * v.cosh() * (-x * x / (2 * s)).exp()
        total = 2 * step * total / (2 * arb.pi() * s).sqrt()
        b = arb(6) / 10
        kappa = (2 * b).cos()
        mean = f.in_sinh_strip(s / kappa) * ((1 - kappa) / (4 * s)).exp() / kappa.sqrt()
        aliasing = 2 * mean / ((2 * arb.pi() * b / step).exp() - 1)
        return total + arb(0, (aliasing + _cut(f, s, (step * count).sinh())).upper())


def _cut(f: _Integrand, s: arb, end: arb) -> arb:
    """Bound of what lies beyond: E (a + c·X²)·1(|X| > end), once the summand falls."""
    if not end * end > 3 * s:
        return arb.pos_inf()
    a, c = (arb(v) for v in f.growth)
    density = (-end * end / (2 * s)).exp() / (2 * arb.pi() * s).sqrt()
    beyond = (end / (2 * s).sqrt()).erfc()
    # E X²·1(|X| > e) = 2s·e·density + s·P(|X| > e)
    return (a + c * s) * beyond + 2 * c * s * end * density
