r"""Inputs of one direction and different length: √(m₂(q₁) m₂(q₂)) − k(q₁, q₂, 1), for all pairs of many q.

Each q is a vector in L²(N(0, 1)), the function G(t) : z ↦ g(e^{t/2} z) with t = log q; the quantity asked is
|G₁||G₂| − G₁·G₂ = (t₁ − t₂)² D(t₁, t₂).  D is positive and smooth, is interpolated from a few Chebyshev
points, and keeps its digits where two q, or all of them, are nearly the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initmath.activation import Activation
from initmath.kernels.pairs import cuts_of
from initmath.quadrature._rule import gauss_legendre

__all__ = ["Parallel", "chebyshev_points", "lagrange"]

Real = NDArray[np.float64]

_SIZES = (4, 7, 10, 14, 20, 32)
_SETTLED = 3e-13  # relative, of D
_NARROWEST = 0.1  # half-width in log q: differences of nearer functions would be rounding
_NOTHING = 1e-20  # of |G|²: a D that is 0, as for powers of x
_ORDER = 20
_PANELS = np.array([-11.0, -7.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 7.0, 11.0])
_TESTS = np.array([0.03, 0.21, 0.47, 0.64, 0.9, 0.985])


def chebyshev_points(count: int, low: float, high: float) -> Real:
    """Return the Chebyshev points of the first kind on [low, high]."""
    nodes = np.cos(np.pi * (np.arange(count) + 0.5) / count)[::-1]
    return np.asarray((low + high) / 2 + (high - low) / 2 * nodes)


def lagrange(at: Real, nodes: Real) -> Real:
    """Return ℓ_a(t), shape (len(at), len(nodes)), for Chebyshev points of the first kind.

    Examples
    --------
    >>> nodes = chebyshev_points(5, 0.0, 1.0)
    >>> bool(abs(lagrange(np.array([0.3]), nodes) @ nodes**4 - 0.3**4) < 1e-14)
    True
    """
    count = len(nodes)
    if count == 1:
        return np.ones((len(at), 1))
    weights = (-1.0) ** np.arange(count) * np.sin(np.pi * (np.arange(count) + 0.5) / count)
    apart = at[:, None] - nodes[None, :]
    hit = apart == 0
    with np.errstate(all="ignore"):
        terms = weights / apart
        found = terms / terms.sum(axis=1, keepdims=True)
    rows = hit.any(axis=1)
    found[rows] = hit[rows]
    return np.asarray(found)


@dataclass(frozen=True)
class Parallel:
    """The defect of every pair: ``(t[i] − t[j])² (left[i] @ right[j])``.

    Attributes
    ----------
    t : ndarray, shape (n,)
        log q, counted from the middle of its range.
    left, right : ndarray, shape (n, r)
        Empty (r = 0) where the defect is exactly 0.
    error : float
        Estimated relative error of a defect: that of the interpolation, measured between its points.
    """

    t: Real
    left: Real
    right: Real
    error: float

    @classmethod
    def none(cls, count: int) -> Parallel:
        """All q equal, or g homogeneous."""
        return cls(np.zeros(count), np.zeros((count, 0)), np.zeros((count, 0)), 0.0)

    @classmethod
    def of(cls, activation: Activation, q: Real, bias: float = 0.0, weight: Real | float = 1.0) -> Parallel:
        """Interpolate D; ``bias`` is added to all second moments, ``weight`` multiplies each function."""
        if np.all(q == q[0]):
            return cls.none(len(q))
        middle = float(np.sqrt(q.min()) * np.sqrt(q.max()))
        t = np.log1p((q - middle) / middle)
        half = max(float(np.max(np.abs(t))), _NARROWEST)
        g, cuts = activation.numpy(0), cuts_of(activation)
        tests = half * (2 * _TESTS - 1)
        for size in _SIZES:
            nodes = chebyshev_points(size, -half, half)
            points = np.concatenate([nodes, tests])
            functions = _sampled(g, np.log(middle) + points, cuts)
            functions = np.column_stack([functions, np.full(len(functions), np.sqrt(bias))])
            tested = functions[size:]
            rates = _smooth(_coordinates(functions), points, size)
            basis = lagrange(tests, nodes)
            missed = np.abs(basis @ rates[:size, :size] @ basis.T - rates[size:, size:])
            floor = _NOTHING * np.max(np.sum(tested * tested, axis=1))
            other = ~np.eye(len(tests), dtype=bool)
            off = float(np.max((missed / (np.abs(rates[size:, size:]) + floor))[other]))
            if off < _SETTLED:
                break
        here = lagrange(t, nodes)
        scaled = np.broadcast_to(np.asarray(weight), q.shape)[:, None] * here
        return cls(t, scaled @ rates[:size, :size], scaled, off if np.isfinite(off) else np.inf)

    def defect(self, rows: slice, columns: slice) -> Any:
        """Return √(m₂m₂) − k(·, ·, 1) ≥ 0 for a tile of pairs, or 0."""
        if not self.left.shape[1]:
            return 0.0
        found = np.subtract(self.t[rows, None], self.t[None, columns])
        found *= found
        found *= self.left[rows] @ self.right[columns].T
        return found


def _sampled(g: Any, t: Real, cuts: list[float]) -> Real:
    """g(e^{t/2} z) at common nodes in z, times the square root of their Gaussian weight."""
    root = np.exp(t / 2)
    near = [*cuts, 0.0, -2.5, 2.5, -12.0, 12.0] if root.max() > 2 else list(cuts)
    edges = np.concatenate([_PANELS, *(point / root for point in near)])
    edges = np.unique(np.clip(edges, _PANELS[0], _PANELS[-1]))
    rule = gauss_legendre(_ORDER)
    left, half = edges[:-1, None], np.diff(edges)[:, None] / 2
    z = (left + half * (1 + rule.nodes.astype(np.float64))).ravel()
    weight = (half * rule.weights.astype(np.float64)).ravel() / np.sqrt(2 * np.pi)
    with np.errstate(all="ignore"):
        return np.asarray(g(root[:, None] * z) * (np.sqrt(weight) * np.exp(-0.25 * z * z)))


def _coordinates(functions: Real) -> Real:
    """Coordinates of the functions in the space that they span, the first along their mean."""
    mean = functions.mean(axis=0)
    size = np.linalg.norm(mean)
    axis = mean / size if size > 0 else mean
    along = functions @ axis
    across = functions - along[:, None] * axis
    return np.column_stack([along, np.asarray(np.linalg.qr(across.T, mode="r")).T])


def _smooth(vectors: Real, t: Real, nodes: int) -> Real:
    """D of all pairs of points; on the diagonal, for the Chebyshev points alone, by their derivative.

    With d = G₁ − G₂, s = G₁ + G₂ and d⊥ the part of d across s:
    |G₁||G₂| − G₁·G₂ = ½ |d⊥|²/(1 − (|G₁| − |G₂|)²/|s|²), where |G₁| − |G₂| = d·s/(|G₁| + |G₂|).
    """
    lengths = np.linalg.norm(vectors, axis=1)
    apart = vectors[:, None, :] - vectors[None, :, :]
    both = vectors[:, None, :] + vectors[None, :, :]
    along = np.sum(apart * both, axis=2)
    size = np.sum(both * both, axis=2)
    apart -= both * (along / size)[:, :, None]
    found = 0.5 * np.sum(apart * apart, axis=2)
    found /= 1 - (along / (lengths[:, None] + lengths[None, :])) ** 2 / size
    time = t[:, None] - t[None, :]
    np.fill_diagonal(time, 1.0)
    found /= time * time
    known = vectors[:nodes]
    derivative = np.einsum("abk,ab->ak", known[:, None, :] - known[None, :, :], _differentiation(t[:nodes]))
    derivative -= known * (np.sum(derivative * known, axis=1) / lengths[:nodes] ** 2)[:, None]
    at = np.arange(nodes)
    found[at, at] = 0.5 * np.sum(derivative * derivative, axis=1)
    return np.asarray(found)


def _differentiation(nodes: Real) -> Real:
    """M with f'(t_a) = Σ_b M_ab (f_a − f_b), for Chebyshev points of the first kind."""
    count = len(nodes)
    weights = (-1.0) ** np.arange(count) * np.sin(np.pi * (np.arange(count) + 0.5) / count)
    apart = nodes[:, None] - nodes[None, :]
    np.fill_diagonal(apart, 1.0)
    matrix = -(weights[None, :] / weights[:, None]) / apart
    np.fill_diagonal(matrix, 0.0)
    return np.asarray(matrix)
