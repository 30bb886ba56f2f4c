r"""Derivatives of the Bessel function K_ν with respect to its order, with certified evaluation.

∂ⁿK_ν(a)/∂νⁿ = ∫₀^∞ tⁿ cosh(νt) e^{−a cosh t} dt for even n (sinh for odd n), DLMF 10.32.9
differentiated.  The integrand is entire, so a ball integral on a finite interval with a bound of
the tail encloses it.
"""

from __future__ import annotations

from typing import Any

from sympy import Function

__all__ = ["besselk_order_derivative"]


class besselk_order_derivative(Function):  # type: ignore[misc]
    r"""n-th derivative of K_ν(a) with respect to the order ν, for a > 0.

    .. math:: \frac{\partial^n}{\partial\nu^n} K_\nu(a)

    Parameters
    ----------
    n : nonnegative integer
    nu : real
    a : positive

    References
    ----------
    .. [1] DLMF 10.32.9, 10.38.

    Examples
    --------
    >>> from flint import arb
    >>> from sympy import Rational
    >>> from initmath.gaussian.special_bessel import besselk_order_derivative
    >>> f = besselk_order_derivative(2, Rational(1, 2), 1)
    >>> f._ball_((arb(2), arb("0.5"), arb(1)), 53).str(12, radius=False)
    '0.385783822563'
    """

    nargs = 3
    is_real = True

    def fdiff(self, argindex: int = 3) -> Any:
        """Return the derivative with respect to ν or a (K_ν' = −½(K_{ν−1} + K_{ν+1}))."""
        from sympy.core.function import ArgumentIndexError

        n, nu, a = self.args
        if argindex == 2:
            return besselk_order_derivative(n + 1, nu, a)
        if argindex != 3:
            raise ArgumentIndexError(self, argindex)
        # −½ ∂ⁿ_ν (K_{ν−1} + K_{ν+1})
        return -(besselk_order_derivative(n, nu - 1, a) + besselk_order_derivative(n, nu + 1, a)) / 2

    def _ball_(self, args: tuple[Any, ...], prec: int) -> Any:
        return _ball(args, prec)

    def _eval_evalf(self, prec: int) -> Any:
        from flint import arb
        from sympy import Float

        values = [_as_arb(v, prec + 30) for v in self.args]
        if any(v is None for v in values):
            return None
        ball = _ball(tuple(values), prec + 30)
        assert isinstance(ball, arb)
        return Float(ball.str(int(prec / 3.3) + 5, radius=False), precision=prec)

    def _latex(self, printer: Any, exp: Any = None) -> str:
        n, nu, a = (printer._print(v) for v in self.args)
        power = "" if self.args[0] == 1 else f"^{{{n}}}"
        body = rf"\left.\partial_\nu{power} K_\nu\left({a}\right)\right|_{{\nu={nu}}}"
        return body if exp is None else rf"\left({body}\right)^{{{exp}}}"


def _as_arb(value: Any, prec: int) -> Any:
    from flint import arb, ctx

    if not value.is_number:
        return None
    saved = ctx.prec
    ctx.prec = prec
    try:
        return arb(str(value.evalf(int(prec / 3.3) + 5)))
    finally:
        ctx.prec = saved


def _ball(args: tuple[Any, ...], prec: int) -> Any:
    """Enclose e^{−a} ∫₀^∞ tⁿ cosh(νt) e^{−2a sinh²(t/2)} dt."""
    from flint import acb, arb, ctx

    order, nu, a = args
    n = int(order.unique_fmpz())
    saved = ctx.prec
    ctx.prec = prec + 20
    try:
        if not a > 0:
            return arb("nan")
        end = _cutoff(a, abs(nu), n, prec + 20)

        def integrand(t: Any, _analytic: bool) -> Any:
            wave = (nu * t).cosh() if n % 2 == 0 else (nu * t).sinh()
            return t**n * wave * (-2 * a * (t / 2).sinh() ** 2).exp()

        body = acb.integral(integrand, acb(0), acb(end), rel_tol=arb(2) ** (-(prec + 10))).real
        return (-a).exp() * (body + _tail(a, abs(nu), n, end))
    finally:
        ctx.prec = saved


def _cutoff(a: Any, nu: Any, n: int, bits: int) -> Any:
    """Find an end point beyond which the integrand is below 2^−bits of its scale."""
    from math import acosh, log, sqrt

    from flint import arb

    low = max(float(a.lower()), 1e-300)
    order = float(nu.upper())
    target = bits * log(2) + 40
    end = 1.0
    for _ in range(60):
        excess = (target + order * end + n * log(1 + end)) / low
        new = acosh(1 + excess) if excess > 1e-12 else sqrt(2 * excess)
        if abs(new - end) <= 1e-3 * new:
            break
        end = new
    return arb(1.01 * new)


def _tail(a: Any, nu: Any, n: int, end: Any) -> Any:
    """Ball around 0 that contains the integral from ``end`` to ∞.

    With h(t) = νt + n log t − 2a sinh²(t/2), concave in its last term, h(t) ≤ h(end) − r (t − end) for
    r = a sinh(end) − ν − n/end > 0, so the integral is at most e^{h(end)}/r.
    """
    from flint import arb

    rate = a * end.sinh() - nu - n / end
    if not rate > 0:
        return arb("nan")
    bound = end**n * (nu * end - 2 * a * (end / 2).sinh() ** 2).exp() / rate
    return arb(0, bound.upper())
