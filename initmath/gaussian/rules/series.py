"""SERIES: E log²cosh κx (so softplus², logsigmoid²) as an exact, rapidly summable alternating series."""

from __future__ import annotations

from typing import Any

from sympy import cosh, log

from initmath.derivation import Declined, Step
from initmath.gaussian.series_sums import log_cosh_square
from initmath.integral import GaussianIntegral

__all__ = ["apply"]

NAME = "series"
_CVZ = "Cohen, Rodriguez Villegas & Zagier, Convergence acceleration, Exp. Math. 9 (2000), proposition 1"
_DLMF = "DLMF 7.7.1 (erfc by a Laplace integral); 4.6.1 (logarithm)"


def apply(node: GaussianIntegral) -> Step | Declined:
    """E log²cosh κx = s + log²2 + Σ (−1)ⁿ(4s + 2(log 2 + H_{n−1})/n)·e^{2n²s}·erfc(n√(2s)), s = κ²q.

    Examples
    --------
    >>> from initmath.integral import GaussianIntegral, q, x
    >>> apply(GaussianIntegral(log(cosh(x)) ** 2, x, 0, q)).rule
    'series'
    """
    if len(node.variables) != 1 or node.mean[0] != 0:
        return Declined(NAME, "only about mean zero in one dimension")
    kappa = _slope(node.integrand, node.variables[0])
    if kappa is None:
        return Declined(NAME, "not log²cosh κx")
    s = kappa**2 * node.covariance[0][0]
    return Step(
        NAME,
        node,
        log_cosh_square(s),
        "log cosh y = |y| − log 2 + log(1 + w) with w = e^(−2|y|) ≤ 1; square, expand log(1 + w) and "
        "log²(1 + w) in powers of w (dominated convergence), and use E wⁿ = e^(2n²s) erfc(n√(2s)), "
        "E|y|wⁿ = √(2s/π) − 2ns·E wⁿ, where s is the variance of y",
        (),
        (_DLMF, _CVZ),
    )


def _slope(f: Any, x: Any) -> Any | None:
    """Return the κ of log(cosh κx)²."""
    base, power = f.as_base_exp()
    if power != 2 or not isinstance(base, log) or not isinstance(base.args[0], cosh):
        return None
    slope = base.args[0].args[0] / x
    return None if slope.has(x) else slope
