r"""All layers at once, for very many pairs: 1 − c and Θ of the last layer as functions of the inputs.

However deep the network, they depend on three numbers for a pair: log q₁, log q₂ and the angle of the inputs.
Over the range that the inputs fill these functions are often so smooth that a few hundred points give all of
them; where they are not (chaotic networks), the fit does not settle and every pair goes through every layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from initmath.kernels.parallel import chebyshev_points, lagrange
from initmath.kernels.table import chebyshev_fit, clenshaw

__all__ = ["Composed", "Plan"]

Real = NDArray[np.float64]

_WORTH = 3_000_000  # pairs × layers
_ANGLES = 32
_NEAREST = 1e-3  # angle
_TARGET = 1e-15
_WIDEST = 1.0  # half of the range of log q
_SETTLED = 1e-13  # last coefficients in the angle, against the largest


@dataclass(frozen=True)
class Plan:
    """Where the functions are to be known.

    Attributes
    ----------
    rows, columns : ndarray
        Chebyshev points in log q: two sets, so that no pair has equal q (unless all have).
    angles : ndarray
        Chebyshev points in the angle.
    low, high : float
        Range of the angle.
    middle : float
        Of q: log(q/middle) is what the points are of.
    """

    rows: Real
    columns: Real
    angles: Real
    low: float
    high: float
    middle: float

    @classmethod
    def of(cls, q: Real, gap: Real, depth: int) -> Plan | None:
        """Plan for inputs with these q and 1 − c; None where it is not worth it."""
        count = len(gap)
        if count * (count + 1) // 2 * depth < _WORTH:
            return None
        half = (np.log(float(np.max(q))) - np.log(float(np.min(q)))) / 2
        points = 1 if len(q) == 1 else _points(half)
        if half > _WIDEST:
            return None
        sides = (points, points + 1) if points > 1 else (1, 1)
        rows, columns = (chebyshev_points(size, -half, half) for size in sides)
        others = gap + 2.0 * np.eye(count)  # the diagonal is not asked for
        low, high = float(_angle(np.min(others))), float(_angle(np.max(gap)))
        # for parallel inputs of different lengths the quotient by 1 − c is infinite
        if not low < high or (points > 1 and low < _NEAREST):
            return None
        middle = float(np.sqrt(np.min(q)) * np.sqrt(np.max(q)))
        return cls(rows, columns, chebyshev_points(_ANGLES, low, high), low, high, middle)

    @property
    def q(self) -> Real:
        """Return q of the rows, then of the columns, each of which is repeated for every angle."""
        return np.asarray(self.middle * np.exp(np.concatenate([self.rows, np.repeat(self.columns, _ANGLES)])))

    @property
    def gap(self) -> Real:
        """1 − c of row and column."""
        here = 2 * np.sin(self.angles / 2) ** 2
        return np.asarray(np.tile(here, (len(self.rows), len(self.columns))))


@dataclass(frozen=True)
class Composed:
    """Chebyshev series in the angle of (1 − c')/(1 − c) and Θ/√(q₁'q₂'), at the plan's points in log q.

    Attributes
    ----------
    ratio, ntk : ndarray, shape (N, rows, columns)
    """

    plan: Plan
    ratio: Real
    ntk: Real

    @classmethod
    def of(cls, plan: Plan, gap: Real, ntk: Real) -> Composed | None:
        """Fit what went through all layers; None where the series in the angle does not end."""
        found = []
        for values in (gap / plan.gap, ntk):
            shaped = values.reshape(len(plan.rows), len(plan.columns), _ANGLES)
            series = np.einsum("nk,abk->nab", chebyshev_fit(_ANGLES), shaped)
            size = np.max(np.abs(series), axis=(1, 2))
            if not np.all(size[-3:] <= _SETTLED * size.max()):
                return None
            found.append(series[: int(np.flatnonzero(size > 1e-16 * size.max())[-1]) + 1])
        return cls(plan, *found)

    def tile(self, q_rows: Real, q_columns: Real, gap: Real) -> tuple[Real, Real]:
        """1 − c' and Θ/√(q₁'q₂') of a tile of pairs that are not on the diagonal."""
        plan = self.plan
        left = lagrange(np.log(q_rows / plan.middle), plan.rows)
        right = lagrange(np.log(q_columns / plan.middle), plan.columns).T
        t = (2 * _angle(gap) - (plan.low + plan.high)) / (plan.high - plan.low)
        alone = left.shape[1] == 1
        ratio, ntk = (
            clenshaw([float(c[0, 0]) if alone else left @ c @ right for c in series], t)
            for series in (self.ratio, self.ntk)
        )
        return ratio * gap, ntk


def _points(half: float) -> int:
    """Points in log q: one layer is analytic in the strip of half-width π/2; all together a little less."""
    ratio = np.pi / 2 / max(half, 1e-3)
    return int(np.ceil(-np.log(_TARGET) / np.log(ratio + np.sqrt(ratio * ratio + 1)))) + 5


def _angle(gap: Real | float) -> Real:
    return np.asarray(2 * np.arctan2(np.sqrt(gap), np.sqrt(2 - np.minimum(gap, 2.0))))
