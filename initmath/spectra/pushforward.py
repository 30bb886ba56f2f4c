"""One layer with orthogonal weights: λ = σ_w² a, by change of variables, never through a pole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from initmath.spectra.slope import Branch, SlopeLaw

__all__ = ["PushForward"]

Real = NDArray[np.float64]

_BISECTIONS = 70


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

    def density(self, log_lambda: Real) -> Real:
        """λρ(λ): Σ φ(z)/|d log a/dz| over the z with σ_w² a(z) = λ."""
        total = np.zeros(np.shape(log_lambda))
        a = np.exp(log_lambda - self.log_scale)
        for branch in self.law.branches:
            z, inside = _inverse(branch, a)
            with np.errstate(all="ignore"):
                part = branch.weight * np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * a / np.abs(branch.slope(z))
            total += np.where(inside, part, 0.0)
        return total

    def cdf(self, log_lambda: Real) -> Real:
        """Mass of the continuous part at or below λ."""
        total = np.zeros(np.shape(log_lambda))
        a = np.exp(log_lambda - self.log_scale)
        for branch in self.law.branches:
            first, last = branch.ends
            z, _ = _inverse(branch, a)
            below = _mass(branch.left, z) if last > first else _mass(z, branch.right)
            total += branch.weight * below
        return total

    def solve_cdf(self, part: Real) -> Real:
        """Return log λ at which the continuous part has the mass ``part`` at or below it."""
        spans = [branch.span for branch in self.law.branches]
        ends = (
            [min(branch.ends) for branch in self.law.branches],
            [max(branch.ends) for branch in self.law.branches],
        )
        smallest = max(min(low for low, _ in spans), min(ends[0]) * 0.999, 1e-300)
        low = np.full(np.shape(part), np.log(smallest) + self.log_scale)
        high = np.full(np.shape(part), np.log(max(ends[1])) + self.log_scale)
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            above = self.cdf(middle) > part
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return np.asarray((low + high) / 2)

    def integral(self, function: Callable[[Any], Any]) -> float:
        """Integrate over the continuous part, by the nodes of the path without the atoms."""
        skip = len(self.law.atoms)
        return float(np.real(self.law.weights[skip:] @ function(self.law.nodes[skip:])))


def _mass(left: Any, right: Any) -> Any:
    """Gaussian mass of [left, right], from the tail that is nearer."""
    return np.where(
        np.asarray(left) + right > 0,
        ndtr(-np.asarray(left)) - ndtr(-np.asarray(right)),
        ndtr(right) - ndtr(left),
    )


def _inverse(branch: Branch, a: Real) -> tuple[Real, NDArray[np.bool_]]:
    """Z with a(z) = a on a branch (its nearest end outside its range), and whether a is in the range."""
    first, last = branch.ends
    rising = last > first
    low, high = np.full(np.shape(a), branch.left), np.full(np.shape(a), branch.right)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        above = (branch.value(middle) > a) == rising
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.asarray((low + high) / 2), (a > min(first, last)) & (a < max(first, last))
