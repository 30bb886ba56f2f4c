r"""Inputs of one direction and different length: √(m₂(q₁) m₂(q₂)) − k(q₁, q₂, 1), for all pairs of many q.

Each q is a vector in L²(N(0, 1)), the function z ↦ g(√q z); the quantity asked is |G₁||G₂| − G₁·G₂.  The
functions of one layer lie in a space of few dimensions, because they depend analytically on log q: they are
interpolated from a few Chebyshev points, and all pairs come from one product of thin matrices.
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

_SIZES = (4, 7, 12, 20, 32)
_SETTLED = 1e-14  # of the norm: interpolation error in L²
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
    """The defect of every pair as a product: ``left[i] @ right[j]``.

    Attributes
    ----------
    left, right : ndarray, shape (n, r)
        Empty (r = 0) where the defect is exactly 0.
    error : float
        Estimated absolute error of a defect: that of the interpolation, measured between its points.
    """

    left: Real
    right: Real
    error: float

    @classmethod
    def none(cls, count: int) -> Parallel:
        """All q equal, or g homogeneous."""
        return cls(np.zeros((count, 0)), np.zeros((count, 0)), 0.0)

    @classmethod
    def of(cls, activation: Activation, q: Real) -> Parallel:
        """Embed the functions z ↦ g(√qᵢ z)."""
        t = np.log(q)
        low, high = float(t.min()), float(t.max())
        if high - low <= 4e-16 * max(1.0, abs(high)):
            return cls.none(len(q))
        g, cuts = activation.numpy(0), cuts_of(activation)
        tests = low + (high - low) * _TESTS
        for size in _SIZES:
            nodes = chebyshev_points(size, low, high)
            functions = _sampled(g, np.concatenate([nodes, tests]), cuts)
            known, wanted = functions[:size], functions[size:]
            missed = wanted - lagrange(tests, nodes) @ known
            off = float(np.max(np.linalg.norm(missed, axis=1) / np.linalg.norm(wanted, axis=1)))
            if off < _SETTLED:
                break
        largest = float(np.max(np.linalg.norm(known, axis=1)))
        left, right, spread = _coordinates(known, lagrange(t, nodes))
        # off falls on both vectors; the part along their difference is what a defect feels
        error = (off * largest) ** 2 + 2 * off * largest * spread if off >= _SETTLED else 0.0
        return cls(left, right, error + 4e-16 * spread**2)

    def defect(self, rows: slice, columns: slice) -> Any:
        """Return √(m₂m₂) − k(·, ·, 1) ≥ 0 for a tile of pairs, or 0."""
        if not self.left.shape[1]:
            return 0.0
        return np.maximum(self.left[rows] @ self.right[columns].T, 0.0)


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


def _coordinates(known: Real, basis: Real) -> tuple[Real, Real, float]:
    """Coordinates along the mean function (a) and across it (w), and from them the two factors.

    With r = |G|, e = r − a = |w|²/(r + a) and s = r + a:  rᵢrⱼ − Gᵢ·Gⱼ = ½(eᵢsⱼ + eⱼsᵢ) − wᵢ·wⱼ.
    """
    mean = known.mean(axis=0)
    size = np.linalg.norm(mean)
    axis = mean / size if size > 0 else mean
    along = known @ axis
    across = known - along[:, None] * axis
    across_coordinates = np.asarray(np.linalg.qr(across.T, mode="r")).T
    a, w = basis @ along, basis @ across_coordinates
    r = np.sqrt(a * a + np.sum(w * w, axis=1))
    e, s = np.sum(w * w, axis=1) / (r + a), r + a
    left = np.column_stack([e, s, -w])
    right = np.column_stack([0.5 * s, 0.5 * e, w])
    return left, right, float(np.max(np.linalg.norm(w, axis=1)))
