"""Edges of the support: the branch points z'(w) = 0 on the real line, never a threshold on the density.

On a gap of the support of a where u > 0 (and 1 + m > 0 for Gaussian weights), 1 − d log z/d log w is a convex
function of log w; the gap belongs to the complement of the spectrum where it is below 1: on one interval.
Elsewhere on the line z is not real, and there is spectrum.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from initmath.spectra.crossings import crossings
from initmath.spectra.uniform import UniformEquation

__all__ = ["components"]

Real = NDArray[np.float64]
Place = Callable[[Real], Real]

_GRID = 121
_FAR = 150.0
_NEAR, _NEAR_ATOM = 1e-7, 1e-12
_TINY = 1e-14
_PEAK = 1e-12
_ZOOM = 49
_ROUNDING = 1e-12


def components(equation: UniformEquation) -> tuple[tuple[float, float], ...]:
    """Return the intervals of s = log(w/μ₁) over which the law has a density; ±inf where it has no edge.

    Examples
    --------
    >>> from initmath.spectra.slope import bernoulli
    >>> linear = UniformEquation(bernoulli(1.0), 2, True, 0.0)
    >>> [(low, round(float(np.exp(high)), 12)) for low, high in components(linear)]
    [(-inf, 3.0)]
    """
    if not equation.gaussian and len(equation.law.nodes) == 1:
        return ()  # a is constant, J is orthogonal up to a factor
    outside: list[tuple[float, float]] = []
    for low, high in _gaps(equation):
        for region in _regions(equation, low, high):
            if outside and region[0] <= outside[-1][1]:
                outside[-1] = outside[-1][0], region[1]
            else:
                outside.append(region)
    for s in _atoms_that_stay(equation):
        if not any(low <= s <= high for low, high in outside):
            outside.append((s, s))
    outside.sort()
    bounds = [-np.inf, *(end for region in outside for end in region), np.inf]
    pairs = zip(bounds[::2], bounds[1::2], strict=True)
    return tuple((low, high) for low, high in pairs if low < high)


def _atoms_that_stay(equation: UniformEquation) -> list[float]:
    """Where the curve comes down to the real line at an atom of a inside the support."""
    return [s for s, left in _atom_balance(equation) if left > _ROUNDING]


def _atom_balance(equation: UniformEquation) -> list[tuple[float, float]]:
    """List s and 1 − L(1 − p) of the positive atoms of a: the weight that orthogonal layers leave of them."""
    if equation.gaussian:
        return []
    return [
        (float(np.log(a / equation.law.mean)), 1 - equation.depth * (1 - p))
        for a, p in equation.law.atoms
        if a > 0
    ]


def _gaps(equation: UniformEquation) -> list[tuple[float, float]]:
    """Gaps of the support of a on w > 0, as intervals of s."""
    bounds = [-np.inf, *(end for pair in equation.law.log_intervals for end in pair), np.inf]
    return [(low, high) for low, high in zip(bounds[::2], bounds[1::2], strict=True) if low < high]


def _regions(equation: UniformEquation, low: float, high: float) -> list[tuple[float, float]]:
    """Return the parts of one gap that no λ of the spectrum comes from."""
    spread = equation.law.spread + equation.gaussian
    near = _NEAR if equation.law.branches else _NEAR_ATOM
    place, ends = _parametrised(low, high, near * min(1.0, float(np.sqrt(spread + _TINY))))

    def descent(y: Real) -> Real:
        """D log z/d log w; −1 where z is not real."""
        return _descent(equation, place(y))

    grid = np.linspace(*ends, _GRID)
    values = descent(grid)
    for index, end in ((0, low), (-1, high)):
        if any(abs(end - s) < _ROUNDING and abs(left) < _ROUNDING for s, left in _atom_balance(equation)):
            inner = values[1] if index == 0 else values[-2]
            values[index] = float(
                np.copysign(_ROUNDING, inner)
            )  # the slope is 0 at the atom itself, which is the edge
    if not (values > 0).any():
        peak = _peak(descent, grid, values)
        if peak is None:
            return []
        where = int(np.searchsorted(grid, peak[0]))
        grid, values = np.insert(grid, where, peak[0]), np.insert(values, where, peak[1])
    regions: list[tuple[float, float]] = []
    start = low if values[0] > 0 else None
    for i in range(len(grid) - 1):
        if (values[i] > 0) == (values[i + 1] > 0):
            continue
        if np.prod(descent(grid[i : i + 2])) > 0:
            continue  # rounding about 0
        root = float(place(crossings(descent, grid[i : i + 1], grid[i + 1 : i + 2]))[0])
        if start is None:
            start = root
        else:
            regions.append((start, root))
            start = None
    if start is not None:
        regions.append((start, high))
    return regions


def _peak(descent: Place, grid: Real, values: Real) -> tuple[float, float] | None:
    """Where the only peak is positive between grid points that are not; None if it is not positive."""
    while True:
        best = int(np.argmax(values))
        if values[best] > 0:
            return float(grid[best]), float(values[best])
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
        if high - low <= _PEAK:
            return None
        grid = np.linspace(low, high, _ZOOM)
        values = descent(grid)


def _parametrised(low: float, high: float, near: float) -> tuple[Place, tuple[float, float]]:
    """Map a line onto the gap, with digits at its ends."""
    if np.isinf(low) and np.isinf(high):
        return (lambda y: y), (-_FAR, _FAR)
    if np.isinf(high):
        return (lambda y: low + np.exp(y)), (float(np.log(near)), float(np.log(_FAR)))
    if np.isinf(low):
        return (lambda y: high - np.exp(-y)), (-float(np.log(_FAR)), -float(np.log(near)))
    width = high - low
    near = min(near, width / 100)
    return (
        lambda y: np.where(y < 0, low + width * expit(y), high - width * expit(-y)),
        (float(np.log(near / width)), -float(np.log(near / width))),
    )


def _descent(equation: UniformEquation, s: Real) -> Real:
    with np.errstate(all="ignore"):
        point = equation.at(np.asarray(s, dtype=np.complex128), phase=False)
        m, one_m, slope = np.real(point.m), np.real(point.one_m), np.real(point.slope)
    # the sign of 1 + m itself: as w → 0 without an atom at 0, m is −1 to rounding and 1 + m is not 0
    real = (m > 0) | (one_m < 0) | (equation.depth == 1)
    real &= (one_m > 0) | (not equation.gaussian)
    return np.where(real & np.isfinite(slope), slope, -1.0)
