r"""The integral behind every learning time, in balls: closed forms on both sides of the target.

With v = u/s the flow of a balanced network of L weight matrices, τ u' = L u^{2−2/L} (s − u), reads

.. math:: \frac{t}{\tau} = \frac{s^{p-2}}{L} \int_{v_0}^{v} \frac{x^{p-2}}{1-x}\,dx, \qquad p = 2/L.

Below the target the integrand is x^{p−2} + x^{p−1} + x^p/(1 − x); above it, w = 1/x turns the integral into
∫ w^{1−p}/(1 − w) dw.  What is left is an incomplete beta function with second parameter 0.

Positions are kept as y = log(v/(1 − v)) (or of w), in which nothing cancels as u → s.
"""

from __future__ import annotations

from typing import Any

from flint import arb

__all__ = ["above", "below", "logistic", "position"]


def logistic(y: Any) -> tuple[Any, Any]:
    """Return v and 1 − v of y = log(v/(1 − v))."""
    return 1 / (1 + (-y).exp()), 1 / (1 + y.exp())


def position(v: Any) -> Any:
    """Return log(v/(1 − v)), 0 < v < 1."""
    return (v / (1 - v)).log()


def _near_zero(y: Any, a: Any) -> Any:
    """∫ x^a/(1 − x) dx from 0 to v ≤ ½, by the geometric series: v^{a+1}/(a+1) ₂F₁(1, a+1; a+2; v)."""
    v = logistic(y)[0]
    return v ** (a + 1) / (a + 1) * v.hypgeom_2f1(arb(1), a + 1, a + 2)


def _near_one(y: Any, a: Any) -> Any:
    """Antiderivative of x^a/(1 − x) for 1 − x = w ≤ ½: −log w + a w ₃F₂(1, 1, 1 − a; 2, 2; w).

    It is −∫ (1 − w)^a/w dw, integrated term by term in the binomial series.
    """
    w = logistic(y)[1]
    return -w.log() + a * w * w.hypgeom([arb(1), arb(1), 1 - a], [arb(2), arb(2)])


def _between(first: Any, last: Any, a: Any) -> Any:
    """∫ x^a/(1 − x) dx between two positions, each series used on its own half only."""
    if first <= 0 and last <= 0:
        return _near_zero(last, a) - _near_zero(first, a)
    if first > 0 and last > 0:
        return _near_one(last, a) - _near_one(first, a)
    if last <= 0:
        return -_between(last, first, a)
    middle = arb(0)
    return (_near_zero(middle, a) - _near_zero(first, a)) + (_near_one(last, a) - _near_one(middle, a))


def _power(first: Any, last: Any, exponent: Any) -> Any:
    """∫ x^{e−1} dx = (v^e − v₀^e)/e, and its limit log(v/v₀) at e = 0."""
    ratio = (logistic(last)[0] / logistic(first)[0]).log()
    if exponent == 0:
        return ratio
    return logistic(first)[0] ** exponent * (exponent * ratio).expm1() / exponent


def below(first: Any, last: Any, p: Any) -> Any:
    """∫ x^{p−2}/(1 − x) dx between positions of v = u/s < 1.

    Examples
    --------
    >>> half = below(position(arb("0.1")), position(arb("0.5")), arb(1))
    >>> bool(abs(half - arb(9).log()) < arb("1e-13"))  # p = 1 (two layers): the logit itself
    True
    """
    return _power(first, last, p - 1) + _power(first, last, p) + _between(first, last, p)


def above(first: Any, last: Any, p: Any) -> Any:
    """∫ w^{1−p}/(1 − w) dw between positions of w = s/u < 1."""
    if p == 2:  # one layer: 1/(w (1 − w)), whose antiderivative is the position itself
        return last - first
    return _between(first, last, 1 - p)
