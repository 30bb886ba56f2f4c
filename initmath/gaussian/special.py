"""The special functions of the closed forms, beyond SymPy's own, each with a certified evaluation."""

from __future__ import annotations

from typing import Any

from flint import acb, arb
from sympy import Function, Rational, S, atan, exp, oo, pi, sqrt
from sympy.core.function import ArgumentIndexError

from initmath.balls import working_precision
from initmath.gaussian.logistic_numerics import derivative_polynomial, logistic_ball
from initmath.integral import Phi

__all__ = ["logistic_L", "owens_t"]


class logistic_L(Function):  # type: ignore[misc]
    r"""The logistic master function L(q) = E sech²(√q z), z ~ N(0, 1), and its derivatives.

    ``logistic_L(q)`` is L(q), ``logistic_L(q, n)`` its n-th derivative, ``logistic_L(q, -1)`` the integral
    ∫_0^q L. By the heat equation L⁽ⁿ⁾(q) = 2⁻ⁿ E (sech²)⁽²ⁿ⁾(√q z), and ∫_0^q L = 2·E log cosh(√q z).

    Notes
    -----
    L has no closed form in algebraic functions, exp, erf, asin, Bessel or hypergeometric functions: sech²
    has infinitely many poles, so that L is not D-finite.  It is completely monotone: (−1)ⁿ L⁽ⁿ⁾ > 0, L(0) =
    1, L(q) ~ √(2/(πq)).

    References
    ----------
    .. [1] D. F. Andrews, C. L. Mallows, "Scale mixtures of normal distributions", J. R. Stat. Soc. B 36
    (1974). .. [2] L. N. Trefethen, J. A. C. Weideman, "The exponentially convergent trapezoidal rule", SIAM
    Review 56
       (2014), theorem 5.1.

    Examples
    --------
    >>> from initmath.integral import q
    >>> logistic_L(q).diff(q), logistic_L(q, -1).diff(q), logistic_L(0)
    (logistic_L(q, 1), logistic_L(q), 1)
    >>> from initmath.balls import evaluate
    >>> evaluate(1 - logistic_L(q), {q: 1}, 80).str(15, radius=False)   # E tanh(z)²
    '0.394294490397841'
    """

    nargs = (1, 2)
    is_real = True

    @classmethod
    def eval(cls, argument: Any, order: Any = S.Zero) -> Any:
        """Values at 0, and one spelling for L itself."""
        if not (order.is_Integer and order >= -1):
            raise ValueError(f"the order of logistic_L is an integer n >= -1, got {order}")
        if argument.is_zero:
            if order == -1:
                return S.Zero
            return Rational(sum(derivative_polynomial(int(order))), 2 ** int(order))
        return None

    def __new__(cls, argument: Any, order: Any = 0, **options: Any) -> Any:
        """Drop a zero order, so that L(q) is written in one way."""
        if order == 0:
            return super().__new__(cls, argument, **options)
        return super().__new__(cls, argument, order, **options)

    @property
    def order(self) -> int:
        """Order n of the derivative; −1 for the integral from 0."""
        return int(self.args[1]) if len(self.args) > 1 else 0

    def _eval_is_positive(self) -> bool | None:
        if not self.args[0].is_positive:
            return None
        return self.order < 1 or self.order % 2 == 0

    def fdiff(self, argindex: int = 1) -> Any:
        """Return the next derivative."""
        if argindex != 1:
            raise ArgumentIndexError(self, argindex)
        return logistic_L(self.args[0], self.order + 1)

    def _ball_(self, args: tuple[arb, ...], prec: int) -> arb:
        return logistic_ball(args[0], self.order, prec)

    def _latex(self, printer: Any, exp: Any = None) -> str:
        argument, order = printer._print(self.args[0]), self.order
        if order == -1:
            body = rf"\int_0^{{{argument}}}\! L"
            return body if exp is None else rf"\left({body}\right)^{{{exp}}}"
        primes = "'" * order if order <= 2 else rf"^{{({order})}}"
        body = rf"L{primes}\left({argument}\right)"
        return body if exp is None else rf"\left({body}\right)^{{{exp}}}"


