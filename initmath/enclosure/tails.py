"""The two Gaussian tails: where to cut, and a proven bound of what is left."""

from __future__ import annotations

import math

from flint import arb

from initmath.enclosure.bound import Bound
from initmath.errors import NotEnclosed

__all__ = ["cut", "log_peak", "peak", "tail", "width"]

STEPS = 1000
"""Standard deviations beyond the peak after which the steps to the cut grow."""


def _exponents(bound: Bound, q: arb) -> tuple[float, float, float, float]:
    """Log A, n ≥ 0, b and α = 1/(2q) − c as floats (only to choose the cut)."""
    scale = bound.scale.upper()
    log_scale = float(scale.log().mid()) if scale > 0 else -math.inf
    alpha = float((1 / (2 * q) - bound.quadratic).mid())
    return log_scale, max(float(bound.power.mid()), 0.0), float(bound.linear.mid()), alpha


def _highest(power: float, linear: float, alpha: float) -> float:
    """Where (1+t)^n·exp(bt − αt²) is about largest."""
    root = math.sqrt(linear * linear + 8 * alpha * power)
    return max((linear + root) / (4 * alpha), 0.0)


def peak(bound: Bound, q: arb) -> float:
    """Where bound·density is about largest (a float: it only steers)."""
    _, power, linear, alpha = _exponents(bound, q)
    return _highest(power, linear, alpha)


def width(bound: Bound, q: arb) -> float:
    """Return the standard deviation of bound·density about its peak (a float: it only steers)."""
    return 1 / math.sqrt(2 * _exponents(bound, q)[3])


def log_peak(bound: Bound, q: arb, start: float) -> float:
    """Logarithm of about the largest value of bound·density for t ≥ start (a float: it only steers)."""
    log_scale, power, linear, alpha = _exponents(bound, q)
    t = max(_highest(power, linear, alpha), start)
    return log_scale + power * math.log1p(t) + linear * t - alpha * t * t


def cut(bound: Bound, q: arb, start: float, log_tolerance: float) -> float:
    """Return T ≥ start beyond which the integral of bound·density is below exp(log_tolerance): see `tail`."""
    log_scale, power, linear, alpha = _exponents(bound, q)
    if log_scale == -math.inf:
        return start
    step = 1 / math.sqrt(2 * alpha)
    t = max(_highest(power, linear, alpha) + step, start)  # beyond the peak, where the tail falls
    count = 0
    while (slope := power / (1 + t) + linear - 2 * alpha * t) >= 0 or (
        log_scale + power * math.log1p(t) + (linear - alpha * t) * t - math.log(-slope) > log_tolerance
    ):
        t += step
        count += 1
        if count > STEPS:
            step *= 2  # a high peak far out: step by step it would take for ever
    if not math.isfinite(t):
        raise NotEnclosed("the bulk of the integrand lies beyond the range of floats")
    return t


def tail(bound: Bound, q: arb, t: float) -> arb:
    r"""Return an upper bound of ∫_T^∞ bound(t)·exp(−t²/(2q)) dt, or an infinite ball if T is too small.

    The exponent h(t) = n·log(1+t) + b·t − α·t² is concave, so that the integral is at most
    exp(h(T))/(−h′(T)).
    """
    if bound.scale.is_zero():
        return arb(0)
    cut_at = arb(t)
    alpha = 1 / (2 * q) - bound.quadratic
    if not alpha > 0:
        return arb.pos_inf()
    slope = bound.power.max(arb(0)) / (1 + cut_at) + bound.linear - 2 * alpha * cut_at
    if not slope < 0:
        return arb.pos_inf()
    # For n < 0, (1+t)^n ≤ (1+T)^n: the same formula, with n/(1+T) left out of the slope.
    height = bound.power * cut_at.log1p() + (bound.linear - alpha * cut_at) * cut_at
    return (bound.scale * height.exp() / -slope).upper()
