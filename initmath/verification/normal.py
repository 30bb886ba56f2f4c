"""Normal scores: what turns a χ² sum or a slightly skewed sum into a standard normal variable."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["normal_score_of_chi2", "two_sided", "without_skewness"]

Real = NDArray[np.float64]


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


def two_sided(z: float) -> float:
    """P(|Z| ≥ |z|).

    Examples
    --------
    >>> round(two_sided(-1.959964), 6)
    0.05
    """
    from scipy.special import ndtr

    return float(2 * ndtr(-abs(z)))
