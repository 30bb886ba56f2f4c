"""Exact convergent series with a certified evaluation: SymPy sums that know their acceleration."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flint import arb, ctx
from sympy import Dummy, Integer, Sum, Symbol, erfc, exp, expand, harmonic, log, oo, sqrt

from initmath.balls import working_precision
from initmath.balls.functions import erfcx_ball
from initmath.gaussian.logistic_numerics import alternating_sum

__all__ = ["LogCoshSquareSum", "log_cosh_square"]

_N = Symbol("n", integer=True, positive=True)


class LogCoshSquareSum(Sum):  # type: ignore[misc]
    r"""The alternating part of E log²cosh(√s z), a `sympy.Sum` that evaluates itself.

    .. math:: \sum_{n\ge1}(-1)^n\Bigl(4s + \frac{2(\log 2 +
    H_{n-1})}{n}\Bigr)e^{2n^2s}\,\mathrm{erfc}(n\sqrt{2s})
    """

    def _ball_program_(self) -> tuple[list[Any], Any]:
        s = _variance_of(self.function, self.limits[0][0])

        def operation(values: list[Any], analytic: bool) -> Any:
            return _accelerated(values[0], ctx.prec)

        return [s], operation


def log_cosh_square(s: Any) -> Any:
    r"""Return E log²cosh(√s z) as an exact convergent series.

    From log cosh y = |y| − log 2 + log(1 + w), w = e^{−2|y|}, with log²(1 + w) = 2Σ_{n≥2} (−1)ⁿ H_{n−1} wⁿ/n,
    E wⁿ = e_n = erfcx(n√(2s)) and E|y|wⁿ = √(2s/π) − 2ns·e_n.

    Examples
    --------
    >>> from initmath.balls import evaluate_to
    >>> from initmath.integral import q
    >>> evaluate_to(log_cosh_square(q), {q: 1}, 20).str(15, radius=False)
    '0.330068042100299'
    """
    return s + log(2) ** 2 + LogCoshSquareSum(_term(s, _N), (_N, 1, oo))


def _term(s: Any, n: Any) -> Any:
    weight = 4 * s + 2 * (log(2) + harmonic(n - 1)) / n
    return Integer(-1) ** n * weight * exp(2 * n**2 * s) * erfc(n * sqrt(2 * s))


@lru_cache(maxsize=256)
def _variance_of(term: Any, index: Any) -> Any:
    """Return the s of the summand; refuse a summand that is not the one the evaluation is for."""
    for function in term.atoms(erfc):
        s = expand((function.args[0] / index) ** 2 / 2)
        mark = Dummy("n", integer=True, positive=True)
        difference = expand((term - _term(s, index)).xreplace({index: mark}))
        if difference == 0:
            return s
    raise ValueError(f"not the series of log²cosh: {term}")


def _accelerated(s: arb, prec: int) -> arb:
    """Sum the three parts, moments of measures of total variation ≤ 4s, 2·log 2 and 4·log 2.

    −2H_{n−1}/n are the moments of the signed measure 2·log((1−t)/t)dt, as the jump of log²(1+w) across its
    cut is 4πi·log|1+w|; its total variation is 4·log 2.  The product with e_n, moments of a probability, has
    no more.
    """
    if not s > 0:
        return arb.nan()
    if s.rad() > s.mid() * arb(2) ** -20:
        # E log²cosh increases in s; the polynomial part is taken off again.
        ends = [arb(s.lower()), arb(s.upper())]
        squares = [_accelerated(end, prec) + end for end in ends]
        return squares[0].union(squares[1]) - s
    with working_precision(prec + 30):
        root, two = (2 * s).sqrt(), arb.const_log2()
        harmonics = [arb(0)]

        def weighted(n: int) -> arb:
            while len(harmonics) < n:
                harmonics.append(harmonics[-1] + arb(1) / len(harmonics))
            return (4 * s + 2 * (two + harmonics[n - 1]) / n) * erfcx_ball(n * root)

        variation = 4 * s + 6 * two
        return -alternating_sum(weighted, prec + 10, variation)
