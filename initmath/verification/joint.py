r"""From many innovations to one verdict, at a stated level.

For each quantity the layers' scores z_l give two statistics that are independent if the claim is true:

- their weighted sum, T = Σ w_l z_l/√Σ w_l², w_l = √(number of networks): N(0, 1).  A wrong map shifts every
  layer the same way, so this is where the power is;
- what is left, Σ z_l² − T²: χ² with one degree of freedom less than there are layers.  Single bad layers show
  here, and weights that spread more or less than claimed: both tails count.

All of them together, m in number, are nearly independent (the quantities are whitened against one another),
so the smallest p-value is judged by 1 − (1 − p)^m (Šidák).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1, log1p, sqrt

import numpy as np

from initmath.verification.join import MOMENTS, Innovation
from initmath.verification.normal import two_sided

__all__ = ["Joint", "Statistic", "judge"]


@dataclass(frozen=True, slots=True)
class Statistic:
    """One combined statistic.

    Attributes
    ----------
    quantity : str
    kind : str
        ``"sum"`` (T, standard normal) or ``"layers"`` (χ² of what the sum leaves).
    statistic : float
    freedom : int
        0 for the sum.
    p : float
        Two-sided.
    """

    quantity: str
    kind: str
    statistic: float
    freedom: int
    p: float


@dataclass(frozen=True, slots=True)
class Joint:
    """All tests together.

    Attributes
    ----------
    tests : tuple of Statistic
    p : float
        Of the smallest p-value among them; 0 where something without variance is not what it must be.
    mismatches : tuple of str
        The quantities of which that is so.
    power : float
        Probability of refuting if σ_w² is 1 % wrong.
    power_of_moment : float
        Probability of refuting if E g² is: it may be far less, where σ_w² is seen exactly or where few
        neurons are active.
    power_of_derivative : float
        Probability of refuting if E g'² is.
    """

    tests: tuple[Statistic, ...]
    p: float
    mismatches: tuple[str, ...]
    power: float
    power_of_moment: float
    power_of_derivative: float


def judge(found: Sequence[Innovation], level: float, claimed: frozenset[str] | None = None) -> Joint:
    """Combine the innovations of all quantities.

    Parameters
    ----------
    found : sequence of Innovation
    level : float
        Probability of refuting a true claim.
    claimed : frozenset of str, optional
        The quantities that the claim is about: only they count for the power.  None: the map of a layer, all.
        A constant that the output's moments must have is 1 % off where σ_w² is, so there the moments decide.
    """
    tests: list[Statistic] = []
    reach: list[float] = []
    reach_of: dict[str, float] = {}
    certain = False
    for each in found:
        tested = np.isfinite(each.z)
        if tested.any():
            z, w = each.z[tested], np.sqrt(each.count[tested])
            total = float(np.sum(w * z) / sqrt(float(np.sum(w * w))))
            tests.append(Statistic(each.quantity, "sum", total, 0, two_sided(total)))
            moved = float(np.sum(w * each.sensitivity[tested]) / sqrt(float(np.sum(w * w))))
            if each.quantity in MOMENTS:
                reach_of[each.quantity] = moved
            else:
                reach.append(moved)
            if len(z) > 1:
                rest = max(float(np.sum(z * z)) - total * total, 0.0)
                tests.append(Statistic(each.quantity, "layers", rest, len(z) - 1, _both(rest, len(z) - 1)))
        # without variance there is nothing to chance: 1 % wrong is seen in every network
        if claimed is None:
            certain |= each.quantity in ("q", "gradient") and bool(each.exact.sum() > 0)
    wrong = tuple(each.quantity for each in found if each.mismatches.any())
    smallest = min((test.p for test in tests), default=1.0)
    joint = -expm1(len(tests) * log1p(-smallest)) if smallest < 1 else 1.0
    powers = {name: _power([reach_of.get(name, 0.0)], len(tests), level) for name in MOMENTS}
    for each in found:
        if each.quantity in MOMENTS and each.exact.any() and not (each.count.any() or each.heavy.any()):
            powers[each.quantity] = float(each.sharp)
    if claimed is None:
        power = 1.0 if certain else _power(reach, len(tests), level)
    else:
        power = min(powers[name] for name in MOMENTS if name in claimed)
    moment, slope = (powers[name] for name in MOMENTS)
    return Joint(tuple(tests), 0.0 if wrong else float(joint), wrong, power, moment, slope)


def _both(value: float, freedom: int) -> float:
    from scipy.special import gammainc, gammaincc

    a, x = freedom / 2, value / 2
    return min(1.0, 2 * float(min(gammainc(a, x), gammaincc(a, x))))


def critical_value(count: int, level: float) -> float:
    """|T| beyond which one of ``count`` sums refutes on its own."""
    from scipy.special import ndtri

    each = -expm1(log1p(-level) / max(count, 1))
    return float(-ndtri(each / 2))


def _power(reach: Sequence[float], count: int, level: float) -> float:
    from scipy.special import ndtr

    if not count:
        return 0.0
    line = critical_value(count, level)
    missed = 1.0
    for shift in reach:
        if shift:
            missed *= float(ndtr(line - abs(shift)) - ndtr(-line - abs(shift)))
    return 1.0 - missed if any(reach) else 0.0
