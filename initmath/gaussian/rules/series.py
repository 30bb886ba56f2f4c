"""SERIES: E log²cosh κx (softplus², logsigmoid²), E arctan²cx, E log²(1 + c²x²) as convergent series."""

from __future__ import annotations

from typing import Any

from sympy import atan, cosh, log, sqrt

from initmath.derivation import Declined, Step
from initmath.gaussian.rational_sums import arctan_square, log_square
from initmath.gaussian.series_sums import log_cosh_square
from initmath.integral import GaussianIntegral

__all__ = ["apply"]

NAME = "series"
_CVZ = "Cohen, Rodriguez Villegas & Zagier, Convergence acceleration, Exp. Math. 9 (2000), proposition 1"
_DLMF_LOG = "DLMF 7.7.1 (erfc by a Laplace integral); 4.6.1 (logarithm)"
_DLMF_U = "DLMF 13.4.4 (Tricomi U by an integral), 13.2.40, 16.18 (U as a Meijer G); 4.24.1, 4.6.1"

_LOG_COSH = (
    "log cosh y = |y| − log 2 + log(1 + w) with w = e^(−2|y|) ≤ 1; square, expand log(1 + w) and "
    "log²(1 + w) in powers of w (dominated convergence), and use E wⁿ = e^(2n²s) erfc(n√(2s)), "
    "E|y|wⁿ = √(2s/π) − 2ns·E wⁿ, where s is the variance of y"
)
_POSITIVE = (
    "term by term (monotone convergence), with E tⁿ = Γ(n+½)/√π·U(n, ½, 1/(2s)), a Meijer G function, "
    "where s is the variance of y"
)
_ARCTAN = "With t = y²/(1 + y²): arctan²y = ½Σ (4t)ⁿ/(n²·C(2n, n)), all terms positive; " + _POSITIVE
_LOG = (
    "With t = y²/(1 + y²): log(1 + y²) = −log(1 − t), log² = 2Σ H_(n−1)·tⁿ/n, all terms positive; "
    + _POSITIVE
)


def apply(node: GaussianIntegral) -> Step | Declined:
    """Write E h(y)², y = cx ~ N(0, s), as an exact series for h = log cosh, arctan, log(1 + y²).

    Examples
    --------
    >>> from initmath.integral import GaussianIntegral, q, x
    >>> apply(GaussianIntegral(log(cosh(x)) ** 2, x, 0, q)).rule
    'series'
    >>> apply(GaussianIntegral(atan(x) ** 2, x, 0, q)).after
    Sum(meijerg(((1 - n,), ()), ((0, 1/2), ()), 1/(2*q))/(2*n*gamma(n + 1/2)), (n, 1, oo))
    """
    if len(node.variables) != 1 or node.mean[0] != 0:
        return Declined(NAME, "only about mean zero in one dimension")
    found = _read(node.integrand, node.variables[0])
    if found is None:
        return Declined(NAME, "not the square of log cosh κx, arctan cx or log(1 + c²x²)")
    make, slope, reason, references = found
    after = make(slope**2 * node.covariance[0][0])
    return Step(NAME, node, after, reason, (), references)


def _read(f: Any, x: Any) -> tuple[Any, Any, str, tuple[str, ...]] | None:
    """Match h(cx)²: the series of h, the slope c, the reason and its sources."""
    base, power = f.as_base_exp()
    if power != 2 or not isinstance(base, (log, atan)):
        return None
    inner = base.args[0]
    found: tuple[Any, Any, str, tuple[str, ...]]
    if isinstance(base, atan):
        found = (arctan_square, inner / x, _ARCTAN, (_DLMF_U,))
    elif isinstance(inner, cosh):
        found = (log_cosh_square, inner.args[0] / x, _LOG_COSH, (_DLMF_LOG, _CVZ))
    else:
        square = (inner - 1) / x**2
        if not square.is_positive:
            return None
        found = (log_square, sqrt(square), _LOG, (_DLMF_U,))
    return None if found[1].has(x) else found
