"""The bivariate normal distribution function, for thresholds whose signs are not known."""

from __future__ import annotations

from typing import Any

from flint import acb, arb
from sympy import Function, Rational, S, asin, exp, oo, pi, sqrt
from sympy.core.function import ArgumentIndexError

from initmath.balls import working_precision
from initmath.integral import Phi

__all__ = ["Phi2"]


class Phi2(Function):  # type: ignore[misc]
    r"""P(X < h, Y < k) for standard normals X, Y of correlation ρ.

    .. math:: \Phi_2(h, k, \rho) = \Phi(h)\,\Phi(k) + \frac{1}{2\pi}\int_0^{\arcsin\rho}
       \exp\Bigl(-\frac{h^2 - 2hk\sin\theta + k^2}{2\cos^2\theta}\Bigr)\,d\theta

    Owen's T function says the same by cases in the signs of h and k; this does not need them.

    References
    ----------
    .. [1] Plackett, A reduction formula for normal multivariate integrals, Biometrika 41 (1954) 351-360, §2.

    Examples
    --------
    >>> from sympy import Symbol
    >>> h, rho = Symbol("h", real=True), Symbol("rho", real=True)
    >>> Phi2(0, 0, rho), Phi2(h, 0, 0), Phi2(2, h, rho) == Phi2(h, 2, rho)
    (asin(rho)/(2*pi) + 1/4, Phi(h)/2, True)
    """

    nargs = 3
    is_real = True

    @classmethod
    def eval(cls, h: Any, k: Any, rho: Any) -> Any:
        """Exact values and the symmetry."""
        if rho.is_zero:
            return Phi(h) * Phi(k)
        if h.is_zero and k.is_zero:
            return Rational(1, 4) + asin(rho) / (2 * pi)
        if S.NegativeInfinity in (h, k):
            return S.Zero
        if oo in (h, k):
            return Phi(k if h is oo else h)
        if h.sort_key() > k.sort_key():
            return cls(k, h, rho)
        return None

    def fdiff(self, argindex: int = 1) -> Any:
        """Return ∂Φ₂/∂h = φ(h) Φ((k − ρh)/√(1 − ρ²)), or Plackett's ∂Φ₂/∂ρ, the density at (h, k)."""
        h, k, rho = self.args
        slant = 1 - rho**2
        if argindex == 3:
            return exp(-(h**2 - 2 * rho * h * k + k**2) / (2 * slant)) / (2 * pi * sqrt(slant))
        if argindex not in (1, 2):
            raise ArgumentIndexError(self, argindex)
        here, other = (h, k) if argindex == 1 else (k, h)
        return exp(-(here**2) / 2) / sqrt(2 * pi) * Phi((other - rho * here) / sqrt(slant))

    def _ball_(self, args: tuple[arb, ...], prec: int) -> arb:
        h, k, rho = args
        if not (h.is_finite() and k.is_finite() and abs(rho) < 1):
            return arb.nan()
        with working_precision(prec + 10):
            # At the midpoints, and by the mean value theorem elsewhere: ∂Φ₂/∂h ≤ φ(0), Plackett for ∂ρ.
            slant = (1 - rho * rho).sqrt().lower()
            spread = (h.rad() + k.rad()) * arb("0.4") + rho.rad() / (6 * slant)
            h, k, rho = arb(h.mid()), arb(k.mid()), arb(rho.mid())
            root = arb(2).sqrt()
            both = (-h / root).erfc() * (-k / root).erfc() / 4
            square, product = acb(h * h + k * k) / 2, acb(h * k)
            # Where the correlation is close to ±1, so written that nothing cancels.
            sign = -1 if rho < 0 else 1
            gap = acb((h - sign * k) ** 2 / 2)
            close = bool(abs(rho) > 0.9)

            def integrand(theta: acb, analytic: bool) -> acb:
                sine, cosine = theta.sin(), theta.cos()
                if close:
                    return (-gap / (cosine * cosine) - sign * product / (1 + sign * sine)).exp()
                return ((product * sine - square) / (cosine * cosine)).exp()

            rest: arb = acb.integral(integrand, acb(0), acb(rho.asin())).real
            return both + rest / (2 * arb.pi()) + arb(0, spread.upper())

    def _latex(self, printer: Any, exp: Any = None) -> str:
        body = rf"\Phi_2\left({', '.join(printer._print(arg) for arg in self.args)}\right)"
        return body if exp is None else rf"{body}^{{{exp}}}"
