"""One layer with orthogonal weights: λ = σ_w² a, by change of variables, never through a pole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from initmath.spectra.slope import Branch, SlopeLaw

__all__ = ["PushForward"]

Real = NDArray[np.float64]

_STEPS = 60
_GRID = 96  # points in the middle of a branch, and towards either end
_HAIR = 1e-13
_CLOSE = 1e-8  # of the distance to the nearest end: a step of Newton's method after which none is needed


@dataclass(frozen=True)
class PushForward:
    """The continuous part of the law of σ_w² g'(√q z)².

    Attributes
    ----------
    law : SlopeLaw
    log_scale : float
        log σ_w².
    """

    law: SlopeLaw
    log_scale: float

    @property
    def log_mean(self) -> float:
        """Log of σ_w² μ₁."""
        return self.log_scale + float(np.log(self.law.mean))

    def density(self, log_lambda: Real) -> Real:
        """λρ(λ): Σ φ(z)/|d log a/dz| over the z with σ_w² a(z) = λ."""
        total = np.zeros(np.shape(log_lambda))
        for inverse in self._inverses:
            z, inside = inverse.at(log_lambda - self.log_scale)
            with np.errstate(all="ignore"):
                steep = np.abs(inverse.branch.log_slope(z))
                part = inverse.branch.weight * np.exp(-z * z / 2) / np.sqrt(2 * np.pi) / steep
            total += np.where(inside, part, 0.0)
        return total

    def cdf(self, log_lambda: Real) -> Real:
        """Mass of the continuous part at or below λ."""
        total = np.zeros(np.shape(log_lambda))
        for inverse in self._inverses:
            branch = inverse.branch
            z, _ = inverse.at(log_lambda - self.log_scale)
            below = _mass(branch.left, z) if inverse.rising else _mass(z, branch.right)
            total += branch.weight * below
        return total

    def solve_cdf(self, part: Real) -> Real:
        """Return log λ at which the continuous part has the mass ``part`` at or below it."""
        at, mass = self._table
        index = np.clip(np.searchsorted(mass, part, side="right"), 1, len(at) - 1)
        low, high = at[index - 1].copy(), at[index].copy()
        found = np.clip(np.interp(part, mass, at), low, high)
        active = np.arange(len(found))
        for step in range(_STEPS):
            here, a, b = found[active], low[active], high[active]
            miss = self.cdf(here) - part[active]
            low[active] = a = np.where(miss > 0, a, here)
            high[active] = b = np.where(miss > 0, here, b)
            with np.errstate(all="ignore"):
                new = here - miss / self.density(here)
            newton = (new > a) & (new < b) & (step % 8 != 7)
            found[active] = new = np.where(newton, new, (a + b) / 2)
            # one more step of Newton's method would be the square of this one
            moved = np.abs(new - here)
            settled = newton & (moved <= _CLOSE * np.minimum(new - at[0], at[-1] - new))
            active = active[~settled & (b - a > 4e-16 * (1 + np.abs(new)))]
            if not active.size:
                break
        return np.asarray(found)

    def integral(self, function: Callable[[Any], Any]) -> float:
        """Integrate over the continuous part, by the nodes of the path without the atoms."""
        skip = len(self.law.atoms)
        return float(np.real(self.law.weights[skip:] @ function(self.law.nodes[skip:])))

    @cached_property
    def _inverses(self) -> tuple[_Inverse, ...]:
        return tuple(_Inverse(branch) for branch in self.law.branches)

    @cached_property
    def _table(self) -> tuple[Real, Real]:
        """Log λ of the grids of all branches, and the mass below."""
        at = np.unique(np.concatenate([inverse.grid[1] for inverse in self._inverses])) + self.log_scale
        at = at[np.isfinite(at)]
        return at, self.cdf(at)


@dataclass(frozen=True)
class _Inverse:
    """z as a function of log a on one branch."""

    branch: Branch

    @cached_property
    def rising(self) -> bool:
        first, last = self.branch.log_ends
        return last > first

    @cached_property
    def grid(self) -> tuple[Real, Real]:
        """z, and log a made monotone against rounding, both increasing in log a."""
        left, right = self.branch.left, self.branch.right
        fine = (right - left) * np.geomspace(_HAIR, 0.5, _GRID)
        z = np.unique(np.concatenate([np.linspace(left, right, _GRID), left + fine, right - fine]))
        z = z if self.rising else z[::-1]
        logs = np.asarray(self.branch.log_value(z), dtype=np.float64)
        logs = np.where(np.isnan(logs), -np.inf, logs)
        return z, np.maximum.accumulate(logs)

    def at(self, log_a: Real) -> tuple[Real, NDArray[np.bool_]]:
        """Z with a(z) = a (its nearest end outside its range), and whether a is in the range."""
        z, logs = self.grid
        shape, flat = np.shape(log_a), np.ravel(log_a)
        index = np.clip(np.searchsorted(logs, flat), 1, len(z) - 1)
        low, high = z[index - 1].copy(), z[index].copy()
        with np.errstate(all="ignore"):
            share = (flat - logs[index - 1]) / (logs[index] - logs[index - 1])
        found = low + np.where(np.isfinite(share), np.clip(share, 0, 1), 0.5) * (high - low)
        lowest, highest = sorted(self.branch.log_ends)
        inside = (flat > lowest) & (flat < highest)
        found = np.where(inside, found, np.where(flat <= lowest, z[0], z[-1]))
        active = np.flatnonzero(inside)
        for step in range(_STEPS):
            here = found[active]
            with np.errstate(all="ignore"):
                miss = self.branch.log_value(here) - flat[active]
                new = here - miss / self.branch.log_slope(here)
            above = miss > 0
            low[active] = a = np.where(above, low[active], here)
            high[active] = b = np.where(above, here, high[active])
            newton = (new > np.minimum(a, b)) & (new < np.maximum(a, b)) & (step % 8 != 7)
            found[active] = new = np.where(newton, new, (a + b) / 2)
            near = np.minimum(new - self.branch.left, self.branch.right - new)
            settled = newton & (np.abs(new - here) <= _CLOSE * near)
            active = active[~settled & (np.abs(b - a) > 2e-16 * np.abs(new))]
            if not active.size:
                break
        return found.reshape(shape), inside.reshape(shape)


def _mass(left: Any, right: Any) -> Any:
    """Gaussian mass of [left, right], from the tail that is nearer."""
    return np.where(
        np.asarray(left) + right > 0,
        ndtr(-np.asarray(left)) - ndtr(-np.asarray(right)),
        ndtr(right) - ndtr(left),
    )
