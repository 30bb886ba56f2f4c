"""Where the first panels go: short near x = 0, never across a breakpoint, never too long for the Gaussian."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["CORE", "LAST", "STEP", "first_edges"]

CORE = 10.0
"""First range |z| ≤ CORE; exp(−CORE²/2) = 2e-22."""

STEP = 10.0 / 3
"""Longest panel in z: exp(−z²/2) is resolved to 1e-16 on it with room to spare."""

LAST = 39.0
"""Beyond this the Gaussian density leaves the range of a double."""

_SLIVER = 1e-6  # in z
_WIDTH = 2.5  # first panel in x: activations vary on the scale of 1
_GROWTH = 1.3  # and then look the same on every scale


def first_edges(
    root: NDArray[np.float64], breakpoints: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Panels in x for each √q.

    The ladder 0 = e₀ < e₁ < … has e_{k+1} − e_k = min(STEP √q, 2.5 + 1.3 e_k), so that features of size
    O(1) around x = 0 are resolved at q = 1e4 as well as at q = 1e-8; it ends at CORE √q, or behind the
    outermost breakpoint that a double can still feel.

    Parameters
    ----------
    root : ndarray, shape (n,)
        √q > 0.
    breakpoints : ndarray, shape (m,)
        In x.

    Returns
    -------
    left, right : ndarray, shape (p,)
        Ends of the panels in x.
    owner : ndarray of int, shape (p,)
        Which q a panel belongs to; non-decreasing.
    """
    points = breakpoints[None, :]
    felt = np.abs(points) < LAST * root[:, None]
    low = -CORE * root
    high = CORE * root
    if breakpoints.size:
        high = np.maximum(high, np.where(felt, points, 0).max(axis=1) + STEP * root)
        low = np.minimum(low, np.where(felt, points, 0).min(axis=1) - STEP * root)
    reach = np.maximum(high, -low)
    ladder = [np.zeros_like(root)]
    while np.any(ladder[-1] < reach):
        e = ladder[-1]
        ladder.append(e + np.minimum(STEP * root, _WIDTH + _GROWTH * e))
    half = np.stack(ladder, axis=1)
    rungs = np.concatenate([-half[:, :0:-1], half], axis=1)
    for point in breakpoints:
        # A rung that misses a breakpoint by rounding only would leave a sliver with the break inside it.
        rungs = np.where(np.abs(rungs - point) < _SLIVER * root[:, None], point, rungs)
    edges = np.concatenate([rungs, np.broadcast_to(points, (len(root), points.size))], axis=1)
    edges = np.clip(edges, low[:, None], high[:, None])
    edges.sort(axis=1)
    left, right = edges[:, :-1], edges[:, 1:]
    keep = left < right
    owner = np.broadcast_to(np.arange(len(root))[:, None], left.shape)[keep]
    return left[keep], right[keep], owner
