"""One Gauss-Legendre rule that measures its own convergence.

A panel is sampled at n Gauss nodes.  The same n values give the integral (exact to degree 2n − 1), the last
Legendre coefficients of the interpolating polynomial (how fast the integrand is being resolved: they play
the part of the null rules of adaptive quadrature), and the polynomial's values at the two ends (what two
neighbours must agree on).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ORDER", "TAIL", "Rule", "gauss_legendre"]

ORDER = 32
"""Nodes a panel."""

TAIL = 7
"""How many of the last Legendre coefficients are watched."""


@dataclass(frozen=True)
class Rule:
    """Gauss-Legendre nodes on [−1, 1] and the rows that act on the n sampled values.

    Attributes
    ----------
    nodes, weights : ndarray of longdouble, shape (n,)
    rows : ndarray of float64, shape (3 + TAIL, n)
        Row 0 the integral, rows 1 and 2 the values of the interpolant at −1 and +1, then its coefficients
        of degree n − TAIL, …, n − 1.
    gap : float
        Distance from an end of [−1, 1] to the nearest node: what lies there is seen by no node.
    """

    nodes: NDArray[np.longdouble]
    weights: NDArray[np.longdouble]
    rows: NDArray[np.float64]
    gap: float


def _legendre(t: NDArray[Any], count: int) -> NDArray[Any]:
    """P_0 … P_count at t by the three-term recurrence; shape (count + 1, len(t))."""
    values = [np.ones_like(t), t]
    for k in range(1, count):
        values.append(((2 * k + 1) * t * values[k] - k * values[k - 1]) / (k + 1))
    return np.array(values[: count + 1])


@cache
def gauss_legendre(n: int = ORDER) -> Rule:
    """Nodes and weights to the last bit of a double, with the rows described in `Rule`.

    Examples
    --------
    >>> rule = gauss_legendre()
    >>> abs(float(rule.rows[0] @ rule.nodes.astype(float) ** 10) - 2 / 11) < 1e-15
    True
    """
    start, _ = np.polynomial.legendre.leggauss(n)
    t: NDArray[Any] = start.astype(np.longdouble)
    for _ in range(2):  # Newton steps in extended precision
        p = _legendre(t, n)
        slope = n * (p[n - 1] - t * p[n]) / (1 - t * t)
        t = t - p[n] / slope
    t = (t - t[::-1]) / 2
    p = _legendre(t, n)
    slope = n * (p[n - 1] - t * p[n]) / (1 - t * t)
    w = 2 / ((1 - t * t) * slope**2)
    degree = np.arange(n)
    coefficients = (2 * degree[:, None] + 1) / np.longdouble(2) * w * p[:n]
    rows = np.vstack(
        [
            w,
            ((-1.0) ** degree) @ coefficients,
            coefficients.sum(axis=0),
            coefficients[n - TAIL :],
        ]
    )
    return Rule(t, w, np.ascontiguousarray(rows.astype(np.float64)), float(1 - t[-1]))
