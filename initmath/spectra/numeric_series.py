"""Moments of JJᵀ in doubles: Lagrange inversion of the S-transform, in units of the mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from initmath.spectra.slope import SlopeLaw

__all__ = ["relative_moment"]

Real = NDArray[np.float64]


def relative_moment(law: SlopeLaw, depth: int, gaussian: bool, k: int) -> float:
    """E λᵏ/(E λ)ᵏ for L equal square layers.

    Examples
    --------
    >>> from initmath.spectra.slope import bernoulli
    >>> [round(relative_moment(bernoulli(0.5), 6, True, k)) for k in (1, 2, 3, 4)]
    [1, 13, 241, 5225]
    """
    mu = np.array([float(np.real(law.weights @ law.relative**j)) for j in range(1, k + 1)])
    s = _s_transform(mu)
    layer = -_log(s)
    if gaussian:
        layer = layer + _log(_one_plus(k))
    power = _exp(k * (depth * layer + _log(_one_plus(k))))
    return float(power[k - 1] / k)


def _one_plus(count: int) -> Real:
    found = np.zeros(count)
    found[:2] = 1.0
    return found


def _s_transform(mu: Real) -> Real:
    """S(m) of a law of mean 1, by Newton's power sums: y/m with Σ μ_j yʲ = m."""
    count = len(mu)
    y = np.zeros(count)
    y[0] = 1.0
    for n in range(1, count):
        power, total = y[: n + 1].copy(), 0.0
        for j in range(2, n + 2):
            power = np.convolve(power, y[: n + 1])[: n + 1]
            total += mu[j - 1] * power[n + 1 - j]
        y[n] = -total
    return np.asarray(y + np.concatenate([[0.0], y[:-1]]))


def _log(a: Real) -> Real:
    found = np.zeros(len(a))
    for n in range(1, len(a)):
        found[n] = a[n] - sum(j * found[j] * a[n - j] for j in range(1, n)) / n
    return found


def _exp(a: Real) -> Real:
    found = np.zeros(len(a))
    found[0] = 1.0
    for n in range(1, len(a)):
        found[n] = sum(j * a[j] * found[n - j] for j in range(1, n + 1)) / n
    return found
