"""Normal scores: what turns a χ² sum or a slightly skewed sum into a standard normal variable."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "expected_score_of_t",
    "normal_score_of_chi2",
    "normal_score_of_t",
    "t_without_skewness",
    "two_sided",
    "without_skewness",
]

Real = NDArray[np.float64]

_GRID = 48
"""Quantiles of either variable that an expectation over two is taken at."""


def normal_score_of_chi2(value: Any, freedom: Any) -> Real:
    """Φ⁻¹(F(value)) for F the χ² distribution: exactly N(0, 1).

    Far in a tail, where F leaves the range of a double, Wilson and Hilferty's cube root is used, which is
    monotone.

    Examples
    --------
    >>> bool(abs(normal_score_of_chi2(3.841458820694124, 1.0) - 1.6448536269514722) < 1e-9)
    True
    """
    from scipy.special import gammainc, gammaincc, ndtri

    x, n = np.asarray(value, np.float64) / 2, np.asarray(freedom, np.float64) / 2
    lower, upper = gammainc(n, np.maximum(x, 0)), gammaincc(n, np.maximum(x, 0))
    score = np.where(lower < upper, ndtri(lower), -ndtri(upper))
    rough = without_skewness((x - n) / np.sqrt(n), 2 / np.sqrt(n))
    far = np.minimum(lower, upper) < 1e-280
    return np.asarray(np.where(far, np.where(np.abs(rough) > 30, rough, np.copysign(36.0, x - n)), score))


def without_skewness(z: Any, skewness: Any) -> Real:
    r"""Return the normal score of a unit-variance variable with the given skewness.

    Wilson and Hilferty's, exact to second order in γ:

    .. math:: \frac{6}{γ} \left[ (1 + γ z/2)^{1/3} - 1 \right] + \frac{γ}{6}

    It is monotone in z and the identity at γ = 0.

    References
    ----------
    .. [1] Wilson & Hilferty, The distribution of chi-square, 1931, PNAS 17, 684-688.

    Examples
    --------
    >>> float(without_skewness(1.5, 0.0))
    1.5
    """
    z, g = np.asarray(z, np.float64), np.asarray(skewness, np.float64)
    small = np.abs(g) < 1e-5
    h = np.where(small, 1.0, g)
    with np.errstate(invalid="ignore"):
        return np.asarray(
            np.where(small, z - g / 6 * (z * z - 1), 6 / h * (np.cbrt(1 + h * z / 2) - 1) + h / 6)
        )


def normal_score_of_t(t: Any, freedom: Any) -> Real:
    """Φ⁻¹(F(t)) for F Student's law: exactly N(0, 1) for the mean of normal variables over its own error.

    Examples
    --------
    >>> bool(abs(normal_score_of_t(12.706204736432095, 1) - 1.959963984540054) < 1e-9)
    True
    """
    from scipy.special import ndtri, stdtr

    t = np.asarray(t, np.float64)
    tail = np.maximum(stdtr(np.asarray(freedom, np.float64), -np.abs(t)), 1e-300)
    return np.asarray(np.copysign(ndtri(tail), t))


def expected_score_of_t(shift: Any, freedom: Any) -> Real:
    r"""Return E Φ⁻¹(F(T)), T = (Z + δ)/√(χ²_ν/ν): where a shift by δ standard errors moves the normal score.

    With ν large that is δ; with few degrees of freedom far less, because a normal score of 3 is a T of 235 at
    ν = 1.  The score's variance under the shift is below 1.

    Examples
    --------
    >>> [round(float(expected_score_of_t(5.0, nu)), 2) for nu in (1, 3, 1000)]
    [1.78, 2.56, 4.97]
    """
    from scipy.special import chdtri, ndtri, stdtr

    d, nu = (np.asarray(v, np.float64)[..., None] for v in np.broadcast_arrays(shift, freedom))
    grid = (np.arange(_GRID) + 0.5) / _GRID
    z, tail = ndtri(grid), 1 - grid
    with np.errstate(all="ignore"):
        t = (z + d[..., None]) / np.sqrt(chdtri(nu, tail) / nu)[..., None]
        score = np.copysign(-ndtri(np.maximum(stdtr(nu[..., None], -np.abs(t)), 1e-300)), t)
    return np.asarray(score.mean(axis=(-2, -1)))


def t_without_skewness(t: Any, skewness: Any) -> Real:
    r"""Take the skewness out of a studentised mean.

    .. math:: t + \frac{γ}{3} t^2 + \frac{γ^2}{27} t^3 + \frac{γ}{6},

    γ the skewness of the mean itself; monotone in t.  (A large mean comes with a large spread, so Student's t
    leans the other way than the mean.)

    References
    ----------
    .. [1] Hall, On the removal of skewness by transformation, 1992, J. R. Statist. Soc. B 54, 221-228.

    Examples
    --------
    >>> float(t_without_skewness(1.5, 0.0))
    1.5
    """
    t, g = np.asarray(t, np.float64), np.asarray(skewness, np.float64)
    return np.asarray(t + g / 3 * t**2 + g**2 / 27 * t**3 + g / 6)


def two_sided(z: float) -> float:
    """P(|Z| ≥ |z|).

    Examples
    --------
    >>> round(two_sided(-1.959964), 6)
    0.05
    """
    from scipy.special import ndtr

    return float(2 * ndtr(-abs(z)))
