"""Where functions change their sign, many at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["crossings"]

Real = NDArray[np.float64]

_PARTS = 16
_ROUNDS = 13  # 16¹³ = 2⁵²: the last place of the distance of the ends


def crossings(function: Callable[[Real], Real], low: Real, high: Real) -> Real:
    """Return where a function changes its sign between low and high, to the last place of high − low.

    Each interval is cut into 16, and again that part of it where the sign changes: a few long arrays take
    less time than many short ones.  Only signs are looked at, so that a function that spans many powers of
    ten, or jumps, is no worse than a straight line.

    Parameters
    ----------
    function : callable
        From a real array of shape (m,) to another; it has different signs at both ends of each interval.
    low, high : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> crossings(lambda x: x**2 - 2, np.array([-2.0, 1.0]), np.array([-1.0, 3.0])).round(8).tolist()
    [-1.41421356, 1.41421356]
    """
    low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    if not low.size:
        return low
    rows = np.arange(low.size)
    first_sign = function(low)
    start = np.where(first_sign == 0, function(high) <= 0, first_sign > 0)[:, None]
    for _ in range(_ROUNDS):
        grid = np.linspace(low, high, _PARTS + 1, axis=1)
        beyond = (function(grid[:, 1:-1].ravel()) > 0).reshape(low.size, -1) != start
        first = np.concatenate([beyond, np.ones_like(start)], axis=1).argmax(axis=1)
        low, high = grid[rows, first], grid[rows, first + 1]
    return np.asarray((low + high) / 2)
