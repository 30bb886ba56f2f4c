r"""Kernels without a closed form for very many pairs: Chebyshev series in the angle, log q₁ and log q₂.

Tabulated are K̇(q₁, q₂, θ), θ = arccos c, and the mean R of K̇ over the correlations between c and 1: by
Price's theorem k(q₁, q₂, 1) − k(q₁, q₂, c) = √(q₁q₂) (1 − c) R, in which nothing cancels.  In θ a kink of g
at 0 leaves both analytic; in log q they are analytic in the strip |Im log q| < π/2 for every g.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initmath.activation import Activation
from initmath.errors import InputError
from initmath.kernels.pairs import cuts_of, pair_values
from initmath.kernels.parallel import chebyshev_points, lagrange
from initmath.quadrature._rule import gauss_legendre
from initmath.quadrature.kernel import pair_expectation

__all__ = ["Table", "build", "chebyshev_fit", "clenshaw"]

Real = NDArray[np.float64]

_ANGLES = (28, 48, 80)
_SETTLED = 1e-12  # last coefficients, against the largest
_MOST = 20  # points in log q
_TARGET = 3e-13
_PANELS = (-11.0, -7.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 7.0, 11.0)


SAFETY = 4.0
"""What an error that was seen at a few points is multiplied by, before it stands for all."""


@dataclass(frozen=True)
class Table:
    """Coefficients on a range of q.

    Attributes
    ----------
    low, high : float
        Range of log q.
    mean_slope, slope : ndarray, shape (N, m, m)
        Chebyshev coefficients in θ of R and K̇ at pairs of points in log q; only the diagonal is filled, and
        shape (N, m), where all inputs of a layer have one q.
    error : (float, float)
        Largest relative error of √(q₁q₂) (1 − c) R, and error of K̇ relative to √(χ̂₁χ̂₂), against
        two-dimensional quadrature at random arguments and at the ends of q, times `SAFETY`.
    """

    low: float
    high: float
    mean_slope: Real
    slope: Real
    error: tuple[float, float]

    @property
    def diagonal(self) -> bool:
        """Whether it holds for q₁ = q₂ only."""
        return self.slope.ndim == 2

    def holds(self, low: float, high: float, diagonal: bool) -> bool:
        """Whether a layer can use it: its q lie inside, and do not fill only a small part of it."""
        inside = self.low <= low and high <= self.high and diagonal == self.diagonal
        return inside and (diagonal or high - low > 0.25 * (self.high - self.low) or self.slope.shape[1] <= 6)

    def drop(self, s1: Real, s2: Real, gap: Real) -> tuple[Real, Real]:
        """Return k(q₁, q₂, 1) − k(q₁, q₂, c) and K̇ for a tile: s1 is a column or a scalar, s2 a row."""
        angle = 2 * np.arctan2(np.sqrt(gap), np.sqrt(2 - gap))
        t = angle * (2 / np.pi) - 1
        nodes = chebyshev_points(self.slope.shape[1], self.low, self.high)
        left = lagrange(2 * np.log(np.ravel(s1)), nodes)
        if self.diagonal:
            mean = clenshaw([float(left[0] @ row) for row in self.mean_slope], t)
            return s1 * s2 * gap * mean, clenshaw([float(left[0] @ row) for row in self.slope], t)
        right = lagrange(2 * np.log(np.ravel(s2)), nodes).T
        mean = clenshaw([left @ part @ right for part in self.mean_slope], t)
        return s1 * s2 * gap * mean, clenshaw([left @ part @ right for part in self.slope], t)


def clenshaw(coefficients: list[Any], t: Real) -> Real:
    """Σ C_n T_n(t), the C_n numbers or matrices of the shape of t."""
    twice = 2 * t
    last, before = np.zeros_like(t), np.zeros_like(t)
    for coefficient in reversed(coefficients[1:]):
        following = twice * last
        following -= before
        following += coefficient
        last, before = following, last
    return np.asarray(t * last - before + coefficients[0])


def build(activation: Activation, low: float, high: float, diagonal: bool, seed: int = 0) -> Table:
    """Tabulate on a range of log q.

    Raises
    ------
    InputError
        If g jumps (E g' g' is then not the whole derivative of the kernel) or E g'² is infinite.
    """
    if activation.expr is not None and activation.jumps:
        raise InputError(f"{activation.name} jumps: its kernel is not the integral of E g' g'")
    half = max((high - low) / 2, 0.0)
    count = _points(half)
    nodes = np.exp(chebyshev_points(count, low, high))
    first, second = (np.arange(count),) * 2 if diagonal else np.triu_indices(count)
    ends = [0, count - 1] if count > 1 else [0]
    for angles in _ANGLES:
        theta = chebyshev_points(angles, 0.0, np.pi)
        tail = np.abs(chebyshev_fit(angles) @ _slopes(activation, nodes[ends], nodes[ends[::-1]], theta))
        if np.all(tail[-3:] <= _SETTLED * tail.max()):
            break
    values = _slopes(activation, nodes[first], nodes[second], theta)  # (angles, pairs)
    if not np.isfinite(values).all():
        raise InputError(f"E g'(y1) g'(y2) of {activation.name} was not found finite")
    slope, mean = chebyshev_fit(angles) @ values, chebyshev_fit(angles) @ (_averaging(angles) @ values)
    if not diagonal:
        slope, mean = (_symmetric(part, first, second, count) for part in (slope, mean))
    table = Table(low, high, _trimmed(mean), _trimmed(slope), (0.0, 0.0))
    return Table(low, high, table.mean_slope, table.slope, _measured(activation, table, seed))


def _points(half: float) -> int:
    """How many Chebyshev points in log q: the strip of analyticity has half-width π/2."""
    if half < 1e-15:
        return 1
    ratio = np.pi / 2 / half
    rate = ratio + np.sqrt(ratio * ratio + 1)
    return int(min(_MOST, np.ceil(-np.log(_TARGET) / np.log(rate)) + 1))


def _slopes(activation: Activation, q1: Real, q2: Real, theta: Real) -> Real:
    """K̇ at every angle (rows) and pair (columns)."""
    slope = activation.numpy(1)
    gap = 2 * np.sin(theta / 2) ** 2
    a, b, c = (np.ravel(v) for v in np.broadcast_arrays(q1[None, :], q2[None, :], gap[:, None]))
    found = pair_expectation(
        lambda y1, y2: (slope(y1) * slope(y2))[None], a, b, np.sqrt(a * b) * (1 - c), cuts_of(activation),
        orders=(14, 10), base=_PANELS, gap=c, checked=1,
    )  # fmt: skip
    return np.asarray(found.value[0].reshape(len(theta), len(q1)))


@cache
def chebyshev_fit(count: int) -> Real:
    """From values at Chebyshev points to coefficients."""
    angle = np.pi * (np.arange(count) + 0.5) / count
    rows = 2 / count * np.cos(np.arange(count)[:, None] * angle[::-1][None, :])
    rows[0] /= 2
    return rows


@cache
def _averaging(count: int) -> Real:
    """From K̇ at the angles to R = ∫₀^θ K̇(φ) sin φ dφ / (1 − cos θ), the integral taken over φ/θ."""
    rule = gauss_legendre(64)
    s = (1 + rule.nodes.astype(np.float64)) / 2
    theta = chebyshev_points(count, 0.0, np.pi)[:, None]
    weight = rule.weights.astype(np.float64) / 2 * np.sin(theta * s) * theta / (2 * np.sin(theta / 2) ** 2)
    matrices = lagrange((theta * s).ravel(), theta[:, 0]).reshape(count, len(s), count)
    return np.asarray(np.einsum("ksn,ks->kn", matrices, weight))


def _symmetric(part: Real, first: NDArray[np.intp], second: NDArray[np.intp], count: int) -> Real:
    full = np.empty((len(part), count, count))
    full[:, first, second] = part
    full[:, second, first] = part
    return full


def _trimmed(part: Real) -> Real:
    """Without the last coefficients that are rounding."""
    size = np.abs(part).reshape(len(part), -1).max(axis=1)
    keep = np.flatnonzero(size > 1e-15 * size.max())
    return part[: (keep[-1] + 1 if len(keep) else 1)]


def _measured(activation: Activation, table: Table, seed: int) -> tuple[float, float]:
    """Errors at random arguments and at the ends of q, `SAFETY` times the largest that was seen.

    The angle is drawn on a logarithmic scale as well.  Polynomials are worst at the ends of their range,
    where random points seldom fall: both ends of q are among the points, with themselves and with each other.
    """
    rng = np.random.default_rng(seed)
    count = 12
    q1, q2 = np.exp(rng.uniform(table.low, table.high, (2, count)))
    ends = np.exp([table.low, table.high])
    q1[:4], q2[:4] = ends[[0, 1, 1, 1]], ends[[0, 1, 1, 0]]
    q2 = q1 if table.diagonal else q2
    theta = np.where(np.arange(count) % 2 == 0, rng.uniform(0, np.pi, count), 10 ** rng.uniform(-3, 0, count))
    gap = 2 * np.sin(theta / 2) ** 2
    true, level = pair_values(activation, q1, q2, gap), pair_values(activation, q1, q2, 0 * gap)
    top = pair_values(activation, np.maximum(q1, q2), np.maximum(q1, q2), 0 * gap).derivative_kernel
    off, slope_off = 0.0, 0.0
    for k in range(count):
        first, second, apart = (np.full((1, 1), v) for v in (np.sqrt(q1[k]), np.sqrt(q2[k]), gap[k]))
        drop, slope = table.drop(first, second, apart)
        wanted = true.half_distance[k] - level.half_distance[k]
        noise = 1e-15 * level.half_distance[k]
        off = max(off, (abs(float(drop[0, 0]) - wanted) - noise) / abs(wanted))
        slope_off = max(slope_off, abs(float(slope[0, 0]) - true.derivative_kernel[k]) / float(top[k]))
    return SAFETY * off, SAFETY * slope_off
