"""The inert Gaussian expectation that every derivation starts from and every rule rewrites.

``GaussianIntegral(f, (x,), (m,), ((S,),))`` stands for E f(X), X ~ N(m, S).  It does nothing by itself: the
rules of `initmath.gaussian` rewrite it step by step, the routes (`enclosure`, `quadrature`) put numbers on
it.
"""

from __future__ import annotations

from typing import Any

from sympy import Expr, Function, Rational, S, Symbol, Tuple, erf, erfc, exp, pi, sqrt, sympify
from sympy.core.function import ArgumentIndexError

__all__ = ["GaussianIntegral", "Phi", "q", "x"]

x = Symbol("x", real=True)
"""The pre-activation."""

q = Symbol("q", positive=True)
"""The pre-activation variance, q = Var y (Kumar's u²)."""


class Phi(Function):  # type: ignore[misc]
    r"""The standard normal distribution function, Φ(t) = P(Z ≤ t) = ½(1 + erf(t/√2)).

    Examples
    --------
    >>> from initmath.integral import Phi, x
    >>> Phi(x).diff(x)
    sqrt(2)*exp(-x**2/2)/(2*sqrt(pi))
    >>> Phi(0)
    1/2
    """

    nargs = 1
    is_real = True

    @classmethod
    def eval(cls, arg: Any) -> Any:
        """Values at 0 and at ±∞."""
        if arg.is_zero:
            return Rational(1, 2)
        if arg is S.Infinity:
            return S.One
        if arg is S.NegativeInfinity:
            return S.Zero
        return None

    def fdiff(self, argindex: int = 1) -> Any:
        """Return the standard normal density."""
        if argindex != 1:
            raise ArgumentIndexError(self, argindex)
        return exp(-(self.args[0] ** 2) / 2) / sqrt(2 * pi)

    def _eval_evalf(self, prec: int) -> Any:
        return (erfc(-self.args[0] / sqrt(2)) / 2)._eval_evalf(prec)

    def _eval_rewrite_as_erf(self, arg: Any, **_: Any) -> Any:
        return (1 + erf(arg / sqrt(2))) / 2

    def _latex(self, printer: Any, exp: Any = None) -> str:
        body = rf"\Phi\left({printer._print(self.args[0])}\right)"
        return body if exp is None else rf"\Phi^{{{exp}}}\left({printer._print(self.args[0])}\right)"


class GaussianIntegral(Expr):  # type: ignore[misc]
    r"""E f(X) for X ~ N(m, S), unevaluated.

    Parameters
    ----------
    integrand : Expr
        f, an expression in the variables.
    variables : tuple of Symbol, length n
    mean : tuple of Expr, length n
        Default: zero.
    covariance : tuple of n tuples of n Expr
        In one dimension a single expression may be given.

    Examples
    --------
    >>> from initmath.integral import GaussianIntegral, q, x
    >>> GaussianIntegral(x**2, x, 0, q)
    E[x**2; x ~ N(0, q)]
    """

    def __new__(cls, integrand: Any, variables: Any, mean: Any, covariance: Any) -> GaussianIntegral:
        """Normalise scalars to one-dimensional tuples."""
        if isinstance(variables, Symbol):
            variables, mean, covariance = (variables,), (mean,), ((covariance,),)
        obj: GaussianIntegral = Expr.__new__(
            cls,
            sympify(integrand),
            Tuple(*variables),
            Tuple(*mean),
            Tuple(*(Tuple(*row) for row in covariance)),
        )
        return obj

    integrand = property(lambda self: self.args[0])
    variables = property(lambda self: self.args[1])
    mean = property(lambda self: self.args[2])
    covariance = property(lambda self: self.args[3])

    is_commutative = True
    is_real = True

    @property
    def bound_symbols(self) -> list[Any]:
        """The integration variables: substitution does not touch them."""
        return list(self.variables)

    @property
    def free_symbols(self) -> set[Any]:
        """Symbols that the value depends on."""
        inner: set[Any] = self.integrand.free_symbols - set(self.variables)
        law: set[Any] = self.mean.free_symbols | self.covariance.free_symbols
        return inner | law

    def _law(self, show: Any) -> tuple[str, str, str]:
        if len(self.variables) == 1:
            return show(self.variables[0]), show(self.mean[0]), show(self.covariance[0][0])
        return show(self.variables), show(self.mean), show(self.covariance)

    def _sympystr(self, printer: Any) -> str:
        variable, mean, covariance = self._law(printer._print)
        return f"E[{printer._print(self.integrand)}; {variable} ~ N({mean}, {covariance})]"

    def _latex(self, printer: Any) -> str:
        variable, mean, covariance = self._law(printer._print)
        body = printer._print(self.integrand)
        return rf"\mathbb{{E}}_{{{variable}\sim\mathcal{{N}}({mean},\,{covariance})}}\left[{body}\right]"
