"""Two-point expectations by two-dimensional quadrature, pair by pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initmath.activation import Activation
from initmath.errors import InputError
from initmath.quadrature._rule import gauss_legendre
from initmath.quadrature.kernel import pair_expectation

__all__ = ["PairValues", "cuts_of", "pair_values"]

Real = NDArray[np.float64]

_PANELS = (-11.0, -7.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 7.0, 11.0)
_ORDERS = (12, 18, 27, 45, 90)
_LARGE, _POOR = 27, 1e-9  # orders beyond the first are costly: only for what is really unresolved
_EPS = float(np.finfo(np.float64).eps)
_TOLERANCE = 2e-13  # of √(E g₁² E g₂²): a pair below it is not computed again with more nodes


@dataclass(frozen=True)
class PairValues:
    """E f for (y₁, y₂) ~ N(0, [[q₁, p], [p, q₂]]), each with an estimated error; shape (n,).

    Attributes
    ----------
    kernel, half_distance, derivative_kernel : ndarray
        E g(y₁) g(y₂), ½ E (g(y₁) − g(y₂))² and E g'(y₁) g'(y₂) (almost everywhere part).
    error : ndarray, shape (3, n)
        Of the three, as differences of two orders of the rule, with the rounding of the half distance.
    """

    kernel: Real
    half_distance: Real
    derivative_kernel: Real
    error: Real


def cuts_of(activation: Activation) -> list[float]:
    """Return the ends of the analytic pieces as doubles; none are known of what could not be traced."""
    if activation.expr is None:
        return []
    if activation.is_symbolic:
        raise InputError(f"{activation.name} has symbolic parameters: a number needs their values")
    return [float(point.evalf(25)) for point in activation.pieces.breakpoints]


def pair_values(activation: Activation, q1: Real, q2: Real, gap: Real, thorough: bool = False) -> PairValues:
    """Kernel, half distance and derivative kernel of each pair.

    The half distance is integrated as it stands: where c → 1 its digits do not cancel, as those of
    (m₂(q₁) + m₂(q₂))/2 − k would.

    Parameters
    ----------
    activation : Activation
    q1, q2 : ndarray, shape (n,)
        Variances > 0.
    gap : ndarray, shape (n,)
        1 − c in [0, 2].
    thorough : bool
        Whether to spend the costly orders on what is resolved to `_POOR` already.
    """
    g, slope, cuts = activation.numpy(0), activation.numpy(1), cuts_of(activation)

    def four(y1: Any, y2: Any) -> Any:
        a, b, steep = g(y1), g(y2), slope(y1) * slope(y2)
        return np.stack([a * b, 0.5 * (a - b) ** 2, steep, np.abs(steep)])

    value = np.empty((4, len(q1)))
    error = np.full((4, len(q1)), np.inf)
    open_ = np.arange(len(q1))
    covariance = np.sqrt(q1) * np.sqrt(q2) * (1 - gap)
    for order in _ORDERS:
        if not len(open_):
            break
        found = pair_expectation(
            four, q1[open_], q2[open_], covariance[open_], cuts,
            orders=(order, (3 * order) // 4), base=_PANELS, gap=gap[open_],
        )  # fmt: skip
        value[:, open_], error[:, open_] = found.value, found.error
        size = np.abs(found.value)
        scale = np.stack([size[0] + size[1], size[0] + size[1], size[3] + 1e-30])
        with np.errstate(invalid="ignore"):
            rough = ~(found.error[:3] <= (_TOLERANCE if thorough or order < _LARGE else _POOR) * scale)
        # an infinite derivative kernel stays infinite
        rough[2] &= np.isfinite(found.value[2])
        open_ = open_[rough.any(axis=0)]
    beyond = np.maximum(_beyond(g, q1), _beyond(g, q2)) * (np.abs(value[0]) + value[1])
    with np.errstate(invalid="ignore"):
        error[:2] += beyond
        # g(y₁) − g(y₂) carries the rounding of both: not seen by two orders of the rule, and averaged by it
        error[1] += _EPS * np.sqrt(value[1] * (np.abs(value[0]) + value[1]))
        error[2] += np.maximum(_beyond(slope, q1), _beyond(slope, q2)) * np.abs(value[2])
    return PairValues(value[0], value[1], value[2], error[:3])


def _beyond(f: Any, q: Real) -> Real:
    """Estimate the share of E |f| or E f² that lies beyond the outermost panels: large where f grows fast."""
    edges = np.asarray(_PANELS)
    rule = gauss_legendre(13)
    half = np.diff(edges)[:, None] / 2
    z = np.append((edges[:-1, None] + half * (1 + rule.nodes.astype(np.float64))).ravel(), edges[[0, -1]])
    inside = np.append((half * rule.weights.astype(np.float64)).ravel(), [0.0, 0.0])
    distinct, where = np.unique(q, return_inverse=True)
    density = np.exp(-0.5 * z * z)
    with np.errstate(all="ignore"):
        size = np.abs(f(np.sqrt(distinct)[:, None] * z))
        shares = []
        for mass in (size * density, size * size * density):
            total = mass @ inside
            shares.append(np.where(total > 0, np.max(mass[:, -2:], axis=1) / total, 0.0))
    share = np.maximum(*shares)
    return np.asarray(np.where(np.isnan(share), np.inf, share)[where])
