"""E f(√q z) as a function of q: piecewise Chebyshev in log q."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initmath.quadrature._estimate import expectation

__all__ = ["Curve", "curve"]

_DEGREE = 17
_WIDTH = 1.5  # panel in log q
_SETTLED = 1e-11  # last coefficients, against the largest of the panel
_THINNEST = 0.3
_FEW = 24  # variances for which interpolation does not pay

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Values and error estimates of several expectations at the same variances.

    Attributes
    ----------
    value : ndarray, shape (m, n)
        inf where an expectation was not found finite.
    error : ndarray, shape (m, n)
        Quadrature and interpolation together; an estimate.
    """

    value: Real
    error: Real


def curve(
    functions: Sequence[Callable[[Any], Any]], q: ArrayLike, breakpoints: Sequence[float] = ()
) -> Curve:
    """E f(√q z) of several functions at many variances.

    M(q) = E f(√q z) solves the heat equation, so it is analytic for Re q > 0 even if f has kinks; its
    interpolation at Chebyshev points in log q converges geometrically on panels of bounded width.

    Parameters
    ----------
    functions : sequence of callables
        Vectorised.
    q : array_like, shape (n,)
        Positive and finite.
    breakpoints : sequence of float
        Kinks and jumps of the functions.

    Returns
    -------
    Curve

    Examples
    --------
    >>> import numpy as np
    >>> q = np.linspace(0.3, 3.0, 500)
    >>> found = curve([lambda x: x**2, np.exp], q)
    >>> bool(np.allclose(found.value, [q, np.exp(q / 2)], rtol=1e-10))
    True
    """
    at = np.asarray(q, dtype=np.float64).ravel()
    if not at.size:
        return Curve(np.zeros((len(functions), 0)), np.zeros((len(functions), 0)))
    distinct, where = np.unique(at, return_inverse=True)
    if distinct.size <= _FEW:
        found = [expectation(f, distinct, breakpoints) for f in functions]
        return Curve(np.array([e.value[where] for e in found]), np.array([e.error[where] for e in found]))
    value = np.empty((len(functions), at.size))
    error = np.empty_like(value)
    t = np.log(at)
    low, high = float(t.min()), float(t.max())
    count = max(1, int(np.ceil((high - low) / _WIDTH)))
    edges = np.linspace(low, high, count + 1)
    for left, right, last in zip(edges[:-1], edges[1:], np.arange(count) == count - 1, strict=True):
        inside = np.flatnonzero((t >= left) & ((t <= right) if last else (t < right)))
        if inside.size:
            for row, f in enumerate(functions):
                value[row, inside], error[row, inside] = _panel(f, t[inside], left, right, breakpoints)
    return Curve(value, error)


def _panel(
    f: Callable[[Any], Any], t: Real, left: float, right: float, breakpoints: Sequence[float]
) -> tuple[Real, Real]:
    """Interpolate on one panel; cut it in two, or evaluate directly, where the coefficients do not settle."""
    if t.size <= _DEGREE:
        found = expectation(f, np.exp(t), breakpoints)
        return found.value, found.error
    chebyshev = np.polynomial.chebyshev
    nodes = chebyshev.chebpts1(_DEGREE + 1)
    middle, half = (left + right) / 2, (right - left) / 2
    found = expectation(f, np.exp(middle + half * nodes), breakpoints)
    if np.all(np.isfinite(found.value)):
        coefficients = chebyshev.chebfit(nodes, found.value, _DEGREE)
        largest = np.max(np.abs(found.value))
        tail = np.max(np.abs(coefficients[-3:]))
        noise = np.max(found.error)
        if tail <= _SETTLED * largest or tail <= 4 * noise:
            value = np.asarray(chebyshev.chebval((t - middle) / half, coefficients), np.float64)
            return value, np.full(t.size, 4 * (tail + noise) + 1e-15 * largest)
    value, error = np.empty(t.size), np.empty(t.size)
    if right - left < _THINNEST:
        direct = expectation(f, np.exp(t), breakpoints)
        return direct.value, direct.error
    for lower, upper, part in ((left, middle, t < middle), (middle, right, t >= middle)):
        if part.any():
            value[part], error[part] = _panel(f, t[part], lower, upper, breakpoints)
    return value, error
