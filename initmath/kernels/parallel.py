r"""Inputs of one direction and different length: what a layer makes of 1 − c = 0, for all pairs of many q.

Each q is a vector in L²(N(0, 1)), the function g(e^{t/2} z) with t = log q, and the bias one coordinate more.
With û(t) of length 1 in its direction, two inputs of correlation 1 come out of the layer with

.. math:: 1 - c' = 1 - \hat u_1\cdot\hat u_2 = \tfrac12 |\hat u_1 - \hat u_2|^2
          = (t_1 - t_2)^2 (\omega_1 + \omega_2)\,F(t_1, t_2),\qquad \omega = |\hat u'|^2.

F is ¼ where t₁ = t₂ and of order 1 elsewhere, however many orders of magnitude ω goes through.  It is
interpolated from Chebyshev points, so that nothing cancels where two q, or all of them, are nearly the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initmath.activation import Activation
from initmath.kernels.pairs import cuts_of
from initmath.quadrature._rule import gauss_legendre

__all__ = ["Parallel", "Select", "chebyshev_points", "lagrange"]

Real = NDArray[np.float64]
Select = slice | NDArray[np.intp]
"""Rows or columns of a tile: a block of them, or those with given numbers."""

_SIZES = (4, 7, 10, 14, 20, 32, 52, 84, 136, 220)
_HOPELESS = 2.5  # fewer points than the strip of analyticity asks for, divided by this, are not tried
_SETTLED = 3e-13  # of F
_NARROWEST = 0.1  # half-width in log q: differences of nearer functions would be rounding
_NOTHING = 1e-32  # ω that is rounding, as for powers of x
_ORDER = 20
_EPS = float(np.finfo(np.float64).eps)
_PANELS = np.array([-11.0, -7.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 7.0, 11.0])
_FEATURES = np.array([-12.0, -2.5, 0.0, 2.5, 12.0])  # y where panels of large q should end
_SPREAD = 0.3  # log of the ratio of two √q that need panels of their own for a smooth g
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
    """1 − c' of every pair with c = 1: ``(t[i] − t[j])² (speed[i] + speed[j]) (left[i] @ right[j])``.

    Attributes
    ----------
    t : ndarray, shape (n,)
        log q, counted from the middle of its range.
    speed : ndarray, shape (n,)
        ω.
    left, right : ndarray, shape (n, r)
        Empty (r = 0) where the defect is exactly 0.
    error : float
        Estimated error of F where ω₁ + ω₂ is as large as it gets, measured between the points.  Elsewhere the
        rounding of û is divided by √(ω₁ + ω₂), and the error is taken to grow like that.
    """

    t: Real
    speed: Real
    left: Real
    right: Real
    error: float

    @classmethod
    def none(cls, count: int) -> Parallel:
        """All q equal, or g homogeneous."""
        empty = np.zeros((count, 0))
        return cls(np.zeros(count), np.zeros(count), empty, empty, 0.0)

    @classmethod
    def of(cls, activation: Activation, q: Real, bias: float = 0.0) -> Parallel:
        """Interpolate F; ``bias`` is σ_b²/σ_w², added to all second moments."""
        if np.all(q == q[0]):
            return cls.none(len(q))
        middle = float(np.sqrt(q.min()) * np.sqrt(q.max()))
        t = np.log1p((q - middle) / middle)
        half = max(float(np.max(np.abs(t))), _NARROWEST)
        g, cuts = activation.numpy(0), cuts_of(activation)
        tests = half * (2 * _TESTS - 1)
        wanted = -np.log(_SETTLED) / np.arcsinh(np.pi / 2 / half)
        for size in (n for n in _SIZES if n == _SIZES[-1] or n * _HOPELESS >= wanted):
            nodes = chebyshev_points(size, -half, half)
            functions = _sampled(g, np.log(middle) + np.concatenate([nodes, tests]), cuts)
            functions = np.column_stack([functions, np.full(len(functions), np.sqrt(bias))])
            found = _coordinates(functions / np.linalg.norm(functions, axis=1)[:, None])
            basis = lagrange(tests, nodes)
            log_speed = _log_speed(found[:size], nodes)
            values = _values(found[:size], nodes, log_speed)
            np.fill_diagonal(values, 0.25)
            true = _values(found[size:], tests, basis @ log_speed)
            speed = np.exp(basis @ log_speed)
            most = 2 * float(np.exp(np.max(log_speed)))
            missed = np.abs(basis @ values @ basis.T - true) * np.sqrt((speed[:, None] + speed) / most)
            off = float(np.max(missed[~np.eye(len(tests), dtype=bool)]))
            # û is known to rounding: divided by the distance of two points this is the noise of F
            if off < max(_SETTLED, _EPS * size / half / np.sqrt(most)):
                break
        here = lagrange(t, nodes)
        return cls(t, np.exp(here @ log_speed), here @ values, here, off if np.isfinite(off) else np.inf)

    def defect(self, rows: Select, columns: Select) -> tuple[Real, Real]:
        """1 − c' ≥ 0 for a tile of pairs with c = 1, and what `error` is to be multiplied by."""
        square = np.subtract(self.t[rows, None], self.t[None, columns])
        square *= square
        speed = self.speed[rows, None] + self.speed[None, columns]
        found = square * speed
        found *= self.left[rows] @ self.right[columns].T
        square *= np.sqrt(speed * (2 * float(np.max(self.speed))))
        return found, square


def _sampled(g: Any, t: Real, cuts: list[float]) -> Real:
    """g(e^{t/2} z) at common nodes in z, times the square root of their Gaussian weight."""
    root = np.exp(t / 2)
    edges = np.concatenate([_PANELS, *(point / root for point in cuts)])
    if root.max() > 2:
        few = np.exp(np.arange(np.log(max(root.min(), 0.1)), np.log(root.max()) + _SPREAD, _SPREAD))
        edges = np.concatenate([edges, (_FEATURES / few[:, None]).ravel()])
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


def _log_speed(vectors: Real, nodes: Real) -> Real:
    """Log ω at the Chebyshev points, never below that of rounding."""
    matrix = _differentiation(nodes)
    # M f with the rows of M f summed over differences: a constant cancels exactly
    derivative = np.stack([row @ (here - vectors) for row, here in zip(matrix, vectors, strict=True)])
    return np.asarray(np.log(np.maximum(np.sum(derivative * derivative, axis=1), _NOTHING)))


def _values(vectors: Real, t: Real, log_speed: Real) -> Real:
    """F of all pairs of points; on the diagonal 0."""
    apart = np.stack([np.sum((here - vectors) ** 2, axis=1) for here in vectors])
    time = t[:, None] - t[None, :]
    np.fill_diagonal(time, 1.0)
    speed = np.exp(log_speed)
    return np.asarray(0.5 * apart / (time * time * (speed[:, None] + speed[None, :])))


def _differentiation(nodes: Real) -> Real:
    """M with f'(t_a) = Σ_b M_ab (f_a − f_b), for Chebyshev points of the first kind."""
    count = len(nodes)
    weights = (-1.0) ** np.arange(count) * np.sin(np.pi * (np.arange(count) + 0.5) / count)
    apart = nodes[:, None] - nodes[None, :]
    np.fill_diagonal(apart, 1.0)
    matrix = -(weights[None, :] / weights[:, None]) / apart
    np.fill_diagonal(matrix, 0.0)
    return np.asarray(matrix)
