"""E f(√q z) as a function of q: piecewise Chebyshev in log q, many functions of the same y at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initmath.quadrature._estimate import expectation
from initmath.quadrature._panels import first_edges
from initmath.quadrature._rule import gauss_legendre

__all__ = ["Curve", "Family", "curve"]

_DEGREE = 17
_WIDTH = 1.5  # panel in log q
_SETTLED = 1e-11  # last coefficients, against the largest of the panel
_THINNEST = 0.3
_FEW = 24  # variances for which interpolation does not pay
_AGREE = 1e-12  # of E|f|: two orders of the common rule, for it to be used
_ORDERS = (28, 20)

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Family:
    """Several functions of the same y.

    Attributes
    ----------
    together : callable
        From y, shape (…), to all of them, shape (m, …).
    single : callable (row, y) -> array
        One of them.
    """

    together: Callable[[Any], Any]
    single: Callable[[int, Any], Any]

    @classmethod
    def of(cls, *functions: Callable[[Any], Any]) -> Family:
        """Functions that share nothing."""
        return cls(lambda y: np.stack([f(y) for f in functions]), lambda row, y: functions[row](y))


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


def curve(family: Family, q: ArrayLike, breakpoints: Sequence[float] = ()) -> Curve:
    """E f(√q z) of several functions at many variances.

    M(q) = E f(√q z) solves the heat equation, so it is analytic for Re q > 0 even if f has kinks; its
    interpolation at Chebyshev points in log q converges geometrically on panels of bounded width.  All
    functions are first sampled together, by two Gauss-Legendre rules on common panels; where the two differ,
    or where mass lies beyond the panels, a function is integrated adaptively on its own.

    Parameters
    ----------
    family : Family
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
    >>> found = curve(Family.of(lambda y: y**2, np.exp), q)
    >>> bool(np.allclose(found.value, [q, np.exp(q / 2)], rtol=1e-10))
    True
    """
    at = np.asarray(q, dtype=np.float64).ravel()
    if not at.size:
        count = len(np.asarray(family.together(np.zeros(1))))
        return Curve(np.zeros((count, 0)), np.zeros((count, 0)))
    distinct, where = np.unique(at, return_inverse=True)
    if distinct.size <= _FEW:
        value, error = _direct(family, distinct, breakpoints)
        return Curve(value[:, where], error[:, where])
    t = np.log(at)
    low, high = float(t.min()), float(t.max())
    count = max(1, int(np.ceil((high - low) / _WIDTH)))
    edges = np.linspace(low, high, count + 1)
    parts: list[tuple[NDArray[np.intp], Real, Real]] = []
    for left, right, last in zip(edges[:-1], edges[1:], np.arange(count) == count - 1, strict=True):
        inside = np.flatnonzero((t >= left) & ((t <= right) if last else (t < right)))
        if inside.size:
            parts.append((inside, *_panel(family, t[inside], float(left), float(right), breakpoints)))
    value, error = np.empty((len(parts[0][1]), at.size)), np.empty((len(parts[0][1]), at.size))
    for inside, some, off in parts:
        value[:, inside], error[:, inside] = some, off
    return Curve(value, error)


def _panel(
    family: Family, t: Real, left: float, right: float, breakpoints: Sequence[float]
) -> tuple[Real, Real]:
    """Interpolate on one panel; cut it in two, or evaluate directly, where the coefficients do not settle."""
    if t.size <= _DEGREE or right - left < _THINNEST:
        return _direct(family, np.exp(t), breakpoints)
    chebyshev = np.polynomial.chebyshev
    nodes = chebyshev.chebpts1(_DEGREE + 1)
    middle, half = (left + right) / 2, (right - left) / 2
    found, noise = _direct(family, np.exp(middle + half * nodes), breakpoints)
    finite = np.isfinite(found).all(axis=1)
    value, error = np.full((len(found), t.size), np.inf), np.full((len(found), t.size), np.inf)
    if finite.any():
        coefficients = chebyshev.chebfit(nodes, found[finite].T, _DEGREE)
        largest = np.max(np.abs(found[finite]), axis=1)
        tail = np.max(np.abs(coefficients[-3:]), axis=0)
        rough = np.max(noise[finite], axis=1)
        settled = (tail <= _SETTLED * largest) | (tail <= 4 * rough)
        if settled.all() and finite.all():
            value = np.asarray(chebyshev.chebval((t - middle) / half, coefficients), np.float64)
            return value, np.broadcast_to((4 * (tail + rough) + 1e-15 * largest)[:, None], value.shape)
    for lower, upper, part in ((left, middle, t < middle), (middle, right, t >= middle)):
        if part.any():
            value[:, part], error[:, part] = _panel(family, t[part], lower, upper, breakpoints)
    return value, error


def _direct(family: Family, q: Real, breakpoints: Sequence[float]) -> tuple[Real, Real]:
    """Every function at every q: by the common rule, one by one where that is not enough."""
    with np.errstate(all="ignore"):
        fine, mass, outside = _common(family, q, breakpoints, _ORDERS[0])
        coarse, _, _ = _common(family, q, breakpoints, _ORDERS[1])
        error = np.abs(fine - coarse) + outside + 4e-15 * mass
        good = np.all(error <= _AGREE * mass + 1e-300, axis=1)
    for row in np.flatnonzero(~good):
        found = expectation(partial(family.single, int(row)), q, breakpoints)
        fine[row], error[row] = found.value, found.error
    return fine, error


def _common(family: Family, q: Real, breakpoints: Sequence[float], order: int) -> tuple[Real, Real, Real]:
    """Σ w f, Σ w |f|, and what lies beyond the outermost panels (estimated by the integrand there)."""
    rule = gauss_legendre(order)
    root = np.sqrt(q)
    left, right, owner = first_edges(root, np.unique(np.asarray(list(breakpoints), dtype=np.float64)))
    half = (right - left)[:, None] / 2
    y = (left[:, None] + half) + half * rule.nodes.astype(np.float64)
    weight = half * rule.weights.astype(np.float64) * np.exp(-0.5 * y * y / q[owner][:, None])
    weight /= np.sqrt(2 * np.pi) * root[owner][:, None]
    values = np.asarray(family.together(y))
    starts = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
    products = values * weight
    total = np.add.reduceat(products.sum(axis=-1), starts, axis=-1)
    mass = np.add.reduceat(np.abs(products).sum(axis=-1), starts, axis=-1)
    # the outermost nodes carry a weight that is far smaller than a panel of length √q beyond them would
    ends = np.concatenate([starts[1:], [len(owner)]]) - 1
    outside = (np.abs(products[:, starts, 0]) + np.abs(products[:, ends, -1])) * order**2
    return total, mass, outside
