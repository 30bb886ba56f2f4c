"""What to hand to a random generator so that the weights get variance v²: pure functions, no arrays."""

from __future__ import annotations

from math import erf, exp, isfinite, pi, sqrt
from typing import SupportsFloat

from initmath.errors import InputError

__all__ = [
    "TRUNCATION",
    "normal_std",
    "orthogonal_gain",
    "truncated_normal_kurtosis",
    "truncated_normal_std",
    "truncated_std_ratio",
    "uniform_half_width",
]

TRUNCATION = 2.0
"""Where frameworks cut a truncated normal, in units of the parent's standard deviation."""


def _checked(variance: SupportsFloat) -> float:
    value = float(variance)
    if not (isfinite(value) and value >= 0):
        raise InputError(f"a variance must be finite and not negative, got {variance}")
    return value


def normal_std(variance: SupportsFloat) -> float:
    """Return the standard deviation of a normal with the given variance: v.

    Examples
    --------
    >>> normal_std(0.25)
    0.5
    """
    return sqrt(_checked(variance))


def _power(n: int, c: float) -> float:
    """∫₀^c tⁿ exp(−t²/2) dt for c < 1, as Σ (−1)ᵏ c^(2k+n+1)/(2ᵏ k! (2k+n+1)): nothing cancels."""
    term, total = c ** (n + 1), 0.0
    for k in range(16):
        total += term / (2 * k + n + 1)
        term *= -c * c / (2 * (k + 1))
    return total


def truncated_std_ratio(bound: float = TRUNCATION) -> float:
    r"""Return the standard deviation of a standard normal given \|z\| ≤ bound.

    .. math:: \sqrt{1 - \frac{2 c \varphi(c)}{2\Phi(c) - 1}}, \qquad c = \text{bound}

    For c = 2 this is 0.8796256610342398, the constant of Keras and JAX.

    Examples
    --------
    >>> abs(truncated_std_ratio() - 0.87962566103423978) < 2e-16
    True
    """
    if not bound > 0:
        raise InputError(f"the truncation must be positive, got {bound}")
    if bound < 1:  # the closed form cancels
        return sqrt(_power(2, bound) / _power(0, bound))
    density = exp(-bound * bound / 2) / sqrt(2 * pi)
    return sqrt(1 - 2 * bound * density / erf(bound / sqrt(2)))


def truncated_normal_kurtosis(bound: float = TRUNCATION) -> float:
    r"""E z⁴ / (E z²)² of a normal cut at ±bound: what the error of a measured variance depends on.

    With r = 2φ(c)/(2Φ(c) − 1): E z² = 1 − c r, E z⁴ = 3 − (c³ + 3c) r.

    Examples
    --------
    >>> round(truncated_normal_kurtosis(), 6)
    2.365537
    """
    if bound < 1:  # the closed form cancels
        return _power(4, bound) * _power(0, bound) / _power(2, bound) ** 2
    rate = 2 * exp(-bound * bound / 2) / sqrt(2 * pi) / erf(bound / sqrt(2))
    return (3 - (bound**3 + 3 * bound) * rate) / (1 - bound * rate) ** 2


def truncated_normal_std(variance: SupportsFloat, bound: float = TRUNCATION) -> float:
    """σ₀ of the normal to cut at ±bound·σ₀ so that what is left has the given variance.

    Examples
    --------
    >>> round(truncated_normal_std(1.0), 12)
    1.136847234339
    """
    return sqrt(_checked(variance)) / truncated_std_ratio(bound)


def uniform_half_width(variance: SupportsFloat) -> float:
    """Return a such that U(−a, a) has the given variance: √(3 v²).

    Examples
    --------
    >>> uniform_half_width(3.0)
    3.0
    """
    return sqrt(3 * _checked(variance))


def orthogonal_gain(variance: SupportsFloat, rows: int, columns: int) -> float:
    """Gain of a (semi-)orthogonal matrix whose entries have the given mean square.

    The Frobenius norm of gain·Q is gain² min(rows, columns), so the mean square of an entry is
    gain² / max(rows, columns).

    Examples
    --------
    >>> round(orthogonal_gain(2 / 512, 512, 512) ** 2, 12)
    2.0
    """
    if rows < 1 or columns < 1:
        raise InputError(f"a matrix needs at least one row and one column, got {rows} × {columns}")
    return sqrt(_checked(variance) * max(rows, columns))