class owens_t(Function):  # type: ignore[misc]
    r"""Owen's T function, P(X > h, 0 < Y < aX) for independent standard normals.

    .. math:: T(h, a) = \frac{1}{2\pi}\int_0^a \frac{e^{-h^2(1+x^2)/2}}{1+x^2}\,dx

    References
    ----------
    .. [1] D. B. Owen, "Tables for computing bivariate normal probabilities", Ann. Math. Stat. 27 (1956).

    Examples
    --------
    >>> from sympy import Symbol
    >>> h = Symbol("h", positive=True)
    >>> owens_t(0, 1), owens_t(-h, 2) == owens_t(h, 2), owens_t(h, -2) == -owens_t(h, 2)
    (1/8, True, True)
    >>> owens_t(h, 1)
    (1 - Phi(h))*Phi(h)/2
    """

    nargs = 2
    is_real = True

    @classmethod
    def eval(cls, h: Any, a: Any) -> Any:
        """Exact values and the two parities."""
        if h.is_zero:
            return atan(a) / (2 * pi)
        if a.is_zero or h in (oo, -oo):
            return S.Zero
        if h.could_extract_minus_sign():
            return cls(-h, a)
        if a.could_extract_minus_sign():
            return -cls(h, -a)
        if a is S.One:
            return Phi(h) * (1 - Phi(h)) / 2
        if a is S.Infinity and h.is_positive:
            return (1 - Phi(h)) / 2
        return None

    def fdiff(self, argindex: int = 1) -> Any:
        """Return ∂T/∂h = −φ(h)(Φ(ah) − ½) or ∂T/∂a = exp(−h²(1+a²)/2)/(2π(1+a²))."""
        h, a = self.args
        if argindex == 1:
            return -exp(-(h**2) / 2) / sqrt(2 * pi) * (Phi(a * h) - Rational(1, 2))
        if argindex == 2:
            return exp(-(h**2) * (1 + a**2) / 2) / (2 * pi * (1 + a**2))
        raise ArgumentIndexError(self, argindex)

    def _ball_(self, args: tuple[arb, ...], prec: int) -> arb:
        h, a = args
        if not (h.is_finite() and a.is_finite()):
            return arb.nan()
        if abs(a) > 1:
            # T(h, a) = ½(Φ(h)Q(ah) + Q(h)Φ(ah)) − T(ah, 1/a) for a > 0, Q = 1 − Φ: no long interval.
            return self._steep(h, a, prec)
        return _owen_integral(h, a, prec)

    def _steep(self, h: arb, a: arb, prec: int) -> arb:
        if a < 0:
            return -self._steep(h, -a, prec)
        with working_precision(prec + 10):
            h = abs(h)
            root = arb(2).sqrt()
            upper = [(t / root).erfc() / 2 for t in (h, a * h)]
            first = upper[0] + upper[1] - 2 * upper[0] * upper[1]
            return first / 2 - _owen_integral(a * h, 1 / a, prec)

    def _latex(self, printer: Any, exp: Any = None) -> str:
        h, a = (printer._print(arg) for arg in self.args)
        body = rf"T\left({h}, {a}\right)"
        return body if exp is None else rf"{body}^{{{exp}}}"


def _owen_integral(h: arb, a: arb, prec: int) -> arb:
    """T(h, a) for |a| ≤ 1: the integrand is analytic off ±i.  The factor exp(−h²/2) is taken out."""
    with working_precision(prec + 10):
        rate = acb(-h * h / 2)

        def integrand(x: acb, analytic: bool) -> acb:
            square = x * x
            return (rate * square).exp() / (1 + square)

        value = acb.integral(integrand, acb(0), acb(a)).real
        return value * rate.real.exp() / (2 * arb.pi())
